import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { MockKernel, pair } from "./mock_kernel";
import { type MockRun, mockRun } from "./mock_runs";
import {
  area,
  drag,
  eventually,
  find,
  hover,
  mount,
  press,
  root,
  see,
  unmount,
  value,
} from "./mounting";

const timeline = () => find(".cnnw-tm-timeline");
const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
const slider = (name: string) => page.getByRole("slider", { name }).element() as HTMLInputElement;
const ready = () => eventually(() => root().dataset.state).toBe("ready");
const chart = (title: string) => find(`[data-title="${title}"]`);

function slide(name: string, to: number): void {
  const input = slider(name);
  input.value = String(to);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Pixels of a colour on a chart. */
function painted(title: string, [red, green, blue]: readonly number[]): number {
  const canvas = chart(title).querySelector("canvas") as HTMLCanvasElement;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue && data[i + 3] === 255)
      count++;
  return count;
}
const BLUE = [0x00, 0x72, 0xb2];
const ORANGE = [0xd5, 0x5e, 0x00];

describe("runs", () => {
  test("are a legend that says how each goes, and shows or hides it", async () => {
    const runs = pair();
    const [good] = runs as [MockRun, MockRun];
    Object.assign(good.about, { live: true, total: 2000 });
    mount({}, { runs });
    await eventually(() => root().dataset.state).toBe("training");
    await see("step 600 of 2,000");
    await see("6,400 samples/s");
    await see("28 s left");
    expect(root().getAttribute("aria-label")).toBe("Training monitor: lr 0.05, lr <b>0.5</b>");
    await see("lr <b>0.5</b>"); // text, not HTML
    expect(painted("loss", ORANGE)).toBeGreaterThan(50);
    await button("Show lr <b>0.5</b>").click();
    await eventually(() => painted("loss", ORANGE)).toBe(0);
    expect(painted("loss", BLUE)).toBeGreaterThan(50);
    expect(button("Show lr <b>0.5</b>").element().getAttribute("aria-pressed")).toBe("false");
  });

  test("can be paused, resumed, stopped, and given another learning rate", async () => {
    const runs = [mockRun("a", { about: { live: true, controllable: true } as never })];
    const kernel = mount({}, { runs });
    await button("Pause").click();
    kernel.tell("a", { paused: true });
    await button("Resume").click();
    await button("Stop").click();
    const field = page.getByRole("textbox", { name: "Learning rate" });
    await field.fill("fast");
    await see("a number above 0, such as 0.01");
    expect(button("Apply").element()).toHaveProperty("disabled", true);
    await field.fill("0,01");
    await userEvent.keyboard("{Enter}");
    await eventually(() => kernel.asked("control").map(({ args }) => args)).toEqual([
      { run: "a", action: "pause" },
      { run: "a", action: "resume" },
      { run: "a", action: "stop" },
      { run: "a", action: "rate", value: 0.01 },
    ]);
    kernel.tell("a", { pending_rate: 0.01 });
    await see("from the next step");
    expect(field.element()).toHaveProperty("value", "0.01");
    kernel.tell("a", { pending_rate: null, rate: 0.01 });
    await eventually(() => find(".cnnw-tm-rate small")).toBeNull();
    kernel.kernel.statusChanged.emit("dead");
    await eventually(() => button("Resume").element()).toHaveProperty("disabled", true);
    expect(find('[data-run="a"]').dataset.state).toBe("no news");
  });

  test("have their buttons before the numbers, which grow", async () => {
    const about = { live: true, controllable: true } as never;
    mount({}, { runs: [mockRun("a", { about })] });
    await eventually(() => find(".cnnw-tm-going")).not.toBeNull();
    const stop = button("Stop").element().getBoundingClientRect();
    expect(stop.right).toBeLessThan(find(".cnnw-tm-going").getBoundingClientRect().left);
  });

  test("keep their order, whichever is chosen", async () => {
    mount({ run: 1 });
    await ready();
    await page.getByRole("tab", { name: "Layers" }).click();
    const names = () => [...document.querySelectorAll("article")].map((one) => one.ariaLabel);
    await eventually(names).toEqual(["lr 0.05", "lr <b>0.5</b>"]);
  });

  test("say when they cannot be controlled", async () => {
    class Refusing extends MockKernel {
      override reply(request: Record<string, unknown>, ...rest: never[]) {
        if (request.name !== "control") super.reply(request, ...rest);
        else this.message({ kind: "reply", id: request.id, ok: false, error: "It has ended." });
      }
    }
    const runs = [mockRun("a", { about: { live: true, controllable: true } as never })];
    mount({}, { runs, make: (...all) => new Refusing(...all) });
    await button("Stop").click();
    await see("It has ended.");
    await button("Dismiss").click();
    await eventually(() => find(".cnnw-error")).toBeNull();
  });

  test("say what is wrong with them, and what the recorder has to say", async () => {
    const about = { error: "disk full", notes: ["no <i>loss</i> was found"] } as never;
    mount({ _error: "The stream has ended." }, { runs: [mockRun("a", { about })] });
    await see("lr 0.05: disk full");
    await see("lr 0.05: no <i>loss</i> was found");
    await see("The stream has ended.");
    expect(find('[data-run="a"]').dataset.state).toBe("failed");
  });
});

