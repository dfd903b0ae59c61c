import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { pair } from "./mock_kernel";
import { type MockRun, mockRun } from "./mock_runs";
import {
  BLUE,
  button,
  chart,
  eventually,
  find,
  mount,
  painted,
  press,
  ready,
  root,
  see,
  slide,
  slider,
  timeline,
  unmount,
} from "./mounting";

describe("the scrub bar", () => {
  test("goes to every recorded step, and stays there", async () => {
    const kernel = mount();
    await ready();
    expect(timeline().dataset).toMatchObject({ step: "600", stops: "60" });
    await eventually(() => find(".cnnw-tm-stops svg").dataset.snapshots).toBe("10");
    slide("Recorded step", 50);
    await eventually(() => timeline().dataset.step).toBe("50");
    await button("One step on").click();
    await button("One step on").click();
    await button("One step back").click();
    expect(timeline().dataset.step).toBe("60");
    expect(kernel.get("follow")).toBe(false);
    expect(kernel.get("step")).toBe(60);
    await button("Follow").click();
    await eventually(() => timeline().dataset.step).toBe("600");
    await button("Follow").click();
    expect([kernel.get("follow"), kernel.get("step")]).toEqual([false, 600]);
  });

  test("runs evenly over all steps, also where no layers were recorded", async () => {
    const rows = [1, 2, 3, 300];
    const about = { findings: pair()[1]?.about.findings } as never;
    mount({}, { runs: [mockRun("a", { rows, about })] });
    await ready();
    expect(timeline().dataset).toMatchObject({ step: "600", stops: "4" });
    slide("Recorded step", 137);
    await eventually(() => timeline().dataset.step).toBe("137");
    const mark = find(".cnnw-tm-stops [data-severity]");
    expect(Number.parseFloat(mark.style.left)).toBeCloseTo((100 * 59) / 599, 2);
    const bar = find(".cnnw-tm-stops").getBoundingClientRect();
    const ticks = find(".cnnw-tm-stops path:last-child").getAttribute("d");
    expect(ticks).toContain(`M${((bar.width * 299) / 599).toFixed()} `);
    slider("Recorded step").focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(timeline().dataset.step).toBe("300");
    await userEvent.keyboard("{ArrowRight}"); // nothing was recorded after that
    expect(timeline().dataset.step).toBe("300");
    expect(button("One step on").element()).toHaveProperty("disabled", true);
    await userEvent.keyboard("{ArrowUp}{ArrowLeft}{ArrowLeft}");
    expect(timeline().dataset.step).toBe("3");
    await userEvent.keyboard("{Home}");
    expect(timeline().dataset.step).toBe("1");
  });

  test("plays at an even pace, whatever was recorded", async () => {
    mount({ follow: false, step: 1 }, { runs: [mockRun("a", { rows: [1, 2, 3, 600] })] });
    await ready();
    const seen = new Set<number>();
    await button("Play").click();
    await eventually(() => seen.add(Number(timeline().dataset.step)).size).toBeGreaterThan(4);
    await button("Pause").click();
    const steps = [...seen];
    expect(steps.every((step, i) => i === 0 || step > (steps[i - 1] as number))).toBe(true);
    expect(steps.at(-1)).toBeLessThan(600);
  });

  test("plays", async () => {
    mount({ follow: false, step: 10 });
    await ready();
    await button("Play").click();
    await eventually(() => Number(timeline().dataset.step)).toBeGreaterThan(20);
    await button("Pause").click();
  });

  test("pins a step to compare with", async () => {
    const kernel = mount({ follow: false, step: 200 });
    await ready();
    await button("Pin").click();
    expect(kernel.get("pinned")).toBe(200);
    await button("One step on").click();
    expect(chart("loss").querySelectorAll('[data-kind="pinned"]')).toHaveLength(1);
    await button("Pinned: 200").click();
    expect(kernel.get("pinned")).toBeNull();
    expect(chart("loss").querySelectorAll('[data-kind="pinned"]')).toHaveLength(0);
  });

  test("has the loss of the chosen run along it", async () => {
    const rows = [10, 20, 50];
    const points = rows.map((step, i) => [step, [4, 0, 2][i], step] as [number, number, number]);
    mount(
      { follow: false, step: 10 },
      { runs: [mockRun("a", { rows, curves: [{ name: "loss", points }] })] },
    );
    await ready();
    const path = find(".cnnw-tm-trail").getAttribute("d") ?? "";
    const [a, b, c] = path
      .slice(1)
      .split("L")
      .map((point) => point.split(" ").map(Number));
    expect([a?.[0], b?.[1]]).toEqual([0, 20]);
    expect((c?.[0] as number) / 4).toBeCloseTo(b?.[0] as number, 0);
    expect(c?.[1]).toBeGreaterThan(a?.[1] as number);
  });

  test("has the ticks where its thumb will be", async () => {
    mount({ follow: false, step: 10 }, { runs: [mockRun("a", { rows: [10, 20, 30] })] });
    await ready();
    const input = slider("Recorded step").getBoundingClientRect();
    const ticks = find(".cnnw-tm-stops").getBoundingClientRect();
    expect(Math.abs(ticks.left - input.left - 8)).toBeLessThan(1);
    expect(Math.abs(input.right - ticks.right - 8)).toBeLessThan(1);
    expect(ticks.top).toBeGreaterThan(input.top + input.height / 2);
  });
});

