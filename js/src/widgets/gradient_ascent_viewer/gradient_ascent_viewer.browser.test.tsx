import { describe, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { noteOf, panel, scoreAt } from "./mock_kernel";
import { button, choose, colour, eventually, find, mount, root, see, slide } from "./mounting";

const ZEBRA = { objective: "class:2", target: 2 };
const HAPPY = [panel(0, "zebra", "class:zebra"), panel(1, "less of zebra", "class:zebra")];
const step = () => page.getByRole("slider", { name: "Step", exact: true });
const tile = (id: number) => find(`[data-panel="${id}"]`);
const axis = () =>
  [...find(".cnnw-ga-curves svg").children].findLast((one) => one.tagName === "text")?.textContent;
const state = () => root().dataset.state;

describe("an ascent", () => {
  test("is begun, paused, gone on with and ended", async () => {
    const kernel = mount();
    expect(state()).toBe("empty");
    await see("No picture yet: pick a unit or a class, then press Run.");
    await button("Run").click();
    expect(kernel.asked("run")).toHaveLength(1);
    kernel.begin();
    await eventually(state).toBe("running");
    await see("Waiting for the first picture…");
    kernel.frame(0, 0);
    kernel.frame(1, 24);
    await see("step 24 of 64, 40 steps/s, about 1 s left");
    await button("Pause").click();
    expect(kernel.asked("pause")).toHaveLength(1);
    kernel.update("running", false);
    await eventually(state).toBe("paused");
    await button("Resume").click();
    expect(kernel.asked("resume")).toHaveLength(1);
    kernel.update("running", true);
    kernel.frame(25, 64);
    kernel.finish();
    await eventually(state).toBe("ended");
    await see("step 64 of 64, ended");
    await expect.element(button("Run")).toBeVisible();
    await expect.element(button("Step")).toBeDisabled();
    await button("Reset").click();
    expect(kernel.asked("reset")).toHaveLength(1);
  });

  test("shows its newest picture, score, and what the network says", async () => {
    const kernel = mount(ZEBRA);
    kernel.begin([panel(0, "zebra", "class:zebra")]);
    kernel.frame(0, 0);
    await eventually(() => tile(0)?.dataset.answer).toBe("cat");
    const before = colour(0);
    kernel.frame(1, 30, { first: [21] });
    await eventually(() => tile(0).dataset.answer).toBe("zebra");
    expect(colour(0)).not.toEqual(before);
    expect(Number(tile(0).dataset.score)).toBeCloseTo(scoreAt(30));
    await see("logit of zebra");
    await see("network: zebra 72.7 %, then <b>dog</b> 27.3 %");
    await see("first its answer at step 21");
    await eventually(() => find(".cnnw-ga-first").dataset.first).toBe("21");
    expect(root().querySelector("b:not(.cnnw-ga b)")).toBeNull(); // names are text
  });

  test("tells where one looks why a picture does not move", async () => {
    const kernel = mount({ compare: "sad", ...ZEBRA });
    kernel.begin(HAPPY);
    kernel.frame(0, 8, {
      notes: [null, noteOf(0, "this unit does not react to the start picture")],
    });
    await eventually(() => tile(1)?.textContent).toContain(
      "This unit does not react to the start picture.",
    );
    expect(tile(1).textContent).not.toContain("network"); // it would be of the noise
    expect(tile(0).textContent).not.toContain("react");
    kernel.frame(9, 12, {
      notes: [
        noteOf(9, "stopped: the score is not a finite number"),
        noteOf(9, "it has not fallen", true),
      ],
    });
    const notes = [
      noteOf(9, "stopped: the score is not a finite number"),
      noteOf(9, "it has not fallen", true),
    ];
    kernel.finish({ notes });
    await eventually(() => tile(0).textContent).toContain("the score is not a finite number.");
    await see("ended at step 9: it has not fallen");
    expect(root().querySelectorAll(".cnnw-ga-note")).toHaveLength(1); // an end is no trouble
    await see(
      /^Ended at step 12. zebra: the network says cat .* not a finite number; less of zebra/,
    );
    slide("Step", 8);
    await eventually(() => tile(0).dataset.step).toBe("8");
    expect(root().querySelector("article")?.parentElement?.textContent).not.toMatch(
      /stopped|ended/,
    );
  });

  test("keeps its picture while a change begins another", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 12);
    await eventually(() => tile(0)?.dataset.step).toBe("12");
    const held = colour(0);
    await page.getByRole("button", { name: "Another" }).click();
    expect(kernel.get("seed")).toBe(1);
    kernel.begin();
    await new Promise((done) => setTimeout(done, 50));
    expect(colour(0)).toEqual(held);
    const late = { generation: 1 };
    kernel.frame(0, 1);
    kernel.frame(13, 40, late);
    await eventually(() => tile(0).dataset.step).toBe("1");
    expect(root().dataset.generation).toBe("2");
  });

  test("is named by the settings that made each step, and marks where they changed", async () => {
    const kernel = mount();
    const given = { direction: 1, tv: null };
    kernel.turns = [{ step: 0, now: given, labels: null }];
    kernel.begin();
    kernel.frame(0, 12);
    kernel.update("running", false);
    kernel.update("direction", -1);
    await see("From the next step on: direction down.");
    expect(find("h4").textContent).toBe("conv2:5"); // no step was taken
    kernel.turns.push({ step: 13, now: { direction: -1 }, labels: ["less of conv2:5"] });
    kernel.frame(13, 20);
    await eventually(() => find("h4").textContent).toBe("less of conv2:5since step 13");
    await see(/^step 20: score .*; since step 13: direction down$/);
    expect(find("[data-turn] title").textContent).toBe("From step 13 on: direction down");
    expect(root().textContent).not.toContain("From the next step on");
    slide("Step", 12);
    await eventually(() => find("h4").textContent).toBe("conv2:5");
    kernel.finish();
    await eventually(state).toBe("ended");
    kernel.update("tv", 0.1);
    await see("Made with other settings than those chosen now: press Run.");
  });

  test("keeps the measure that it was made for", async () => {
    const kernel = mount({ ...ZEBRA, measure: "probability" });
    kernel.begin([panel(0, "zebra", "class:zebra", "probability")]);
    kernel.frame(0, 12);
    kernel.finish();
    await see("probability of zebra (0 … 1)");
    await choose("Measure", "log-odds");
    await see("Made with other settings than those chosen now: press Run.");
    await see("probability of zebra (0 … 1)");
    expect(find("article p").getAttribute("title")).toBe("probability of zebra");
  });

  test("of log-odds has a line at zero, which is said", async () => {
    const kernel = mount(ZEBRA);
    kernel.begin([panel(0, "zebra", "class:zebra", "log-odds")]);
    kernel.frame(0, 12);
    await see("log-odds of zebra (0: as likely as not)");
  });

  test("keeps its axis while it is paused", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 12);
    kernel.update("running", false);
    await eventually(state).toBe("paused");
    await eventually(axis).toBe("step 64");
    kernel.finish();
    await eventually(axis).toBe("step 12");
  });

  test("that is dark is shown with more contrast, and says so", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 0);
    const canvas = () => find("article canvas");
    await see(/^values \d+ … \d+ of 255$/);
    expect(canvas().style.filter).toBe("");
    await choose("Contrast", "stretched");
    await see(/^values \d+ … \d+ of 255, stretched$/);
    expect(canvas().style.filter).toMatch(/^brightness\(.*\) contrast\(.*\)$/);
  });

  test("with many pictures and all settings keeps words apart", async () => {
    await page.viewport(1200, 900);
    const kernel = mount({ compare: "seeds", ...ZEBRA }, { width: 1112 });
    kernel.begin(Array.from({ length: 16 }, (_, i) => panel(i, `seed ${i}`, "class:zebra")));
    kernel.frame(0, 30, { first: Array(16).fill(6) });
    await eventually(() => document.querySelectorAll("article small").length).toBe(32);
    for (const small of root().querySelectorAll<HTMLElement>("article small"))
      expect(small.scrollWidth).toBeLessThanOrEqual(small.clientWidth);
    await page.getByText("More regularisers").click();
    const side = find(".cnnw-ga-side");
    expect(side.scrollWidth).toBeLessThanOrEqual(side.clientWidth);
    for (const output of side.querySelectorAll("output"))
      expect(output.getBoundingClientRect().right).toBeLessThanOrEqual(
        side.getBoundingClientRect().right,
      );
  });

  test("that was made with other settings says so, and is not gone on with", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 12);
    kernel.update("running", false);
    await expect.element(button("Resume")).toBeVisible();
    slide("Total variation", 9);
    expect(kernel.get("tv")).toBe(0.0056);
    await expect.element(button("Resume")).toBeVisible(); // it acts at once
    await choose("Start", "mean of the data");
    await see("Made with other settings than those chosen now: press Run.");
    await button("Run").click();
    expect(kernel.asked("run")).toHaveLength(1);
  });
});