describe("before there is anything", () => {
  test("it says what to do", async () => {
    const kernel = mount(
      {},
      { runs: [mockRun("a", { curves: [], rows: [], about: { live: true } as never })] },
    );
    await eventually(() => root().dataset.state).toBe("empty");
    expect(find('[data-run="a"]').dataset.state).toBe("waiting");
    await see(/No step yet:.*run your training loop/);
    kernel.train(kernel.recorded[0] as MockRun, [], [3]);
    await eventually(() => timeline()?.dataset.step).toBe("3");
  });

  test("it says that it is loading, and why it cannot", async () => {
    class Slow extends MockKernel {
      override reply() {}
    }
    const kernel = mount({}, { make: (runs, traits) => new Slow(runs, traits) });
    await see("Loading what was recorded …");
    const [request] = kernel.asked("history");
    kernel.message({ kind: "reply", id: request?.id, ok: false, error: "The directory is gone." });
    await see("The directory is gone.");
  });
});

describe("curves", () => {
  test("of training and validation are drawn together, in the colours of the runs", async () => {
    mount();
    await ready();
    const titles = [...document.querySelectorAll<HTMLElement>(".cnnw-tm-chart")].map(
      ({ dataset }) => dataset.title,
    );
    expect(titles).toEqual([
      ...["loss", "accuracy", "learning rate", "gradient norm", "samples per second"],
    ]);
    for (const title of titles) expect(painted(title as string, ORANGE)).toBeGreaterThan(50);
    expect(chart("loss").querySelectorAll("li")).toHaveLength(4);
    const dashes = [...chart("loss").querySelectorAll("li path")].map((path) =>
      path.getAttribute("stroke-dasharray"),
    );
    expect(dashes).toEqual(["", "6 4", "", "6 4"]);
  });

  test("grow as news come, on the same canvas", async () => {
    const kernel = mount({ smoothing: 0 });
    await ready();
    const canvas = chart("loss").querySelector("canvas");
    const run = kernel.recorded[0] as MockRun;
    kernel.train(run, [{ name: "loss", points: [[1200, 1.25, 24]] }], [1190]);
    await eventually(() => value("loss", "a", "loss")).toBe("1.25");
    expect(chart("loss").dataset.to).toBe("1200");
    expect(chart("loss").querySelector("canvas")).toBe(canvas);
    expect(timeline().dataset).toMatchObject({ step: "1200", stops: "61" });
  });

  test("say the values of all lines under the pointer, else those at the step", async () => {
    const kernel = mount({ follow: false, step: 100, smoothing: 0 });
    await ready();
    const loss = (step: number) => kernel.recorded[0]?.curves[0]?.points[step - 1]?.[1] as number;
    expect(value("loss", "a", "loss")).toBe(String(Number(loss(100).toPrecision(4))));
    hover("accuracy", 329 / 599);
    await eventually(() => value("loss", "a", "loss")).toBe(
      String(Number(loss(330).toPrecision(4))),
    );
    expect(chart("samples per second").querySelector("li")?.textContent).toContain("samples/s");
    await see("at step 300"); // the nearest point of validation
    expect(find('[data-kind="hover"]').style.left).toMatch(/^54\.9/);
    area("accuracy").dispatchEvent(new PointerEvent("pointerleave"));
    await eventually(() => find('[data-kind="hover"]')).toBeNull();
  });

  test("are clicked to go to a step", async () => {
    const kernel = mount();
    await ready();
    press("loss", 0.5);
    await eventually(() => timeline().dataset.step).toBe("300");
    expect(kernel.saves.at(-1)).toEqual({ step: 300, follow: false });
  });

  test("are zoomed by dragging and by keys, all together", async () => {
    mount({ follow: false, step: 300 });
    await ready();
    expect(button("Reset zoom").element()).toHaveProperty(
      "title",
      expect.stringMatching(/\+ and −/),
    );
    drag("loss", 0.25, 0.75);
    await eventually(() => Number(chart("accuracy").dataset.from)).toBeCloseTo(150.75, 0);
    expect(timeline().dataset.step).toBe("300"); // that was no click
    press("loss", 0.9);
    press("loss", 0.9);
    area("loss").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    await eventually(() => chart("loss").dataset.from).toBe("1");
    expect(timeline().dataset.step).toBe("300"); // the clicks of a double click are none
    area("loss").focus();
    await userEvent.keyboard("+");
    await eventually(() => Number(chart("loss").dataset.from)).toBeCloseTo(150.25, 0);
    await userEvent.keyboard("{ArrowRight}{Escape}");
    await eventually(() => chart("loss").dataset.from).toBe("1");
    expect(timeline().dataset.step).toBe("310");
    await userEvent.keyboard("+");
    await button("Reset zoom").click();
    await eventually(() => chart("loss").dataset.to).toBe("600");
  });

  test("are smoothed, with what was measured faint behind", async () => {
    const kernel = mount({ smoothing: 0 });
    await ready();
    const whole = painted("gradient norm", BLUE);
    slide("Smoothing", 0.9);
    await eventually(() => painted("gradient norm", BLUE)).toBeLessThan(whole / 2);
    expect(kernel.saves.at(-1)).toEqual({ smoothing: 0.9 });
    expect(chart("gradient norm").textContent).toContain("smoothed");
    expect(chart("learning rate").textContent).not.toContain("smoothed");
  });

  test("leave out of a log axis what has no place there, and NaN anywhere, and say so", async () => {
    const points = [1, 0, -2, Number.NaN, 8, 10].map(
      (y, i) => [i, y, i] as [number, number, number],
    );
    mount({ smoothing: 0 }, { runs: [mockRun("a", { curves: [{ name: "score", points }] })] });
    await see("1 value is NaN or infinite: a gap");
    await page.getByLabelText("Log axis").click();
    await see("1 value is NaN or infinite: a gap; 2 values are ≤ 0: left out of the log axis");
    expect([chart("score").dataset.low, chart("score").dataset.high]).toEqual(["1", "10"]);
  });

  test("run over steps, epochs or time", async () => {
    const runs = [mockRun("a"), mockRun("b", { curves: [{ name: "loss", points: [[1, 2, 3]] }] })];
    mount({ follow: false, step: 300 }, { runs });
    await ready();
    await page.getByLabelText("Over").selectOptions("epoch");
    await eventually(() => chart("loss").dataset.to).toBe("6");
    await see(/Not drawn, because no curve “epoch” was logged: lr 0.05/);
    await see("epoch 3");
    await page.getByLabelText("Over").selectOptions("time");
    await eventually(() => chart("loss").dataset.to).toBe("12");
    press("loss", 299 / 599);
    await eventually(() => timeline().dataset.step).toBe("300");
  });
});

