import { describe, expect, it } from "vitest";
import { duration, handsOf, interpolate } from "./clock";
import { placeOf, placesOf, WHERE } from "./describe";
import { breaksOf, leftOut, scaleOf, share, ticksOf } from "./drawing";
import { groupsOf } from "./groups";
import { remaining } from "./header";
import type { HeldRun } from "./history";
import { linesOf, missing, pointAt, summary } from "./lines";
import { mockRun } from "./mock_runs";
import { rateOf } from "./rate";
import { smooth, smoothRates } from "./smoothing";
import { lastUntil, nearest, union } from "./sorted";

const { NaN: NAN, POSITIVE_INFINITY: INFINITE } = Number;
const curve = (name: string, steps: number[], values: number[]) => ({
  name,
  steps: Float32Array.from(steps),
  values: Float32Array.from(values),
  seconds: Float32Array.from(steps, (step) => step / 10),
});
const held = (...curves: ReturnType<typeof curve>[]) =>
  ({
    curves,
    progress: { seq: 1, last_step: 100, speed: null, elapsed: 10 },
  }) as unknown as HeldRun;
const stroke = (y: number[]) => ({
  ...{ x: y.map((_, i) => i), y, steps: y.map((_, i) => i) },
  ...{ color: "#000", dash: [], faint: false },
});

describe("smoothing", () => {
  it("is a mean whose weights add up to one from the first value on", () => {
    expect([...smooth([1, 1, 1], 0.9)]).toEqual([1, 1, 1]);
    expect(smooth([1, 3], 0.5)[1]).toBeCloseTo((0.25 * 1 + 0.5 * 3) / 0.75);
    expect([...smooth([1, 3], 0)]).toEqual([1, 3]);
  });

  it("leaves gaps as they are, and goes on behind them", () => {
    const out = smooth([2, NAN, INFINITE, 2], 0.5);
    expect([...out]).toEqual([2, NAN, INFINITE, 2]);
  });
});

describe("a smoothed line", () => {
  const smoothed = (name: string, points: number) => {
    const steps = Array.from({ length: points }, (_, i) => i);
    const one = curve(name, steps, steps);
    const about = { run: mockRun("a").about, color: "", curve: one, name };
    const hands = handsOf(held(one), "step");
    const [group] = groupsOf([{ ...about, hands: hands as NonNullable<typeof hands> }]);
    return group && linesOf(group, 0.6, true)[0]?.smoothed;
  };

  it("is only one of many points, measured while it trains", () => {
    expect(smoothed("loss", 50)).toHaveLength(50);
    expect(smoothed("loss", 49)).toBeUndefined();
    expect(smoothed("val_loss", 100)).toBeUndefined();
    expect(smoothed("learning_rate", 100)).toBeUndefined();
  });

  it("of rates is their mean over time", () => {
    expect(smoothRates([100, 300], 0.5)[1]).toBeCloseTo(0.75 / (0.25 / 100 + 0.5 / 300));
    expect([...smoothRates([0, 5], 0.5)]).toEqual([0, 5]);
    const rates = smoothed("samples_per_second", 60) ?? [];
    expect(rates[2]).toBeCloseTo((0.24 + 0.4) / (0.24 / 1 + 0.4 / 2));
  });
});

describe("a line breaks", () => {
  const broken = (...steps: number[]) => steps.filter((_, i) => breaksOf(steps)(i));

  it("where much longer than usual nothing was measured", () => {
    expect(broken(1, 2, 3, 4, 10, 11)).toEqual([10]);
    expect(broken(1, 2, 3, 4, 9, 10)).toEqual([]);
    expect(broken(...[60, 61, 62, 2372, 2373])).toEqual([2372]);
    expect(broken(1, 2, 3, 200)).toEqual([200]);
  });

  it("not where ever fewer steps are recorded, nor between two points", () => {
    const fewer = Array.from({ length: 60 }, (_, i) => Math.ceil(10 * 1.2 ** i));
    expect(broken(...fewer)).toEqual([]);
    expect(broken(0, 1000)).toEqual([]);
  });
});

describe("what is drawn together", () => {
  const told = (...names: string[]) =>
    groupsOf(names.map((name) => ({ name }))).map(({ title, curves }) => [
      title,
      ...curves.map(({ curve: { name }, validation }) => (validation ? `(${name})` : name)),
    ]);

  it("is the same in training and in validation, however it is written", () => {
    expect(told("train_loss", "val_loss", "loss", "eval/loss", "validLoss")).toEqual([
      ["loss", "train_loss", "(val_loss)", "loss", "(eval/loss)"],
      ["validLoss", "validLoss"],
    ]);
    expect(told("acc", "accuracy", "val_acc")).toEqual([
      ["accuracy", "acc", "accuracy", "(val_acc)"],
    ]);
  });

  it("stands in order: loss, accuracy, what else there is, what tells of the training itself", () => {
    const names = [
      "samples_per_second",
      "learning_rate",
      "my_score",
      "gradient_norm",
      "accuracy",
      "loss",
    ];
    expect(told(...names).map(([title]) => title)).toEqual([
      ...["loss", "accuracy", "my score", "learning rate", "gradient norm", "samples per second"],
    ]);
  });

  it("has the learning rates of all parameter groups, and not the clock", () => {
    expect(told("learning_rate", "learning_rate/1", "epoch")).toEqual([
      ["learning rate", "learning_rate", "learning_rate/1"],
    ]);
  });
});

