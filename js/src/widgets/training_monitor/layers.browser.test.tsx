import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { mockRun } from "./mock_runs";
import {
  choose,
  eventually,
  find,
  mount,
  pixel,
  plots,
  pressAt,
  root,
  said,
  see,
  tab,
  texts,
} from "./mounting";

describe("histograms", () => {
  test("of two runs are on one scale, and names are text", async () => {
    mount();
    await tab("Distributions");
    await eventually(() => plots().length).toBe(4);
    const [first, one, second, other] = plots();
    await eventually(() => texts(first).length).toBeGreaterThan(6);
    expect(texts(second)).toEqual(texts(first));
    expect(texts(other)).toEqual(texts(one));
    await expect.element(page.getByRole("article", { name: "lr <b>0.5</b>" })).toBeVisible();
    await see(
      /^density of weights \(share in a bin \/ its width\); colour by.*; one scale for all runs/,
    );
    await see("not recorded");
    await choose("Axis", "logarithmic");
    await see(
      "density of weights (share per octave); colour by its square root; one scale for all runs",
    );
    expect(texts(plots()[1]).at(-2)).toBe("value of weights (logarithmic)");
  });

  test("are coloured by what was counted", async () => {
    mount({}, { runs: [mockRun("a")] });
    await tab("Distributions");
    await eventually(() => plots()[0]?.querySelector("canvas")?.width).toBeGreaterThan(300);
    await choose("Axis", "logarithmic");
    const [plot] = plots();
    await eventually(() => pixel(plot, 0.5, 0.01)).toEqual([68, 1, 84, 255]); // no such value
    const colors = Array.from({ length: 40 }, (_, i) => pixel(plot, 0.9, (i + 0.5) / 40).join());
    expect(new Set(colors).size).toBeGreaterThan(5);
    expect(colors.some((one) => /^2\d\d,2\d\d,/.test(one))).toBe(true); // nearly the most of all
  });

  test("a press goes to the step, arrow keys go on through steps and layers", async () => {
    const kernel = mount({}, { runs: [mockRun("a")] });
    await tab("Distributions");
    await eventually(() => plots()[0]?.querySelector("canvas")?.width).toBeGreaterThan(300);
    pressAt(plots()[0], 0.51, 0.5);
    await eventually(() => [kernel.get("step"), kernel.get("follow")]).toEqual([310, false]);
    plots()[0]?.focus();
    await userEvent.keyboard("{ArrowRight}");
    await eventually(() => kernel.get("step")).toBe(320);
    await userEvent.keyboard("{Shift>}{ArrowLeft}{/Shift}");
    await eventually(() => kernel.get("step")).toBe(220);
    await userEvent.keyboard("{End}");
    await eventually(() => kernel.get("step")).toBe(600);
    await userEvent.keyboard("{ArrowDown}{ArrowDown}");
    await eventually(() => kernel.get("layer")).toBe("block.<b>conv3</b>");
    expect(kernel.asked("history")).toHaveLength(1); // all of it without the kernel
  });

  test("tell step, bin and share under the pointer", async () => {
    mount({}, { runs: [mockRun("a")] });
    await tab("Distributions");
    await eventually(() => plots()[0]?.querySelector("canvas")?.width).toBeGreaterThan(300);
    await see(/^step 600: median about/);
    await choose("Axis", "logarithmic");
    pressAt(plots()[0], 0.51, 0.01, "pointermove");
    await see(/^step 300: 0 % of the values are \S+ … \S+$/);
  });

  test("are lines and bands, with the pinned step over the chosen one's bars", async () => {
    mount({ pinned: 60 }, { runs: [mockRun("a")] });
    await tab("Distributions");
    await see(/Dashed: the pinned step, 60/);
    await choose("View", "ridgeline");
    await eventually(() => document.querySelectorAll(".cnnw-tm-ridge").length).toBe(24);
    expect(find("path.cnnw-tm-step")).not.toBeNull();
    await choose("View", "distribution bands");
    await eventually(() => document.querySelectorAll("g.cnnw-tm-bands path").length).toBe(4);
    await tab("Layers");
    await tab("Distributions");
    await expect.element(page.getByRole("combobox", { name: "View" })).toHaveValue("bands");
  });

  test("bins are read with the arrow keys too", async () => {
    mount({ pinned: 60 }, { runs: [mockRun("a")] });
    await tab("Distributions");
    await eventually(() => plots().length).toBe(2);
    plots()[1]?.focus();
    await userEvent.keyboard("{ArrowRight}");
    await eventually(() => said().at(-1)).toMatch(/% of the values; at the pinned step .* %$/);
  });

  test("have their numbers as far as they are known", async () => {
    const { about } = mockRun("a");
    mount({}, { runs: [mockRun("a", { about: { ...about, model: "" } })] });
    await tab("Distributions");
    await see(/^mean −?0\.\d+$/);
    expect(find(".cnnw-tm-numbers").textContent).not.toMatch("not measured");
  });

  test("have a linear axis for weights, a logarithmic one for gradients, as long as none is chosen", async () => {
    const kernel = mount({}, { runs: [mockRun("a")] });
    await tab("Distributions");
    const axis = page.getByRole("combobox", { name: "Axis" });
    await expect.element(axis).toHaveValue("linear");
    kernel.set("quantity", "gradients");
    await expect.element(axis).toHaveValue("log");
    await choose("View", "distribution bands"); // about zero a logarithmic axis would make a zigzag
    await expect.element(axis).toHaveValue("linear");
  });

  test("between distant rows show that nothing was recorded, on the axis of the run", async () => {
    const rows = [1, 2, 3, 4, 5, 300];
    mount({ step: 200, follow: false }, { runs: [mockRun("a", { rows })] });
    await tab("Distributions");
    await eventually(() => plots()[0]?.querySelector("canvas")?.width).toBeGreaterThan(300);
    const [plot] = plots();
    await eventually(() => pixel(plot, 0.5, 0.5)[3] ?? 0).toBeGreaterThan(0);
    expect(pixel(plot, 0.25, 0.5)[3]).toBe(0);
    expect(texts(plot).slice(0, 6).join()).toContain("600"); // the curves go on
    pressAt(plot, 0.25, 0.5, "pointermove");
    await see(/^step 15\d: not recorded$/);
    await see("nearest to 200");
    expect(find(".cnnw-tm-far").textContent).toMatch("nearest to 200");
  });

  test("say what was not recorded, and what is no number", async () => {
    const kernel = mount({ quantity: "biases" }, { runs: [mockRun("a")] });
    await tab("Distributions");
    await see("There are no biases of conv1.");
    kernel.set("quantity", "gradients");
    await see(/^norm 0\./);
    expect(document.body.textContent).not.toContain("0 NaN");
    kernel.set("layer", "no such layer");
    await eventually(() => plots()[0]?.getAttribute("aria-label")).toMatch(/gradients of conv1,/);
  });
});

