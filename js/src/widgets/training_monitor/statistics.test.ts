import { describe, expect, test } from "vitest";
import { seriesOf } from "./mock_series";
import {
  fraction,
  healthyText,
  measuredAt,
  rangeOf,
  rangeTicks,
  STATISTICS,
  type Statistic,
  valueText,
} from "./statistics";

const named = (label: string) => STATISTICS.find((one) => one.label === label) as Statistic;

describe("statistics", () => {
  const norms = (...values: number[]) =>
    seriesOf(
      values.map(() => ({})),
      { norm: Float32Array.from(values), nans: Float32Array.from(values, (x) => +Number.isNaN(x)) },
    );
  const norm = named("gradient norm");

  test("gradients are on decades, all runs on the same", () => {
    const range = rangeOf(norm, [norms(0.02, 3), norms(0, 40, Number.POSITIVE_INFINITY)]);
    expect([range.low, range.high, range.log]).toEqual([0.01, 100, true]);
    expect([0, 0.01, 1, 100, 1e9].map((x) => fraction(x, range))).toEqual([0, 0, 0.5, 1, 1]);
    expect(fraction(Number.NaN, range)).toBeNaN();
    expect(rangeTicks(norm, range, 4).map(({ text }) => text)).toEqual([
      ...["0.01", "0.1", "1", "10", "100"],
    ]);
  });

  test("a run that explodes does not hide the others", () => {
    const healthy = Array.from({ length: 100 }, (_, i) => 0.2 + i / 200);
    const range = rangeOf(norm, [norms(...healthy), norms(1, 1e8, 1e20)]);
    expect([range.low, range.high, range.clipped]).toEqual([0.1, 1, true]);
    expect(fraction(1e20, range)).toBe(1);
    const mean = { mean: Float32Array.from([...healthy, -1e9]) };
    const rows = Array.from({ length: 101 }, () => ({}));
    const signed = rangeOf(named("weight mean"), [seriesOf(rows, mean)]);
    expect(signed.clipped).toBe(true);
    expect(signed.high).toBeLessThan(1);
    expect(signed.low).toBe(-signed.high);
  });

  test("sizes alike are on a plain scale, those far apart on decades", () => {
    const size = named("weight norm");
    expect(rangeOf(size, [norms(2, 7.8)])).toMatchObject({ low: 0, high: 8, log: false });
    expect(rangeOf(size, [norms(2, 800)])).toMatchObject({ low: 1, high: 1000, log: true });
    expect(rangeOf(size, [norms(0, 0)])).toMatchObject({ low: 0, high: 0, log: false });
  });

  test("signed ones are centred on zero", () => {
    const mean = { mean: Float32Array.of(-2.9, 1) };
    expect(rangeOf(named("weight mean"), [seriesOf([{}, {}], mean)])).toEqual({
      ...{ low: -3, high: 3, log: false, clipped: false, table: "activations" },
    });
  });

  test("the healthy band is always in view", () => {
    const update = { update: Float32Array.of(1, 2) };
    const range = rangeOf(named("update : weight ratio"), [seriesOf([{}, {}], update)]);
    const small = { update: Float32Array.of(2e-6, 3e-6) };
    const low = rangeOf(named("update : weight ratio"), [seriesOf([{}, {}], small)]);
    expect([low.low * 1e6, low.high]).toEqual([expect.closeTo(1), expect.closeTo(1)]);
    expect([range.low * 1e7, range.high]).toEqual([expect.closeTo(1), expect.closeTo(10)]);
    for (const one of [low, range]) expect(fraction(1e-3, one)).toBeCloseTo(0.5); // the pale colour
    expect(range.table).toBe("activations");
    expect(healthyText(named("update : weight ratio"))).toBe("1e−4 … 0.01");
  });

  test("NaN in what was measured is told from what was not measured", () => {
    const broken = norms(Number.NaN, 2);
    expect(measuredAt(broken, "norm", 0)).toBeNaN();
    expect(measuredAt({ ...broken, fields: norms(1, 2).fields }, "norm", 1)).toBe(2);
    const none = seriesOf([null], { norm: Float32Array.of(Number.NaN) });
    expect(measuredAt(none, "norm", 0)).toBeUndefined();
    expect(measuredAt(undefined, "norm", 0)).toBeUndefined();
    expect(measuredAt(broken, "norm", -1)).toBeUndefined();
    expect([undefined, Number.NaN, 0.5].map((x) => valueText(norm, x))).toEqual([
      ...["not measured", "NaN", "0.5"],
    ]);
    expect(valueText(named("dead units"), 0.5)).toBe("50 %");
  });
});
