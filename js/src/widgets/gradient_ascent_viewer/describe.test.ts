import { describe, expect, test } from "vitest";
import { decades, evenly, placeOf } from "./control";
import {
  answerWords,
  commonWords,
  leftWords,
  liveWords,
  scoreWords,
  subjectOf,
  unitText,
} from "./describe";
import { LAYERS, panel } from "./mock_kernel";

const CLASSES = ["cat", "crane", "dog", "crane", "7"];

describe("objectives", () => {
  test.each([
    ["conv2:5", { kind: "unit", layer: "conv2", channel: 5, at: null }],
    ["a.b#2:5:0:12", { kind: "unit", layer: "a.b#2", channel: 5, at: [0, 12] }],
    ["class:dog", { kind: "class", index: 2, name: "dog" }],
    ["class:0", { kind: "class", index: 0, name: "cat" }],
    ["class:7", { kind: "class", index: 4, name: "7" }],
    ["class:<b>", { kind: "class", index: -1, name: "<b>" }],
    ["custom", { kind: "custom" }],
    ["1 × conv1:2 + 2 × fc", { kind: "custom" }],
  ])("%s", (text, subject) => expect(subjectOf(text, CLASSES)).toEqual(subject));

  test("of equal names are told apart by the target", () => {
    expect(subjectOf("class:crane", CLASSES, 3)).toMatchObject({ index: 3 });
    expect(subjectOf("class:crane", CLASSES, 0)).toMatchObject({ index: 1 });
  });

  test("are written as they are read", () => {
    expect(unitText("conv2", 5, null)).toBe("conv2:5");
    expect(unitText("conv2", 5, [1, 0])).toBe("conv2:5:1:0");
  });
});

describe("scores", () => {
  test.each([
    ["conv2:5", "mean activation of conv2:5"],
    ["fc:1", "activation of fc:1"],
    ["conv2:5:3:4", "activation of conv2:5 at row 3, column 4"],
    ["class:dog", "logit of dog"],
    ["custom", "score of the objective given in Python"],
  ])("of %s", (text, words) => expect(scoreWords(panel(0, text), CLASSES, LAYERS)).toBe(words));

  test("have in common what they have", () => {
    const common = (...objectives: string[]) =>
      commonWords(
        objectives.map((one, i) => panel(i, one, one, "probability")),
        CLASSES,
        LAYERS,
      );
    expect(common("conv2:5", "conv2:5")).toBe("mean activation of conv2:5");
    expect(common("conv2:5", "conv2:6")).toBe("mean activation of each");
    expect(common("class:dog")).toBe("probability of dog");
  });
});

test("settings that changed are named", () => {
  const live = { direction: -1, tv: null, lr: 0.2, jitter: 0 };
  expect(liveWords(live)).toBe("direction down, total variation automatic, rate 0.2, jitter 0");
});

test("answers name the next class; a probability may be none", () => {
  const answer = { index: 2, name: "dog", probability: 0.97 };
  const rival = { name: "cat", probability: 0.03 };
  expect(answerWords({ step: 1, answer, rival })).toBe("dog 97\u00a0%, then cat 3\u00a0%");
  const unknown = { ...answer, probability: null };
  expect(answerWords({ step: 1, answer: unknown, rival: null })).toBe("dog not finite");
  expect(answerWords(undefined)).toBe("");
});

test("remaining time is rounded up", () => {
  expect(leftWords(100, 40)).toBe("about 3 s left");
  expect(leftWords(600, 1)).toBe("about 10 min left");
  expect(leftWords(0, 40)).toBe("");
  expect(leftWords(5, null)).toBe("");
});

test("sliders stop at automatic, at zero, and at four values a decade", () => {
  const values = decades([null, 0], -1, 1);
  expect(values).toEqual([null, 0, 0.1, 0.18, 0.32, 0.56, 1, 1.8, 3.2, 5.6, 10]);
  expect([null, 0, 1, 1.9, 1e9, 1e-7].map((value) => placeOf(values, value))).toEqual([
    0, 1, 6, 7, 10, 1,
  ]);
  expect(evenly(0, 0.3, 0.1)).toEqual([0, 0.1, 0.2, 0.3]);
});