describe("what is there", () => {
  const ran = (traits: object = {}, options: object = {}) => {
    const kernel = mount(traits, options);
    kernel.begin();
    for (let at = 0; at <= 60; at += 4) kernel.frame(Math.max(0, at - 3), at);
    kernel.finish();
    return kernel;
  };

  test("is gone through with the bar, by keys, and on the curves", async () => {
    const kernel = ran();
    await eventually(state).toBe("ended");
    slide("Step", 20);
    await eventually(() => tile(0).dataset.step).toBe("20");
    await eventually(() => kernel.get("step")).toBe(20);
    root().focus();
    await userEvent.keyboard("{ArrowRight}{ArrowRight}{ArrowRight}");
    await eventually(() => root().dataset.step).toBe("23");
    await see("Picture of step 24, the nearest that is here.");
    await userEvent.keyboard("{Shift>}{ArrowLeft}{/Shift}{Home}");
    await eventually(() => root().dataset.step).toBe("0");
    const curves = page.getByRole("slider", { name: "Step, on the curves" });
    (curves.element() as HTMLElement).focus();
    await userEvent.keyboard("{PageUp}{ArrowUp}");
    await eventually(() => curves.element().getAttribute("aria-valuenow")).toBe("11");
    await curves.click({ position: { x: 360, y: 60 } });
    await eventually(() => Number(root().dataset.step)).toBeGreaterThan(20);
    const { valuetext } = { valuetext: curves.element().getAttribute("aria-valuetext") };
    expect(valuetext).toMatch(/^step \d+: score 0\.\d+, gradient norm 0\.\d+$/);
  });

  test("is played to its end", async () => {
    const kernel = ran();
    await eventually(() => root().dataset.held).toBe("16");
    slide("Step", 50);
    await button("Play what is there (p)").click();
    expect(kernel.get("playing")).toBe(true);
    await eventually(() => root().dataset.step).toBe("60");
    await eventually(() => kernel.get("playing")).toBe(false);
    root().focus();
    await userEvent.keyboard("p");
    await eventually(() => Number(root().dataset.step)).toBeLessThan(40); // from the start again
    await userEvent.keyboard("p");
    expect(kernel.get("playing")).toBe(false);
  });

  test("can be looked at while it climbs; Newest follows it again", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8);
    kernel.frame(9, 16);
    await eventually(() => tile(0)?.dataset.step).toBe("16");
    slide("Step", 8);
    kernel.frame(17, 24);
    await eventually(() => step().element().getAttribute("max")).toBe("24");
    expect(tile(0).dataset.step).toBe("8");
    await button("Newest").click();
    await eventually(() => tile(0).dataset.step).toBe("24");
    kernel.frame(25, 32);
    await eventually(() => tile(0).dataset.step).toBe("32");
    slide("Step", 8);
    kernel.begin();
    kernel.frame(0, 3);
    await eventually(() => tile(0).dataset.step).toBe("3"); // another is watched from its start
    kernel.frame(4, 25);
    await eventually(() => tile(0).dataset.step).toBe("25");
  });

  test("is asked for where it was missed, once it is quiet", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.kept = [0, 20];
    kernel.frame(40, 48);
    await eventually(() => kernel.asked("curve")).toHaveLength(1); // numbers were missed
    await eventually(() => root().dataset.step).toBe("48");
    await see(/score 0\.6208/);
    expect(kernel.asked("frames")).toEqual([]); // while it climbs
    kernel.kept = Array.from({ length: 65 }, (_, i) => i);
    kernel.finish();
    await eventually(() => root().dataset.held).toBe("65");
    const sizes = kernel.asked("frames").map(({ args }) => args.steps.length);
    expect(sizes).toEqual([32, 32]);
    expect(kernel.asked("frames")[0]?.args).toMatchObject({ generation: 1 });
    slide("Step", 33);
    await eventually(() => tile(0).dataset.step).toBe("33");
  });

  test("has the network’s answer where it was asked; the rest is asked for when it is quiet", async () => {
    const kernel = mount();
    const silent = { predictions: [null], complement: [null] };
    kernel.begin();
    kernel.frame(0, 4);
    for (let at = 5; at <= 24; at++) kernel.frame(at, at, silent);
    await see("network, 20 steps before: cat 53.9 %, then <b>dog</b> 46.1 %");
    expect(kernel.asked("answers")).toEqual([]);
    kernel.finish();
    await see("network: zebra 69.2 %, then <b>dog</b> 30.8 %");
    await eventually(() => kernel.asked("answers").map(({ args }) => args.steps.length)).toEqual([
      8, 8, 4,
    ]);
    slide("Step", 11);
    await see(/^network: cat/);
  });

  test("leaves the kernel alone once it is to climb", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8, { predictions: [null], complement: [null] });
    kernel.kept = Array.from({ length: 33 }, (_, i) => i);
    kernel.answering = false;
    kernel.finish();
    await eventually(() => kernel.asked("curve")).toHaveLength(1);
    await button("Run").click();
    const { id } = kernel.asked("curve")[0] as { id: string };
    expect(kernel.sent.filter(({ kind }) => kind === "cancel").map((one) => one.id)).toEqual([id]);
  });

  test("needs no kernel", async () => {
    const kernel = ran();
    await eventually(() => root().dataset.held).toBe("16");
    kernel.kernel.connectionStatusChanged.emit("connecting");
    await eventually(state).toBe("disconnected");
    const asked = kernel.requests().length;
    slide("Step", 4);
    await eventually(() => tile(0).dataset.step).toBe("4");
    await expect.element(page.getByRole("slider", { name: "L2" })).toBeDisabled();
    await button("Run").click({ force: true });
    expect(kernel.requests()).toHaveLength(asked);
  });

  test("is what an exported page has, one step after the other", async () => {
    const kernel = mount(
      { _panels: [panel(0, "conv2:5")], _generation: 3, _ended: { notes: [null], first: [null] } },
      { manager: { replay: true } },
    );
    kernel.kept = [0, 10, 20, 30];
    await eventually(() => root().dataset.held).toBe("4");
    expect(state()).toBe("replay");
    const asked = kernel.asked("frames").map(({ args }) => args.steps);
    expect(asked).toEqual([[30], [0], [20], [10]]);
    slide("Step", 10);
    await eventually(() => tile(0).dataset.step).toBe("10");
    await expect.element(button("Reset")).toBeDisabled();
  });

  test("is less where an exported page had no room", async () => {
    const kernel = mount(
      { _panels: [panel(0, "conv2:5")], _generation: 3 },
      { manager: { replay: true } },
    );
    kernel.kept = [0, 10, 20, 30];
    kernel.answering = false;
    const error = "This page was saved without this part.";
    kernel.send = (content) => {
      const { name, id, args } = content;
      if (name === "frames" && args.steps[0] === 20)
        kernel.message({ kind: "reply", id, ok: false, error });
      else if (content.kind === "request") kernel.answer(content);
    };
    await see("2 of its pictures are not in this page.");
    expect(root().dataset.held).toBe("2");
    expect(root().querySelector("[role=alert]")).toBeNull();
  });
});

