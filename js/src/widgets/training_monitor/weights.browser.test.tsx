import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { colors } from "../../shared/color";
import { weightAt } from "./mock_kernel";
import { mockRun, noise } from "./mock_runs";
import {
  choose,
  eventually,
  find,
  mount,
  pixel,
  plots,
  pressAt,
  root,
  see,
  tab,
  texts,
  timeline,
} from "./mounting";

const open = async (traits: object = {}, given: Parameters<typeof mount>[1] = {}) => {
  const kernel = mount({ step: 130, follow: false, ...traits }, given);
  await tab("Distributions");
  await choose("View", "heat map of weights");
  return kernel;
};
const drawn = () =>
  eventually(() => document.querySelectorAll(".cnnw-tm-above line.cnnw-tm-step").length).toBe(2);
const said = () =>
  [...document.querySelectorAll(".cnnw-tm-above output")].map(({ textContent }) => textContent);
const legend = () => find(".cnnw-legend").ariaLabel;

describe("weights over the steps", () => {
  test("are a row each, of both runs above one another on one scale", async () => {
    await open();
    await drawn();
    await eventually(() => plots().length).toBe(2);
    const [above, below] = plots().map((plot) => plot.getBoundingClientRect());
    expect(above?.left).toBe(below?.left);
    expect(below?.top).toBeGreaterThan(above?.bottom ?? 0);
    await eventually(legend).toBe(
      "weight; one scale for all steps and runs: colours from −0.5 to 0.5",
    );
    await see("200 of 600 weights, evenly spread, at 10 snapshots.");
    expect(texts(plots()[0])).toContain("filter 7");
    expect(plots()[0]?.ariaLabel).toBe("weights of conv1 over 10 snapshots, run lr 0.05");
  });

  test("have the colours of their values, in both runs", async () => {
    await open();
    await drawn();
    const table = colors("weights");
    for (const [run, large] of [1, 2].entries())
      for (const row of [3, 120, 199]) {
        const value = large * weightAt(3 * row, 310);
        const packed = table[Math.round((value + 0.5) * 255)] as number;
        const steps = (312 - 1) / 599; // the curves begin at step 1
        await eventually(() => pixel(plots()[run], steps, (row + 0.5) / 200)).toEqual(
          [0, 8, 16, 24].map((shift) => (packed >>> shift) & 255),
        );
      }
  });

  test("are read by keys: up and down lead through the weights, the others through the steps", async () => {
    await open({ layer: "fc2" });
    await drawn();
    plots()[0]?.focus();
    await userEvent.keyboard("{ArrowDown}{Shift>}{ArrowDown}{/Shift}");
    const place = 11;
    const shown = Number(weightAt(place, 130).toPrecision(3));
    await eventually(() => said()[0]?.replace("−", "-")).toBe(
      `step 130, unit 1, input 3: ${shown}`,
    );
    await userEvent.keyboard("{ArrowRight}");
    await eventually(() => timeline().dataset.step).toBe("190"); // of the next snapshot
    await userEvent.keyboard("{Shift>}{ArrowUp}{ArrowUp}{/Shift}");
    await eventually(() => said()[0]).toMatch(/^step 190, unit 0, input 0: /);
    await userEvent.keyboard("{Home}{ArrowRight}{ArrowRight}{ArrowLeft}");
    await eventually(() => timeline().dataset.step).toBe("70");
    await see("not recorded: snapshots are taken as often as makes training at most 3 % longer");
  });

  test("the row that is read is pointed at where rows are thin, else framed", async () => {
    const kernel = await open();
    await drawn();
    const marked = () =>
      (document.querySelector(".cnnw-tm-chosen") as SVGGraphicsElement).getBBox();
    const picture = plots()[0]?.querySelector("canvas")?.clientWidth ?? 0;
    expect(marked()).toMatchObject({ width: 9, height: 9 });
    kernel.set("layer", "fc2");
    await eventually(() => marked().width).toBeGreaterThan(picture - 100);
  });

  test("one alone is not all of them", async () => {
    const { about } = mockRun("a");
    const snapshots = { ...about.snapshots, shapes: { conv1: [1, 1, 1, 3] } };
    await open({}, { runs: [mockRun("a", { about: { ...about, snapshots } })] });
    await choose("Rows", "filter norms");
    await see("the one filter norm, at 10 snapshots.");
  });

  test("are read at the pointer, and chosen by a press", async () => {
    await open();
    await drawn();
    pressAt(plots()[1], (340 - 1) / 599, 120.5 / 200, "pointermove");
    const text = Number((2 * weightAt(360, 310)).toPrecision(3));
    await eventually(() => said()[1]?.replace("−", "-")).toBe(
      `step 310, filter 4, input 2, row 2, column 0: ${text}`,
    );
    pressAt(plots()[1], (340 - 1) / 599, 120.5 / 200);
    await eventually(() => timeline().dataset.step).toBe("310");
    await eventually(() => said()[0]).toMatch(/^step 310, filter 4, input 2, row 2, column 0: /);
  });

  test("differ from the pinned step", async () => {
    const kernel = await open({ layer: "fc2" });
    await drawn();
    await expect.element(page.getByRole("checkbox")).toBeDisabled();
    kernel.set("pinned", 72);
    await page.getByRole("checkbox").click();
    await eventually(legend).toMatch(/^difference from step 70: weight; one scale/); // the nearest snapshot
    const change = 0.0003 * 60 * noise(0, 1);
    await eventually(() => said()[0]).toBe(
      `step 130, unit 0, input 0: ${change > 0 ? "+" : "−"}${Math.abs(Number(change.toPrecision(3)))}`,
    );
  });

  test("or the norms of filters", async () => {
    await open();
    await choose("Rows", "filter norms");
    await see("all 8 filter norms, at 10 snapshots.");
    await eventually(legend).toMatch(/^norm of the weights of a filter; .*colours from 0 to /);
    expect(said()[0]).toMatch(/^step 130, filter 0: 0\.0/);
  });

  test("stay when the kernel has gone, also if they were not looked at before", async () => {
    const kernel = mount({ step: 130, follow: false });
    await eventually(() => kernel.asked("weights").length).toBe(2);
    await new Promise((done) => setTimeout(done, 50));
    kernel.kernel.statusChanged.emit("dead");
    await tab("Distributions");
    await choose("View", "heat map of weights");
    await drawn();
    kernel.set("layer", "conv2");
    await eventually(() => root().textContent).toMatch(/Not fetched before/);
  });

  test("come one by one while it trains", async () => {
    const { about } = mockRun("a");
    const run = mockRun("a", { about: { ...about, live: true } });
    const kernel = await open({}, { runs: [run] });
    await see("200 of 600 weights, evenly spread, at 10 snapshots.");
    const snapshots = { ...about.snapshots, steps: [...about.snapshots.steps, 601] };
    kernel.tell("a", { snapshots });
    Object.assign(run.about, { snapshots });
    await see("200 of 600 weights, evenly spread, at 11 snapshots.");
    expect(kernel.asked("weights").map(({ args }) => args.after)).toEqual([-1, 550]);
  });

  test("of a layer that has none, or of a run without snapshots, are missing for a reason", async () => {
    const { about } = mockRun("a");
    const shapes = { conv1: [8, 3, 5, 5] };
    const snapshots = { ...about.snapshots, shapes, kind: "filters" as const };
    const none = mockRun("b", {
      bad: true,
      about: { ...about, id: "b", name: "none", snapshots: { steps: [], kind: null } },
    });
    const kernel = await open(
      {},
      { runs: [mockRun("a", { about: { ...about, snapshots } }), none] },
    );
    await see("This run has no snapshots, which the weights are of.");
    const option = page.getByRole("option", { name: "fc1 (no weights held)" });
    await expect.element(option).toBeDisabled();
    kernel.set("layer", "fc1");
    await see(/^The snapshots hold filters of convolutions alone/);
    expect(kernel.asked("weights")).toHaveLength(1);
  });
});
