import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { MockKernel, pair } from "./mock_kernel";
import { type MockRun, mockRun } from "./mock_runs";
import {
  area,
  BLUE,
  button,
  chart,
  drag,
  eventually,
  find,
  hover,
  mount,
  ORANGE,
  painted,
  press,
  ready,
  root,
  see,
  slide,
  timeline,
  unmount,
  value,
} from "./mounting";

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
    await eventually(() => painted("loss", ORANGE)).toBeGreaterThan(50); // once it is measured
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

  test.each([
    [{ live: false }, "ended"],
    [{ live: false, stopped: true }, "stopped"],
    [{ live: false, silence: "its process is gone" }, "its process is gone"],
    [{ live: true, silence: "idle for 40 s", total: 2000 }, "idle for 40 s"],
    [{ live: false, stopped: true, error: "ValueError: no" }, "failed"],
  ])("say how they ended: %j", async (about, word) => {
    mount({}, { runs: [mockRun("a", { about: about as never })] });
    await eventually(() => find('[data-run="a"]')?.dataset.state).toBe(word);
    await eventually(() => find(".cnnw-tm-going")?.textContent).toMatch(
      /^step 600( of 2,000)?12 s$/,
    );
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
    for (const title of titles)
      await eventually(() => painted(title as string, ORANGE)).toBeGreaterThan(50);
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