describe("several pictures", () => {
  test("stand beside one another, and one is enlarged", async () => {
    const kernel = mount({ compare: "sad", ...ZEBRA });
    kernel.begin(HAPPY.map((one) => ({ ...one, measure: "probability" as const })));
    kernel.frame(0, 30);
    await eventually(() => document.querySelectorAll("article").length).toBe(2);
    await see("probability of zebra (0 … 1)");
    await page.getByRole("button", { name: /^less of zebra, step 30: .* Enlarge$/ }).click();
    await eventually(() => document.querySelectorAll("article").length).toBe(1);
    expect(tile(1).textContent).toContain("probability of zebra");
    await see("less of zebra, step 30: score 0.2273, gradient norm 0.3727");
    root().focus();
    await userEvent.keyboard("{Escape}");
    await eventually(() => document.querySelectorAll("article").length).toBe(2);
  });

  test.each([480, 1200])("and all else fit into %i px", async (width) => {
    await page.viewport(width + 40, 900);
    const kernel = mount({ compare: "seeds", ...ZEBRA }, { width });
    kernel.begin(Array.from({ length: 16 }, (_, i) => panel(i, `seed ${i}`, "class:zebra")));
    kernel.frame(0, 30);
    await eventually(() => document.querySelectorAll("article").length).toBe(16);
    expect(root().scrollWidth).toBeLessThanOrEqual(width);
    for (const { right } of [...root().querySelectorAll("button, input, select, svg")]
      .filter((element) => element.checkVisibility())
      .map((element) => element.getBoundingClientRect()))
      expect(right).toBeLessThanOrEqual(root().getBoundingClientRect().right);
  });
});