describe("a chart", () => {
  test("has its step line and its marks whole at both ends", async () => {
    const [, bad] = pair() as [MockRun, MockRun];
    const [finding] = bad.about.findings;
    const about = { findings: [{ ...finding, step: 600 }] } as never;
    mount({}, { runs: [mockRun("a", { about })] });
    await ready();
    const over = find('[data-title="loss"] .cnnw-tm-over');
    expect(over.querySelector("[data-severity]")).not.toBeNull();
    expect(getComputedStyle(over).overflow).toBe("visible");
    expect(over.querySelector('[data-kind="step"]')?.textContent).toBe("");
    slide("Recorded step", 7);
    await eventually(() => over.querySelector('[data-kind="step"]')?.textContent).toBe(" step 7 ");
    const beside = () => {
      const line = over.querySelector('[data-kind="step"]') as HTMLElement;
      const words = document.createRange();
      words.selectNodeContents(line);
      const [text, { left }] = [words.getBoundingClientRect(), line.getBoundingClientRect()];
      return [text.height < 16, text.left >= left - 1];
    };
    expect(beside()).toEqual([true, true]); // in one line, to the right
    slide("Recorded step", 590);
    await eventually(() => beside()).toEqual([true, false]);
  });

  test("says of which step its values are, none of a later one", async () => {
    mount({ follow: false, step: 99, smoothing: 0 }, { runs: [mockRun("a")] });
    await ready();
    expect(chart("loss").querySelector("figcaption > output")?.textContent).toBe("at step 99");
    expect(chart("loss").querySelector('[data-curve="val_loss"] output')).toBeNull();
    slide("Recorded step", 199);
    await eventually(() => chart("loss").textContent).toContain("at step 100");
  });

  test("shows what was measured behind what is smoothed, more of it on a dark ground", async () => {
    const strength = async (light: string) => {
      document.body.dataset.jpThemeLight = light;
      mount({ smoothing: 0.9 }, { runs: [mockRun("a")] });
      await ready();
      const canvas = chart("gradient norm").querySelector("canvas") as HTMLCanvasElement;
      const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
        ...([0, 0, canvas.width, canvas.height] as const),
      );
      unmount();
      delete document.body.dataset.jpThemeLight;
      return data.reduce((sum, value, i) => (i % 4 === 3 ? sum + value : sum), 0);
    };
    expect(await strength("false")).toBeGreaterThan(1.2 * (await strength("true")));
  });
});

describe("the scrub bar", () => {
  test("goes to every recorded step, and stays there", async () => {
    const kernel = mount();
    await ready();
    expect(timeline().dataset).toMatchObject({ step: "600", stops: "60" });
    expect(find(".cnnw-tm-stops svg").dataset.snapshots).toBe("10");
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
    expect(painted("loss", BLUE)).toBeGreaterThan(50);
  });

  test("it works in an exported page", async () => {
    mount({}, { manager: { replay: true } });
    await eventually(() => root().dataset.state).toBe("replay");
    await eventually(() => timeline()?.dataset.step).toBe("600");
    press("loss", 0);
    await eventually(() => timeline().dataset.step).toBe("1");
  });

  test("it fits into 480 pixels", async () => {
    const runs = pair();
    const [good] = runs as [MockRun, MockRun];
    Object.assign(good.about, { live: true, controllable: true, name: "n".repeat(200) });
    mount({}, { runs, width: 480 });
    await eventually(() => root()?.dataset.state).toBe("training");
    await eventually(() => chart("loss").querySelector("canvas")).not.toBeNull();
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
