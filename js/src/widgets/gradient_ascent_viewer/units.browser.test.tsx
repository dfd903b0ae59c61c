import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { panel } from "./mock_kernel";
import { button, eventually, find, mount, root, see } from "./mounting";

const grid = () => find(".cnnw-grid");

test("channels are chosen by how they answer a picture; only those on screen are in the page", async () => {
  const kernel = mount({
    _layers: [{ name: "conv2", kind: "Conv2d", channels: 1280, maps: [4, 4], jump: 2 }],
  });
  await page.getByText("Unit: conv2:5").click();
  await see("How they answer noise, each in its own range.");
  expect(kernel.asked("maps").map(({ args }) => args)).toEqual([{ layer: "conv2" }]);
  await eventually(() => grid().querySelectorAll("canvas").length).toBeGreaterThan(10);
  expect(grid().querySelectorAll("canvas").length).toBeLessThan(200);
  const canvas = grid().querySelector<HTMLCanvasElement>("[aria-selected=true] canvas");
  const level = () => canvas?.getContext("2d")?.getImageData(0, 0, 1, 1).data[0];
  await eventually(level).toBe(50); // of channel 5
  expect(canvas?.closest("[data-at]")?.textContent).toBe("5");
  grid().scrollTop = 1e6;
  await page.getByRole("gridcell", { name: "1279" }).click();
  expect(kernel.get("objective")).toBe("conv2:1279");
});

test("the maps are of the newest ascent, and asked for anew where it stops or is forgotten", async () => {
  const kernel = mount();
  await page.getByText("Unit: conv2:5").click();
  await see(/^How they answer noise/);
  kernel.begin();
  kernel.frame(0, 4);
  await see(/^How they answer the picture of ascent 1 at step [04]/);
  kernel.begin(); // another one, of the same unit
  kernel.frame(0, 7);
  await see(/^How they answer the picture of ascent 2 at step [07]/);
  kernel.frame(8, 30);
  kernel.finish();
  await see(/^How they answer the picture of ascent 2 at step 30/);
  kernel.update("_panels", []);
  await see(/^How they answer noise/);
});

test("units without places are told apart by the range of their layer", async () => {
  mount({ objective: "fc:1" });
  await page.getByText("Unit: fc:1").click();
  await see("How they answer noise, from the least of the layer (black) to the largest (white).");
});

test("a few channels take as much room as they need, and many no part of a row", async () => {
  mount({ objective: "conv1:1" });
  root().style.width = "1100px";
  await page.getByText("Unit: conv1:1").click();
  const height = () => grid().getBoundingClientRect().height;
  await eventually(height).toBeLessThan(70); // 6 of them, a row
  await eventually(() => grid().scrollHeight - grid().clientHeight).toBeLessThanOrEqual(0);
  await page.getByRole("option", { name: "conv2 Conv2d, 16" }).click();
  await eventually(height).toBeGreaterThan(100);
  const bottom = () => grid().getBoundingClientRect().bottom;
  for (const row of grid().querySelectorAll("[role=row]"))
    if (row.getBoundingClientRect().top < bottom())
      expect(row.getBoundingClientRect().bottom).toBeLessThanOrEqual(bottom());
});

test("maps that cannot be had are not shown as those before", async () => {
  const kernel = mount();
  await page.getByText("Unit: conv2:5").click();
  await see(/^How they answer noise/);
  const canvas = () => grid().querySelector<HTMLCanvasElement>("canvas");
  await eventually(() => canvas()?.style.visibility).toBe("");
  kernel.answering = false;
  kernel.begin();
  await eventually(() => kernel.asked("maps").length).toBeGreaterThan(1);
  const { id } = kernel.asked("maps").at(-1) as { id: string };
  kernel.message({ kind: "reply", id, ok: false, error: "out of memory" });
  await see("out of memory");
  expect(canvas()?.style.visibility).toBe("hidden");
});

test("the popup leaves the picture in sight", async () => {
  const kernel = mount();
  root().style.width = "1100px";
  kernel.begin();
  kernel.frame(0, 4);
  await page.getByText("Unit: conv2:5").click();
  const popup = () => find(".cnnw-ga-subject [open] > div").getBoundingClientRect();
  await eventually(() => popup().width).toBeGreaterThan(200);
  const picture = find("article canvas").getBoundingClientRect();
  expect(popup().left).toBeGreaterThanOrEqual(picture.right);
});

test("what a neuron sees is marked, within the picture", async () => {
  const kernel = mount();
  kernel.begin([{ ...panel(0, "conv2:5:0:1"), field: [-2, 2, 4, 4] }]);
  kernel.frame(0, 4);
  await eventually(() => find(".cnnw-ga-seen")).toBeTruthy();
  const { top, left, height, width } = find(".cnnw-ga-seen").style; // of 8 × 8 pixels
  expect([top, left, height, width]).toEqual(["0%", "25%", "25%", "50%"]);
});

test("weights that were automatic are told", async () => {
  const kernel = mount({ compare: "tv" });
  const labels = ["TV 0", "TV 4 × automatic"];
  kernel.begin(labels.map((label, id) => ({ ...panel(id, label), smoothing: 4 * id })));
  kernel.turns = [{ step: 0, now: { tv: null }, labels: null }];
  kernel.frame(0, 10);
  await see("TV 4 × automatic = 0.4"); // 2 × (0.1 + 10 / 100)
  const slider = () => page.getByRole("slider", { name: "Total variation" }).element();
  await eventually(() => slider().getAttribute("aria-valuetext")).toBe("automatic (0.1)");
});

test("the weight that is automatic is that of the picture with once it", async () => {
  const kernel = mount({ compare: "tv" });
  const times = [0, 0.25, 1, 4];
  kernel.begin(times.map((x, id) => ({ ...panel(id, `TV ${x} × automatic`), smoothing: x })));
  kernel.turns = [{ step: 0, now: { tv: null }, labels: null }];
  kernel.frame(0, 10);
  await see("TV 1 × automatic = 0.6"); // 3 × (0.1 + 10 / 100)
  const slider = () => page.getByRole("slider", { name: "Total variation" }).element();
  await eventually(() => slider().getAttribute("aria-valuetext")).toBe("automatic (0.6)");
  await see(/^Automatic follows the gradient of each picture/);
  kernel.begin([panel(0, "conv2:5")]);
  kernel.frame(0, 10);
  await eventually(() => root().textContent).not.toContain("Automatic follows");
});

test("scores have a smoothed line over the raw one, gradient norms only theirs", async () => {
  const kernel = mount();
  kernel.begin();
  kernel.frame(0, 30);
  await eventually(() => root().querySelectorAll("svg path[data-raw]").length).toBe(3);
  expect(root().querySelectorAll("svg path[data-raw=true]").length).toBe(1);
});

test("of two classes, that one is the other’s opposite is said", async () => {
  const kernel = mount({ _classes: ["cat", "dog"], objective: "class:cat" });
  kernel.begin([panel(0, "class:cat")]);
  kernel.frame(0, 4);
  await see(/p\(dog\) = 1 − p\(cat\)/);
  kernel.update("_classes", ["cat", "dog", "cow"]);
  await eventually(() => root().textContent?.includes("1 − p(")).toBe(false);
  await button("Reset").click();
});