describe("files", () => {
  test("are made by the kernel and downloaded", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8);
    kernel.finish();
    await eventually(state).toBe("ended");
    const files: string[] = [];
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      files.push(`${this.download} ${this.href.slice(0, 5)}`);
    });
    await page.getByText("Save").click();
    await page.getByRole("button", { name: /^GIF/ }).click();
    await eventually(() => files).toEqual(["a.gif blob:"]);
    expect(kernel.asked("save")[0]?.args).toEqual({ format: "gif" });
    click.mockRestore();
  });

  test("that the kernel cannot make are not offered", async () => {
    const kernel = mount({ _formats: ["gif", "webp", "png"] });
    kernel.begin();
    kernel.frame(0, 8);
    await eventually(() => root().dataset.held).toBe("1");
    await page.getByText("Save").click();
    await expect.element(page.getByRole("button", { name: /^GIF/ })).toBeEnabled();
    const film = page.getByRole("button", { name: /^MP4/ });
    await expect.element(film).toBeDisabled();
    expect(film.element().getAttribute("title")).toBe("The kernel’s machine has no ffmpeg.");
  });

  test("that cannot be made say why", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8);
    await eventually(() => root().dataset.held).toBe("1");
    kernel.answering = false;
    await page.getByText("Save").click();
    await page.getByRole("button", { name: /^MP4/ }).click();
    const { id } = kernel.asked("save")[0] as { id: string };
    kernel.message({ kind: "progress", id, done: 1, total: 4 });
    await see("25 %");
    kernel.message({ kind: "reply", id, ok: false, error: "There is no ffmpeg." });
    await see("There is no ffmpeg.");
    await expect.element(page.getByText("Save")).toBeVisible();
  });
});