describe("findings", () => {
  test("explain themselves, in the list and on the curves, and lead there", async () => {
    const kernel = mount();
    await ready();
    const mark = chart("loss").querySelector<HTMLElement>("[data-severity]");
    expect(mark?.title).toBe(
      "Error: dead units, step 60, conv2 (dead 0.94). 94% of the units give nothing on any picture of the last batches.",
    );
    mark?.click();
    await eventually(() => timeline().dataset.step).toBe("60");
    expect(kernel.saves.at(-1)).toMatchObject({ run: 1, layer: "conv2", step: 60 });
    const first = page
      .getByRole("status")
      .getByRole("button", { name: "lr <b>0.5</b>: dead units" });
    await button("Follow").click();
    await first.click();
    expect(timeline().dataset.step).toBe("60");
    await page.getByRole("tab", { name: "Findings (1)" }).click();
    await see("94% of the units give nothing on any picture of the last batches.");
    await button("Follow").click();
    await button("Error: dead units").click();
    expect(timeline().dataset.step).toBe("60");
  });

  test("can be none", async () => {
    mount({}, { runs: [mockRun("a")] });
    await ready();
    await page.getByRole("tab", { name: "Findings" }).click();
    await see("Nothing wrong was found so far.");
  });
});

describe("whatever happens", () => {
  test("what is held keeps working without a kernel", async () => {
    const kernel = mount();
    await ready();
    kernel.kernel.statusChanged.emit("dead");
    await see(/The kernel was restarted or shut down/);
    expect(root().dataset.state).toBe("gone");
    slide("Recorded step", 10);
    await eventually(() => timeline().dataset.step).toBe("10");
    slide("Smoothing", 0);
    await eventually(() => painted("loss", BLUE)).toBeGreaterThan(50);
  });

  test("it works in an exported page", async () => {
    mount({}, { manager: { replay: true } });
    await eventually(() => root().dataset.state).toBe("replay");
    await eventually(() => timeline()?.dataset.step).toBe("600");
    press("loss", 0);
    await eventually(() => timeline().dataset.step).toBe("1");
  });

  test.each([480, 610])("it fits into %i pixels", async (width) => {
    const runs = pair();
    const [good] = runs as [MockRun, MockRun];
    Object.assign(good.about, { live: true, controllable: true, name: "n".repeat(200) });
    mount({}, { runs, width });
    await eventually(() => root()?.dataset.state).toBe("training");
    await eventually(() => chart("loss").querySelector("canvas")).not.toBeNull();
    expect(slider("Recorded step").clientWidth).toBeGreaterThan(150); // to drag in
    const right = root().getBoundingClientRect().right;
    for (const element of root().querySelectorAll("canvas, svg, button, input, select"))
      expect(element.getBoundingClientRect().right).toBeLessThanOrEqual(right);
  });

  test("it leaves nothing behind", async () => {
    const kernel = mount();
    await ready();
    unmount();
    expect(kernel.listeners).toBe(0);
  });
});
