import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { made } from "./mock_kernel";
import {
  CAM,
  choose,
  colour,
  eventually,
  find,
  mount,
  point,
  root,
  SALIENCY,
  SMOOTH,
  see,
  tile,
  unmount,
} from "./mounting";

describe("maps", () => {
  test("of one pass are computed without asking, the others on demand", async () => {
    const kernel = mount({ compare: ["smoothgrad"] });
    expect(root().dataset.state).toBe("loading");
    await eventually(() => kernel.asked("run").map(({ args }) => args)).toEqual([
      { ids: [SALIENCY] },
    ]);
    kernel.finish(made("saliency"));
    await eventually(() => tile(SALIENCY).dataset.state).toBe("ready");
    expect(tile(SMOOTH).dataset.state).toBe("empty");
    await see("Maps to compute: 1; passes: 50");
    await see("Not computed yet: press Run.");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    expect(kernel.asked("run").at(-1)?.args).toEqual({});
    kernel.update("running", true);
    await see("Waiting");
    expect(document.activeElement?.textContent).toBe("Stop"); // the focus stays
    kernel.finish(made("saliency"), made("smoothgrad", { done: 50, total: 50 }));
    await see("All maps shown are computed.");
    expect(document.activeElement?.textContent).toBe("Run");
  });

  test("are read at the same pixel, exactly, with their unit", async () => {
    const kernel = mount({ compare: ["grad_cam"] });
    kernel.finish(made("saliency"), made("grad_cam"));
    await eventually(() => tile(CAM).dataset.state).toBe("ready");
    point(SALIENCY, 0, 2);
    await eventually(() => [tile(SALIENCY).dataset.value, tile(CAM).dataset.value]).toEqual([
      "5",
      "-5",
    ]);
    await see("row 0, column 2: 5 logit per input unit");
    await see("row 0, column 2: −5 weighted activation (logit)");
    point(SALIENCY, 3, 3);
    await see("row 3, column 3: not measured");
    expect(colour(CAM, 3, 3)).toEqual([100, 100, 100, 255]);
  });

  test("are coloured by channels, values, percentile and opacity without the kernel", async () => {
    const kernel = mount({ compare: ["grad_cam"] }, { manager: { replay: true } });
    kernel.finish(made("saliency"));
    await see("This page has no such map.");
    await eventually(() => tile(SALIENCY)?.dataset.high).toBe("8");
    const before = colour(SALIENCY, 0, 0);
    kernel.set("percentile", 50);
    await eventually(() => tile(SALIENCY).dataset.high).toBe("4");
    await see(/largest size \(no sign\); one colour for ≥ 4 up to 8$/);
    expect(colour(SALIENCY, 0, 0)).not.toEqual(before);
    kernel.set("overlay", 0);
    await eventually(() => colour(SALIENCY, 0, 0)).toEqual([100, 100, 100, 255]);
    await choose("Channels", "sum (signed)");
    await see(/^logit per input unit, channels: sum \(signed\)/);
    point(SALIENCY, 0, 0);
    await eventually(() => tile(SALIENCY).dataset.value).toBe("0"); // the channels cancel
    await choose("Values", "positive: for the class");
    await eventually(() => tile(SALIENCY).dataset.value).toBe("7");
    await see(/channels: sum \(signed\), positive part only/);
    await see("row 0, column 0: 7 logit per input unit, positive part only");
    await new Promise((done) => setTimeout(done, 300)); // what settles would be asked for by then
    expect(kernel.asked("run")).toEqual([]);
    await expect
      .element(page.getByRole("button", { name: "Run", exact: true }))
      .toHaveAttribute("aria-disabled", "true");
  });

  test("sharpen as they come in, stop, and are played afterwards", async () => {
    const kernel = mount({ method: "smoothgrad" });
    kernel.update("running", true);
    kernel.update("_maps", [made("smoothgrad", { active: true, done: 10, total: 50 })]);
    kernel.frame(SMOOTH, 1, 0.5);
    await see("Computing: 10 of 50 passes");
    point(SMOOTH, 0, 0);
    await eventually(() => tile(SMOOTH).dataset.value).toBe("3.5");
    await page.getByRole("button", { name: "Stop" }).click();
    expect(kernel.asked("stop")).toHaveLength(1);
    kernel.finish(made("smoothgrad", { done: 20, total: 50, version: 2 }));
    await see("Stopped after 20 of 50 passes");
    expect(kernel.asked("map").at(-1)?.args).toEqual({ id: SMOOTH, version: 2 });
    kernel.finish(made("smoothgrad", { done: 50, total: 50, version: 3, stages: 3 }));
    const scrubber = page.getByRole("slider", { name: "Passes" });
    await expect.element(scrubber).toHaveValue("2");
    await scrubber.fill("0");
    await eventually(() => Number(tile(SMOOTH).dataset.value)).toBeCloseTo(1.4, 5);
    expect(tile(SMOOTH).dataset.high).toBe("8"); // the range stays that of the whole
    await page.getByRole("button", { name: "Play" }).click();
    await eventually(() => tile(SMOOTH).dataset.value).toBe("7");
    await scrubber.fill("0");
    kernel.finish(made("smoothgrad", { done: 50, total: 50, version: 4 }));
    await eventually(() => tile(SMOOTH).dataset.value).toBe("7"); // a new map is shown whole
  });

  test("of other settings or weights are said to be old", async () => {
    const kernel = mount({ method: "smoothgrad" });
    kernel.finish(made("smoothgrad", { done: 50, total: 50 }));
    await eventually(() => tile(SMOOTH).dataset.state).toBe("ready");
    await page.getByRole("slider", { name: "Noise" }).fill("0.3");
    await see("Of other settings or weights: run it again.");
    await page.getByRole("slider", { name: "Noise" }).fill("0.15");
    await eventually(() => tile(SMOOTH).dataset.state).toBe("ready");
    kernel.update("_picture", { ...kernel.state._picture, key: 2 });
    await eventually(() => tile(SMOOTH).dataset.state).toBe("old");
  });

  test("that cannot be are explained in their place", async () => {
    const kernel = mount();
    kernel.finish(made("saliency", { error: "this network calls no ReLU", done: 0 }));
    await see("this network calls no ReLU");
    expect(tile(SALIENCY).dataset.state).toBe("error");
    await eventually(() => root().dataset.state).toBe("ready"); // and not asked again and again
    kernel.set("compare", ["grad_cam"]);
    kernel.finish(
      made("saliency", { error: "this network calls no ReLU", done: 0 }),
      made("grad_cam"),
    );
    await see("1 of 2 maps computed; 1 failed");
    const asked = kernel.asked("run").length;
    await page.getByRole("button", { name: "Run", exact: true }).click();
    expect(
      kernel
        .asked("run")
        .slice(asked)
        .map(({ args }) => args),
    ).toEqual([{}]);
  });
});

