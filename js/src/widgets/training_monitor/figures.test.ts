import { describe, expect, test } from "vitest";
import { columnsOf, roundTicks, spread, stepsOf } from "./axis";
import {
  binText,
  type Folded,
  fold,
  placeOf,
  quantiles,
  rowOf,
  SHARES,
  spanOf,
  valueAt,
  valueTicks,
} from "./bins";
import { bandsOf, outline, paintShares, ridge, roundShare, usualPeak } from "./shares";
import {
  fraction,
  measuredAt,
  rangeOf,
  rangeTicks,
  STATISTICS,
  type Statistic,
  valueText,
} from "./statistics";
import { BINS, FIELDS, type Field, type Series } from "./types";

/** A series whose rows are {bin: code}; an empty row was measured and holds nothing. */
function seriesOf(rows: (Record<number, number> | null)[], fields: Partial<Series["fields"]> = {}) {
  const codes = new Uint8Array(rows.length * BINS);
  for (const [i, row] of rows.entries()) {
    if (row) for (const [bin, code] of Object.entries(row)) codes[i * BINS + Number(bin)] = code;
    else codes.fill(255, i * BINS, (i + 1) * BINS);
  }
  const all = Object.fromEntries(
    FIELDS.map((field) => [field, new Float32Array(rows.length)]),
  ) as Record<Field, Float32Array>;
  const steps = Float32Array.from(rows, (_, i) => 10 * (i + 1));
  return { steps, codes, fields: { ...all, ...fields }, inner: 0 } satisfies Folded;
}

const named = (label: string) => STATISTICS.find((one) => one.label === label) as Statistic;

describe("the axis of the bins", () => {
  test("has the edges that the recorder counts by", () => {
    expect(valueAt(0)).toBe(-256);
    expect(valueAt(BINS)).toBe(256);
    expect(valueAt(31)).toBe(-(2 ** -23));
    expect(valueAt(32)).toBe(2 ** -23);
    expect(valueAt(55)).toBe(1);
    expect(valueAt(31.5)).toBe(0);
  });

  test.each([0, 1, -1, 0.3, -0.01, 5e-8, -5e-8, 200])("places %d and finds it again", (value) => {
    expect(valueAt(placeOf(value))).toBeCloseTo(value, 12);
  });

  test("keeps what is beyond it at its ends", () => {
    expect([placeOf(1e9), placeOf(-1e9)]).toEqual([BINS, 0]);
  });

  test("has ticks at zero and powers of ten, none too near to another", () => {
    const texts = (apart: number) =>
      valueTicks({ from: 8, to: 56, top: 1, clipped: false, inner: 0 }, apart)
        .sort((a, b) => a.at - b.at)
        .map(({ text }) => text);
    expect(texts(3.5)).toEqual(["−1", "−0.01", "−1e−4", "−1e−6", "0", "1e−6", "1e−4", "0.01", "1"]);
    expect(texts(20)).toEqual(["−1", "0", "1"]);
  });

  test("tells bins by their values", () => {
    expect([54, 8, 31, 0, 62].map((bin) => binText(bin))).toEqual([
      "0.5 … 1",
      "−1 … −0.5",
      "0 ± 1.192e−7",
      "−128 and less",
      "128 and more",
    ]);
  });
});