describe("the clock", () => {
  it("reads epochs by interpolation, also where each step has logged its own", () => {
    const each = curve("epoch", [0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, 2]);
    const hands = handsOf(held(each), "epoch");
    expect(hands?.at(3)).toBe(1.5);
    expect(hands?.step(1.5)).toBe(3);
    const ends = handsOf(held(curve("epoch", [100, 200], [1, 2])), "epoch");
    expect([50, 100, 150, 300].map((step) => ends?.at(step))).toEqual([0.5, 1, 1.5, 3]);
  });

  it("has no epochs where none was logged, and seconds always", () => {
    const one = held(curve("loss", [0, 10], [1, 2]));
    expect(handsOf(one, "epoch")).toBeUndefined();
    expect(handsOf(one, "seconds")?.at(5)).toBeCloseTo(0.5);
    expect(handsOf(one, "seconds")?.step(0.5)).toBeCloseTo(5);
  });

  it("goes on as it was beyond both ends", () => {
    expect(interpolate([1, 2], [10, 20], 3)).toBe(30);
    expect(interpolate([4], [2], 6)).toBe(3);
    expect(interpolate([], [], 6)).toBe(0);
  });

  it("reads in words", () => {
    expect([0, 59.6, 200, 3900].map(duration)).toEqual([
      "0 s",
      "1 min 0 s",
      "3 min 20 s",
      "1 h 5 min",
    ]);
    expect(placesOf("seconds", [0, 200], 4).map(({ at }) => at)).toEqual([0, 60, 120, 180]);
    expect(placesOf("step", [0, 3], 8).map(({ text }) => text)).toEqual(["0", "1", "2", "3"]);
    expect([0.24, 7.94, 59.6, 200].map(WHERE.seconds)).toEqual([
      ...["0.2 s", "7.9 s", "59.6 s", "3 min 20 s"],
    ]);
  });

  it("tells the remaining time by the latest points", () => {
    const run = mockRun("a").about;
    const steps = Array.from({ length: 101 }, (_, i) => i);
    const one = held(curve("loss", steps, steps));
    expect(remaining({ ...run, total: 300 }, one)).toBeCloseTo(20);
    expect(remaining({ ...run, total: null }, one)).toBeUndefined();
    expect(remaining({ ...run, total: 300 }, held())).toBeUndefined();
  });
});

describe("the vertical axis", () => {
  it("holds all that is seen, and only that", () => {
    const line = stroke([0, 1, 2, 3, 100]);
    expect(scaleOf([line], [0, 2], false).to).toBeLessThan(4);
    expect(scaleOf([line], [0, 4], false).to).toBeGreaterThanOrEqual(100);
  });

  it("cuts off what lies so far off that nothing else could be seen, and says so", () => {
    const line = stroke([...Array.from({ length: 60 }, (_, i) => 2 + (i % 3)), 9000]);
    const scale = scaleOf([line], [0, 60], false);
    expect(scale.to).toBeLessThan(10);
    const lines = [{ x: line.x, raw: line.y } as never];
    expect(missing(lines, [0, 60], scale)).toBe(
      "1 value is far off and cut: the log axis shows them",
    );
  });

  it("cuts off an overshoot, but not where lines begin", () => {
    const decay = Array.from({ length: 300 }, (_, i) => 0.1 + 2.2 * 0.95 ** i);
    const peaks = decay.map((value, i) => (i > 3 && i < 9 ? 290 : value));
    expect(scaleOf([stroke(decay)], [0, 300], false).to).toBeGreaterThan(2.3);
    const { to } = scaleOf([stroke(peaks)], [0, 300], false);
    expect(to).toBeGreaterThan(2.3);
    expect(to).toBeLessThan(3);
  });

  it("leaves out of a logarithmic axis what is not above zero, and says so", () => {
    const line = stroke([-1, 0, 0.03, 20, NAN]);
    const scale = scaleOf([line], [0, 4], true);
    expect([scale.from, scale.to]).toEqual([0.03, 20]);
    expect(share(scale, Math.sqrt(0.03 * 20))).toBeCloseTo(0.5);
    expect(ticksOf(scale, 5).map(({ text }) => text)).toEqual(["0.1", "1", "10"]);
    expect([0, 1, NAN].map((value) => leftOut(value, true))).toEqual([true, false, true]);
    const lines = [{ x: line.x, raw: line.y } as never];
    expect(missing(lines, [0, 4], scale)).toBe(
      "1 value is NaN or infinite: a gap; 2 values are ≤ 0: left out of the log axis",
    );
  });

  it("stands also where there is no value, or one only", () => {
    expect(scaleOf([], [0, 1], true)).toEqual({ from: 0.1, to: 1, log: true });
    const one = scaleOf([stroke([5])], [0, 1], false);
    expect(one.from).toBeLessThan(5);
    expect(one.to).toBeGreaterThan(5);
    const zero = scaleOf([stroke([0, 0])], [0, 1], false);
    expect(zero.from).toBeLessThan(zero.to);
  });
});

