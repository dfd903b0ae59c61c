import { describe, expect, test } from "vitest";
import { page } from "vitest/browser";
import { noteOf, panel, scoreAt } from "./mock_kernel";
import {
  axis,
  button,
  choose,
  colour,
  eventually,
  find,
  HAPPY,
  mount,
  root,
  see,
  slide,
  state,
  tile,
  ZEBRA,
} from "./mounting";

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

  test("that nothing moves is shown as it is, beside one that is dark", async () => {
    const kernel = mount();
    kernel.light = 0.3;
    kernel.begin([panel(0, "seed 0"), panel(1, "seed 1")]);
    kernel.frame(0, 8, { notes: [noteOf(0, "the gradient is zero"), noteOf(0, "over", true)] });
    await eventually(() => tile(1)?.textContent).toContain(", stretched");
    expect(tile(0).textContent).not.toContain(", stretched");
    expect(tile(0).querySelector("canvas")?.style.filter).toBe("");
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

  test("beside its settings keeps each on a line, and five pictures in a row", async () => {
    await page.viewport(1200, 900);
    const kernel = mount({ objective: "conv2:5:3:3", _shape: [3, 224, 224] }, { width: 1100 });
    kernel.begin(Array.from({ length: 5 }, (_, i) => panel(i, `TV ${i}`)));
    kernel.frame(0, 30);
    await eventually(() => document.querySelectorAll("article").length).toBe(5);
    expect(tile(4).getBoundingClientRect().top).toBe(tile(0).getBoundingClientRect().top);
    const outputs = [...root().querySelectorAll<HTMLElement>(".cnnw-ga-side .cnnw-slider output")];
    expect(outputs.map(({ textContent }) => textContent)).toContain("automatic (0.5\u00a0px)");
    const labels = root().querySelectorAll<HTMLElement>(".cnnw-ga-side .cnnw-slider span");
    for (const { offsetHeight } of [...outputs, ...labels]) expect(offsetHeight).toBeLessThan(24);
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