describe("rows of histograms", () => {
  test("codes are shares by their root", () => {
    expect([SHARES[0], SHARES[254], SHARES[127], SHARES[255]]).toEqual([0, 1, 0.25, Number.NaN]);
  });

  test("what was not measured is none", () => {
    const series = seriesOf([{ 54: 254 }, null, {}]);
    expect([-1, 0, 1, 2, 3].map((row) => !!rowOf(series, row))).toEqual([
      ...[false, true, false, true, false],
    ]);
  });

  test("all runs share the bins that any of them uses", () => {
    const span = spanOf([seriesOf([{ 20: 100 }, null]), seriesOf([{ 54: 200 }])]);
    expect(span).toEqual({ from: 19, to: 56, top: 200, clipped: false, inner: 0 });
    expect(spanOf([seriesOf([null])])).toBeUndefined();
    const spike = [...Array.from({ length: 100 }, () => ({ 40: 90 })), { 40: 254 }];
    expect(spanOf([seriesOf(spike)])).toMatchObject({ top: 90, clipped: true });
  });

  test("bins about zero that hold next to nothing become one, the same for all runs", () => {
    const [one, other] = fold([
      seriesOf([{ 20: 100, 31: 100, 33: 20, 40: 200 }, null]),
      seriesOf([{ 22: 30, 24: 60, 54: 180 }, {}]),
    ]) as [Folded, Folded];
    expect([one.inner, other.inner]).toEqual([6, 6]); // to bin 24, which holds much in the other
    const row = rowOf(one, 0) as Uint8Array;
    expect(row).toHaveLength(BINS - 12);
    expect([row[20], row[25], row[28]]).toEqual([100, 102, 200]);
    expect(rowOf(one, 1)).toBeUndefined();
    expect(rowOf(other, 1)).toBeDefined();
    expect([valueAt(26, 6), placeOf(2 ** -17, 6)]).toEqual([2 ** -17, 26]);
    expect(binText(25, 6)).toBe("0 ± 7.629e−6");
  });

  test("quantiles lie within their bins", () => {
    const row = rowOf(seriesOf([{ 30: 127, 40: 180, 41: 127 }]), 0) as Uint8Array;
    const [low, first, median, high] = quantiles(row, [0, 0.2, 0.5, 1]) as [
      ...[number, number, number, number],
    ];
    expect([low, high]).toEqual([30, 42]);
    expect(first).toBeCloseTo(30.8, 1);
    expect(median).toBeCloseTo(40.5, 1);
  });

  test("what is about zero is on the sides that have values", () => {
    const at = (row: Record<number, number>) =>
      quantiles(rowOf(seriesOf([row]), 0) as Uint8Array, [0, 0.5]);
    expect(at({ 31: 254 })).toEqual([31.5, 31.5]);
    expect(at({ 31: 254, 40: 10 })[0]).toBe(31.5);
    expect(at({ 20: 10, 31: 254, 40: 10 })[1]).toBeCloseTo(31.5);
  });

  test("bands are cut where nothing was measured", () => {
    const pieces = bandsOf(seriesOf([{ 40: 254 }, null, { 41: 254 }, {}, { 42: 254 }]));
    expect(pieces.map((piece) => piece.map(({ step }) => step))).toEqual([[10], [30], [50]]);
    expect(pieces[0]?.[0]?.places).toEqual([40, 40.05, 40.25, 40.5, 40.75, 40.95, 41]);
  });

  test("shapes begin and end at zero", () => {
    const row = rowOf(seriesOf([{ 40: 127 }]), 0) as Uint8Array;
    expect(ridge(row, { from: 40, to: 41, top: 254, clipped: false, inner: 0 })).toEqual([
      [40, 0],
      [40.5, 0.5],
      [41, 0],
    ]);
    expect(outline(row, { from: 40, to: 41, top: 254, clipped: false, inner: 0 })).toEqual([
      [40, 0],
      [40, 0.25],
      [41, 0.25],
      [41, 0],
    ]);
  });

  test("a picture has the largest values at the top, and is transparent where nothing was measured", () => {
    const pixels = new Uint32Array(4);
    const out = { data: { buffer: pixels.buffer }, width: 2, height: 2 } as never;
    const series = seriesOf([{ 41: 200 }, null, {}]);
    paintShares(out, series, Int32Array.of(0, 1), {
      from: 40,
      to: 42,
      top: 200,
      clipped: false,
      inner: 0,
    });
    expect(pixels[1]).toBe(0);
    expect(pixels[3]).toBe(0);
    expect(pixels[0]).toBe(0xff25e7fd); // the end of the table, little-endian
    expect(pixels[2]).toBe(0xff540144);
    paintShares(out, series, Int32Array.of(2, -1), {
      from: 40,
      to: 42,
      top: 200,
      clipped: false,
      inner: 0,
    });
    expect([...pixels]).toEqual([0xffd23cf0, 0, 0xffd23cf0, 0]); // the colour of NaN
  });

  test("all runs have the same usual peak", () => {
    const flat = seriesOf([{ 40: 127 }, { 40: 127 }, {}]);
    const high = seriesOf([{ 40: 254 }, null]);
    expect(usualPeak([flat, high], 8)).toBe(0.25);
    expect(usualPeak([seriesOf([null])], 8)).toBe(1);
  });

  test("axes of shares end at round numbers", () => {
    expect([0, 0.05, 0.07, 0.4, 0.9].map(roundShare)).toEqual([0.05, 0.05, 0.1, 0.5, 1]);
  });
});

describe("the axis of steps", () => {
  test("has round ticks", () => {
    const texts = (from: number, to: number) =>
      roundTicks(from, to, 5, String).map(({ text }) => text);
    expect(texts(1, 1000)).toEqual(["200", "400", "600", "800", "1000"]);
    expect(texts(0, 2)).toEqual(["0", "0.5", "1", "1.5", "2"]);
  });

  test("each column shows the nearest row, none outside the run", () => {
    expect([...columnsOf([10, 20, 50], 0, 60, 6)]).toEqual([0, 0, 1, 1, 2, 2]);
    expect([...columnsOf([10, 20], 0, 60, 6)]).toEqual([0, 0, 1, -1, -1, -1]);
    expect([...columnsOf([], 0, 60, 2)]).toEqual([-1, -1]);
  });

  test("rows are spread over the run, the last one among them", () => {
    const steps = Array.from({ length: 1000 }, (_, i) => i);
    expect(spread(steps, 3)).toEqual([0, 499, 999]);
    expect(spread([7], 3)).toEqual([0]);
  });

  test("spans all runs", () => {
    expect(stepsOf([{ steps: [5, 9] }, { steps: [] }, { steps: [2, 7] }])).toEqual([2, 9]);
    expect(stepsOf([{ steps: [4] }])).toEqual([4, 5]);
  });
});

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
    expect(rangeOf(size, [norms(2, 8)])).toMatchObject({ low: 0, high: 8, log: false });
    expect(rangeOf(size, [norms(2, 800)])).toMatchObject({ low: 1, high: 1000, log: true });
    expect(rangeOf(size, [norms(0, 0)])).toMatchObject({ low: 0, high: 0, log: false });
  });

  test("signed ones are centred on zero", () => {
    const mean = { mean: Float32Array.of(-3, 1) };
    expect(rangeOf(named("weight mean"), [seriesOf([{}, {}], mean)])).toEqual({
      ...{ low: -3, high: 3, log: false, clipped: false, table: "activations" },
    });
  });

  test("the healthy band is always in view", () => {
    const update = { update: Float32Array.of(1, 2) };
    const range = rangeOf(named("update : weight ratio"), [seriesOf([{}, {}], update)]);
    const small = { update: Float32Array.of(2e-6, 3e-6) };
    const low = rangeOf(named("update : weight ratio"), [seriesOf([{}, {}], small)]);
    expect(low.low).toBeCloseTo(1e-6, 12);
    expect(low.high).toBeCloseTo(0.01, 10);
    expect(range.low).toBeCloseTo(1e-4, 10);
    expect(range.high).toBe(10);
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