describe("ticks", () => {
  const texts = (ticks: readonly { text: string }[]) => ticks.map(({ text }) => text);
  const at = (from: number, to: number, log = false) => texts(ticksOf({ from, to, log }, 5));

  it("are told from each other", () => {
    expect(at(2.288, 2.312)).toEqual(["2.29", "2.295", "2.3", "2.305", "2.31"]);
    expect(at(100_000, 100_010)).toEqual([
      "100,000",
      ...[2, 4, 6, 8].map((n) => `100,00${n}`),
      "100,010",
    ]);
    expect(at(0.045, 0.055)).toEqual(["0.046", "0.048", "0.05", "0.052", "0.054"]);
  });

  it("are three at least, on every clock", () => {
    const places = (clock: "step" | "seconds", to: number) => texts(placesOf(clock, [1, to], 3.7));
    expect(places("step", 901)).toEqual(["250", "500", "750"]);
    expect(places("step", 530)).toEqual(["100", "200", "300", "400", "500"]);
    expect(places("step", 2)).toEqual(["1", "2"]);
    expect(places("seconds", 2.2)).toEqual(["1 s", "1.5 s", "2 s"]);
    expect(places("seconds", 110)).toEqual(["30 s", "1 min 0 s", "1 min 30 s"]);
  });

  it("are there also where a log axis spans little", () => {
    expect(at(0.6, 0.8, true)).toEqual(["0.6", "0.65", "0.7", "0.75", "0.8"]);
    const one = scaleOf([stroke([0.05, 0.05])], [0, 1], true);
    expect(share(one, 0.05)).toBeCloseTo(0.5);
  });
});

describe("in words", () => {
  const line = {
    ...{ label: "val", x: [1, 2, 3], raw: [NAN, 4, 2], smoothed: undefined },
  } as never;

  it("a chart says where its lines begin, end, and are lowest and highest", () => {
    const said = summary("loss", "s", [line], (x) => `step ${x}`);
    expect(said).toBe(
      "loss. val: from 4 s at step 2 to 2 s at step 3, lowest 2 s at step 3, highest 4 s at step 2.",
    );
  });

  it("a line says its nearest point", () => {
    expect(pointAt(line, 2.2)).toEqual({ x: 2, value: 4, smoothed: undefined });
    expect(pointAt({ x: [], raw: [] } as never, 2)).toBeUndefined();
  });

  it("a line says nothing at a step that came later", () => {
    expect(pointAt(line, 2.9, true)?.x).toBe(2);
    expect(pointAt(line, 3 - 1e-9, true)?.x).toBe(3);
    expect(pointAt(line, 0.9, true)).toBeUndefined();
  });

  it("a rate is a number above zero, also with a comma", () => {
    expect(["0.01", " 1e-3 ", "0,5"].map(rateOf)).toEqual([0.01, 0.001, 0.5]);
    expect(["", "0", "-1", "x", "Infinity"].map(rateOf)).toEqual(Array(5).fill(undefined));
  });
});

describe("ascending numbers", () => {
  it("are joined and searched", () => {
    expect(union([1, 3, 5], [0, 3, 9])).toEqual([0, 1, 3, 5, 9]);
    expect([0, 2, 2.1, 9].map((x) => nearest([1, 3], x))).toEqual([0, 0, 1, 1]);
    expect(nearest([], 1)).toBe(-1);
    expect([0, 1, 2, 9].map((x) => lastUntil([1, 3], x))).toEqual([-1, 0, 0, 1]);
  });
});

it("calls a layer that has but a number a layer", () => {
  const found = { kind: "", severity: "error", step: 15, evidence: {}, message: "" } as const;
  const place = (layer: string | null) => placeOf({ ...found, layer });
  expect(["3", "0.conv", "conv1", null].map(place)).toEqual([
    "step 15, layer 3",
    "step 15, layer 0.conv",
    "step 15, conv1",
    "step 15",
  ]);
});