describe("side by side", () => {
  test("a difference is of signed values, however the classes are shown", async () => {
    const kernel = mount({ against: 1 });
    const cam = (target: number) => made("grad_cam", { target });
    kernel.set("method", "grad_cam");
    kernel.set("part", "absolute");
    kernel.finish(cam(0), cam(1));
    const difference = "grad_cam:0:trained − grad_cam:1:trained";
    await eventually(() => tile(difference)?.dataset.high).toBe("14");
    expect(tile(CAM).dataset.high).toBe("14"); // one range for the three
    point(CAM, 0, 0);
    await eventually(() => tile(CAM).dataset.value).toBe("7");
    await eventually(() => tile(difference).dataset.value).toBe("7"); // −7 − −14, not 7 − 14
    await see("cat − <b>dog</b>");
    kernel.set("method", "saliency");
    kernel.finish(made("saliency"), made("saliency", { target: 1 }));
    await see(/^logit per input unit: cat − <b>dog<\/b>, channels: sum \(signed\)/);
  });

  test("one range for all of a unit, on demand", async () => {
    const kernel = mount({ compare: ["smoothgrad", "grad_cam"] });
    kernel.finish(
      made("saliency"),
      made("smoothgrad", { done: 50, total: 50 }),
      made("grad_cam", { unit: "logit per input unit" }),
    );
    await see(/each map's own percentile/);
    await eventually(() => tile(CAM)?.dataset.high).toBe("7");
    kernel.set("scale", "unit");
    await eventually(() => tile(CAM).dataset.high).toBe("8");
    await see(/^One range for all maps of a unit/);
  });

  test("a random model's map states how like it is", async () => {
    const kernel = mount();
    await page.getByRole("button", { name: "Random weights" }).click();
    expect(kernel.get("randomised")).toBe(true);
    kernel.finish(made("saliency"), made("saliency", { randomised: true }));
    const random = () => tile("saliency:0:random")?.dataset;
    await eventually(() => Number(random()?.similarity)).toBeCloseTo(1);
    await see(/map: sizes 1, signed undefined \(a constant map\)\./);
    kernel.set("method", "grad_cam");
    kernel.finish(made("grad_cam"), made("grad_cam", { randomised: true }));
    await see(/^Spearman's rank correlation with the trained model's map: sizes 1, signed 1\./);
    kernel.set("part", "positive");
    kernel.set("reduction", "mean");
    await eventually(() => tile("grad_cam:0:random")?.dataset.signed).toBe("1");
    expect(Number(tile("grad_cam:0:random")?.dataset.similarity)).toBeCloseTo(1);
  });

  test("has a row for each method as soon as one has two maps", async () => {
    const kernel = mount({ compare: ["grad_cam"] });
    kernel.finish(made("saliency"), made("grad_cam"));
    const top = (id: string) => tile(id).getBoundingClientRect().top;
    await eventually(() => tile(CAM)?.dataset.state).toBe("ready");
    expect(top(CAM)).toBe(top("picture"));
    kernel.set("randomised", true);
    await eventually(() => tile("grad_cam:0:random")?.dataset.state).toBeDefined();
    expect(top(SALIENCY)).toBe(top("saliency:0:random"));
    expect(top(CAM)).toBe(top("grad_cam:0:random"));
    expect(top(CAM)).toBeGreaterThan(top(SALIENCY));
    const left = (id: string) => tile(id).getBoundingClientRect().left;
    expect(left(CAM)).toBe(left(SALIENCY));
    root().parentElement?.style.setProperty("width", "1100px");
    kernel.set("against", 1); // four maps of a method still share a row
    const four = ["0:trained", "1:trained", "0:trained − saliency:1:trained", "0:random"];
    await eventually(() => new Set(four.map((one) => top(`saliency:${one}`))).size).toBe(1);
  });

  test("a page without a kernel offers only what was computed", async () => {
    const kernel = mount({}, { manager: { replay: true } });
    kernel.finish(made("saliency"), made("grad_cam", { target: 1 }));
    await see("No kernel here: what was computed can be looked at.");
    const options = [...find<HTMLSelectElement>("select").options];
    expect(options.map(({ disabled }) => disabled)).toEqual([false, true, false]);
    await expect.element(page.getByRole("button", { name: "Random weights" })).toBeDisabled();
    await page.getByText("Compare with: none").click();
    await expect.element(page.getByRole("checkbox", { name: "SmoothGrad" })).toBeDisabled();
    await userEvent.keyboard("{Escape}");
    await page.getByText("Class: cat").click();
    expect(document.querySelectorAll("details[open] [role=option]")).toHaveLength(2);
  });

  test("a class is not compared with itself; keys are told", async () => {
    mount();
    await page.getByText("Why not: –").click();
    const offered = [...document.querySelectorAll("details[open] [role=option]")];
    expect(offered.map((one) => one.textContent?.trim())).toEqual(
      expect.not.arrayContaining([expect.stringContaining("cat")]),
    );
    expect(offered).toHaveLength(3);
    await see(/^Keys on a map: arrows/);
  });

  test("occlusion has a fill of its own, and measures are called what they are", async () => {
    const words = { probability: "probability", logit: "output (a probability already)" };
    const method = { label: "Occlusion", about: "drop", at_once: false, key: "occlusion" };
    const kernel = mount({
      ...{ method: "occlusion", _words: words },
      _methods: [{ ...method, settings: ["window", "stride", "fill"] }],
    });
    await choose("Fill (occlusion)", "black");
    expect(kernel.get("fill")).toBe("black");
    await choose("Score", "probability");
    await choose("Score", "output (a probability already)");
    expect(kernel.get("measure")).toBe("logit");
  });

  test("methods and classes are chosen by search and by keys; names are text", async () => {
    const kernel = mount();
    await page.getByText("Compare with: none").click();
    await page.getByRole("checkbox", { name: "Grad-CAM" }).click();
    expect(kernel.get("compare")).toEqual(["grad_cam"]);
    await userEvent.keyboard("{Escape}");
    await page.getByText("Class: cat").click();
    await page.getByRole("searchbox", { name: "Search classes" }).fill("DOG");
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("target")).toBe(1);
    await see("Class: <b>dog</b>");
    expect(root().querySelector("b")).toBeNull();
  });

  test("arrow keys read pixels", async () => {
    const kernel = mount();
    kernel.finish(made("saliency"));
    await eventually(() => tile(SALIENCY).dataset.state).toBe("ready");
    (tile(SALIENCY).querySelector("[role=application]") as HTMLElement).focus();
    await userEvent.keyboard("{ArrowRight}");
    await see(/^row 2, column 2: /);
    await userEvent.keyboard("{ArrowUp}{ArrowLeft}");
    await see(/^row 1, column 1: 2 logit/);
    await userEvent.keyboard("{Shift>}{ArrowDown}{/Shift}");
    await see(/^row 3, column 1: /);
  });
});