describe("layers", () => {
  const rows = () => [...document.querySelectorAll<HTMLElement>("[role=radio]")];

  test("are bars beside those of the other run, or of the pinned step", async () => {
    const kernel = mount();
    await tab("Layers");
    await eventually(() => rows().length).toBe(5);
    await see("lr <b>0.5</b>, step 600");
    expect(rows()[2]?.ariaLabel).toMatch(
      /^block\.<b>conv3<\/b>: \S+ \(lr 0\.05, step 600\), \S+ \(/,
    );
    expect(document.querySelectorAll(".cnnw-tm-other.cnnw-tm-bar")).toHaveLength(5);
    kernel.set("pinned", 60);
    await see("lr 0.05, pinned step 60");
    expect(document.querySelectorAll(".cnnw-tm-other.cnnw-tm-bar")).toHaveLength(0);
  });

  test("of each run are those of its own recorded step, and that is said", async () => {
    const runs = [mockRun("a", { rows: [1, 2, 12] }), mockRun("b", { bad: true, rows: [8, 100] })];
    mount({ step: 192, follow: false }, { runs });
    await tab("Layers");
    await eventually(() => rows().length).toBe(5);
    expect(rows()[0]?.ariaLabel).toMatch(
      / \(lr 0\.05, step 12\), \S+ \(lr <b>0\.5<\/b>, step 100\)$/,
    );
    const key = find(".cnnw-tm-key").textContent;
    expect(key).toMatch(/lr 0\.05, step 12 nearest to 192.*step 100 nearest to 192/);
    expect(document.querySelectorAll(".cnnw-tm-key .cnnw-tm-far")).toHaveLength(1); // 100 is as near as is usual
  });

  test("are chosen by a press or the arrow keys", async () => {
    const kernel = mount({}, { runs: [mockRun("a")] });
    await tab("Layers");
    await eventually(() => rows().length).toBe(5);
    rows()[3]?.click();
    await eventually(() => kernel.get("layer")).toBe("fc1");
    await eventually(() => rows().map(({ tabIndex }) => tabIndex)).toEqual([-1, -1, -1, 0, -1]);
    rows()[3]?.focus();
    await userEvent.keyboard("{ArrowUp}");
    await eventually(() => kernel.get("layer")).toBe("block.<b>conv3</b>");
    await eventually(() => document.activeElement).toBe(rows()[2]);
  });

  test("are scrolled to, with the axis below them", async () => {
    const names = Array.from({ length: 15 }, (_, i) => `features.stage${i}.conv`);
    const { about } = mockRun("a");
    const keys = names.map((name): [string, "gradients"] => [name, "gradients"]);
    const run = mockRun("a", { about: { ...about, layers: names, keys } });
    const kernel = mount({ layer: "features.stage0.conv" }, { runs: [run] });
    await tab("Layers");
    await eventually(() => rows().length).toBe(15);
    find(".cnnw-tm-layers").style.maxHeight = "150px";
    kernel.set("layer", "features.stage9.conv");
    const box = (element: Element) => element.getBoundingClientRect();
    const ticks = () => box(find(".cnnw-tm-ticks"));
    await eventually(() => box(rows()[9] as Element).bottom <= ticks().top + 1).toBe(true);
    expect(ticks().bottom).toBeLessThanOrEqual(box(find(".cnnw-tm-layers")).bottom);
  });

  test("have a healthy band of the update : weight ratio", async () => {
    mount({}, { runs: [mockRun("a")] });
    await tab("Layers");
    await choose("Statistic", "update : weight ratio");
    await see("common in healthy training: 1e−4 … 0.01");
    const [band, bar] = ["healthy", "bar"].map((name) =>
      find(`.cnnw-tm-track .cnnw-tm-${name}`).getBoundingClientRect(),
    ) as [DOMRect, DOMRect];
    expect(bar.right).toBeGreaterThan(band.left);
    expect(bar.right).toBeLessThan(band.right);
  });

  test("over the steps: a press goes to the step and the layer", async () => {
    const kernel = mount({}, { runs: [mockRun("a")] });
    await tab("Layers");
    await choose("Statistic", "dead units");
    await see("Layers over the steps: dead units");
    await eventually(() => plots()[0]?.querySelector("canvas")?.height).toBe(5);
    expect(pixel(plots()[0], 0.5, 0.5)).toEqual([70, 24, 97, 255]); // 5 % of the scale
    pressAt(plots()[0], 0.25, 0.7);
    await eventually(() => [kernel.get("step"), kernel.get("layer")]).toEqual([150, "fc1"]);
    await see("step 150, fc1: 5 %");
  });

  test("without such numbers it is said", async () => {
    const bare = mockRun("a");
    mount({}, { runs: [mockRun("a", { about: { ...bare.about, keys: [], layers: [] } })] });
    await tab("Layers");
    await see("No gradient norm recorded.");
  });
});

test.each([480, 1200])("nothing is wider than %d px", async (width) => {
  mount({ pinned: 60 }, { width });
  for (const name of ["Distributions", "Layers", "Snapshots"]) {
    await tab(name);
    await eventually(() => plots()[0]?.querySelector("canvas")?.width).toBeGreaterThan(100);
    expect(root().scrollWidth).toBeLessThanOrEqual(width);
    for (const canvas of document.querySelectorAll("canvas"))
      expect(canvas.getBoundingClientRect().right).toBeLessThanOrEqual(
        root().getBoundingClientRect().right,
      );
  }
});