describe("the whole", () => {
  test.each([480, 1000, 1100])(
    "fits into %i px, has no ids, and only classes of its own",
    async (width) => {
      const kernel = mount({ compare: ["smoothgrad", "grad_cam"], randomised: true }, { width });
      kernel.finish(made("saliency"), made("grad_cam"), made("smoothgrad", { stages: 3 }));
      await eventually(() => tile(CAM).dataset.state).toBe("ready");
      expect(root().scrollWidth).toBeLessThanOrEqual(width);
      kernel.set("against", 1);
      await eventually(() => document.querySelectorAll("article")).toHaveLength(13);
      await eventually(() => document.querySelector("article [type=range]")).not.toBeNull();
      for (const one of document.querySelectorAll("article, .cnnw-player"))
        expect(one.scrollWidth).toBeLessThanOrEqual(one.clientWidth);
      expect(root().querySelectorAll("[id]")).toHaveLength(0);
      const classes = [...root().querySelectorAll("[class]")].flatMap((one) => [...one.classList]);
      expect(classes.filter((name) => !name.startsWith("cnnw-"))).toEqual([]);
    },
  );

  test("says that the kernel is gone, and what was seen still works", async () => {
    const kernel = mount();
    kernel.finish(made("saliency"));
    await eventually(() => tile(SALIENCY).dataset.state).toBe("ready");
    kernel.fire("comm:close");
    await see(/^The kernel was restarted/);
    expect(root().dataset.state).toBe("gone");
    kernel.set("percentile", 50);
    await eventually(() => tile(SALIENCY).dataset.high).toBe("4");
  });

  test("leaves nothing behind", () => {
    const kernel = mount();
    expect(kernel.listeners).toBeGreaterThan(0);
    unmount();
    expect(kernel.listeners).toBe(0);
  });
});
