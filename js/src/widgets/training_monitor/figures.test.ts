import { describe, expect, test } from "vitest";
import { roundTicks, spread, stepsOf } from "./axis";
import { EDGES, MIDDLE, quantiles, rowOf, SHARES } from "./bins";
import { cellAt, cellsOf } from "./cells";
import { seriesOf } from "./mock_series";
import { roundEnd } from "./round_ends";
import { bandsOf, outline, paintShares, ridge, usualPeak } from "./shares";
import {
  binAt,
  binText,
  linearSpan,
  logSpan,
  peak,
  placeOf,
  type Span,
  sharesOf,
  sizesOf,
  valueTicks,
} from "./spans";
import { BINS } from "./types";

const edge = (i: number) => EDGES[i] as number;
/** The bin of a value. */
const binOf = (value: number) =>
  Math.min(BINS, Math.max(1, EDGES.findIndex((one) => one > value) || 1)) - 1;

/** All bins from one to another, each one place wide. */
const spanned = (from: number, to: number, top = 1): Span => {
  const cuts = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const rest = { top, least: edge(MIDDLE + 1), linear: false, clipped: false, beyond: false };
  return { cuts, places: cuts, from, to, ...rest };
};

/** A row as the recorder counts values. */
function counted(values: readonly number[]): Record<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) {
    const bin = binOf(value);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const code = (count: number) => Math.round(254 * Math.sqrt(count / values.length));
  return Object.fromEntries([...counts].map(([bin, count]) => [bin, code(count)]));
}

/** Values of a normal distribution, ascending. */
function normal(many: number, std: number): number[] {
  const one = (i: number) =>
    Math.sqrt(-2 * Math.log((i + 0.5) / many)) * Math.cos(2 * Math.PI * ((i * 0.618034) % 1));
  return Array.from({ length: many }, (_, i) => std * one(i)).sort((a, b) => a - b);
}

describe("the axis of the bins", () => {
  test("has the edges that the recorder counts by", () => {
    expect(EDGES).toHaveLength(250);
    expect([0, 1, 123, 124, 125, 126, 249].map(edge)).toEqual([
      ...[-256, -224, -1.25 * 2 ** -23, -(2 ** -23), 2 ** -23, 1.25 * 2 ** -23, 256],
    ]);
    expect([205, 206, 207, 208, 209].map(edge)).toEqual([0.125, 0.15625, 0.1875, 0.21875, 0.25]);
  });

  test("is logarithmic, about zero linear", () => {
    expect([4, 1, 0.5, 0, -0.5, -1, -8].map((value) => placeOf(value, 1))).toEqual([
      ...[2.5, 0.5, 0.25, 0, -0.25, -0.5, -3.5],
    ]);
  });

  test("has ticks at zero and powers of ten, none too near to another", () => {
    const span = logSpan([seriesOf([{ 30: 150, 123: 200, 125: 200, 220: 150 }])]) as Span;
    const texts = (most: number) =>
      valueTicks(span, most)
        .sort((a, b) => a.at - b.at)
        .map(({ text }) => text);
    expect(texts(15)).toEqual(["−1", "−0.01", "−1e−4", "−1e−6", "0", "1e−6", "1e−4", "0.01", "1"]);
    expect(texts(2.4)).toEqual(["−1", "0", "1"]);
  });

  test("tells bins by their values", () => {
    const whole = spanned(0, BINS);
    expect([216, 32, MIDDLE, 0, 248].map((bin) => binText(whole, bin))).toEqual([
      "0.875 … 1",
      "−1 … −0.875",
      "0 ± 1.192e−7",
      "−224 and less",
      "224 and more",
    ]);
  });

  test("finds the bin at a place, at its ends the outermost", () => {
    const span = spanned(40, 44);
    expect([-9, 40, 40.9, 41, 43.9, 44, 99].map((at) => binAt(span, at))).toEqual([
      ...[0, 0, 0, 1, 3, 3, 3],
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
    const span = logSpan([seriesOf([{ 40: 100 }, null]), seriesOf([{ 216: 200 }])]) as Span;
    expect(span.cuts[0]).toBe(36); // an octave more at either end
    expect(span.cuts.at(-1)).toBe(221);
    expect(span.to - span.from).toBeCloseTo(
      2 + placeOf(1, span.least) - placeOf(edge(40), span.least),
    );
    expect(logSpan([seriesOf([null])])).toBeUndefined();
    const spike = [...Array.from({ length: 100 }, () => ({ 40: 90 })), { 40: 254 }];
    const size = (code: number) => (SHARES[code] as number) / Math.log2(edge(40) / edge(41));
    const clipped = logSpan([seriesOf(spike)]) as Span;
    expect(clipped.clipped).toBe(true);
    expect(clipped.top).toBeCloseTo(size(90), 9);
  });

  test("octaves about zero that hold next to nothing become one bin, the same for all runs", () => {
    const series = seriesOf([{ 30: 100, 123: 20, 126: 20, 160: 200 }, null, {}]);
    const span = logSpan([series, seriesOf([{ 90: 60, 110: 60, 200: 180 }])]) as Span;
    expect(span.least).toBe(2 ** -20); // 14 bins out is bin 110, which holds too much: 3 octaves
    const row = rowOf(series, 0) as Uint8Array;
    const middle = span.cuts.findIndex((cut, i) => cut + (span.cuts[i + 1] ?? 0) === BINS);
    expect(binText(span, middle)).toBe("0 ± 9.537e−7");
    expect(sharesOf(row, span)[middle]).toBeCloseTo(2 * (SHARES[20] as number), 9);
    expect([span.places[middle], span.places[middle + 1]]).toEqual([-0.5, 0.5]);
    expect(rowOf(series, 1)).toBeUndefined();
    expect(rowOf(series, 2)).toBeDefined();
  });

  test("quantiles lie within their bins", () => {
    const row = rowOf(seriesOf([{ 120: 127, 140: 180, 141: 127 }]), 0) as Uint8Array;
    const [low, first, median, high] = quantiles(row, [0, 0.2, 0.5, 1]) as [
      ...[number, number, number, number],
    ];
    expect([low, high]).toEqual([edge(120), edge(142)]);
    expect(first).toBeCloseTo(0.2 * edge(120) + 0.8 * edge(121), 9);
    expect(median).toBeCloseTo((edge(140) + edge(141)) / 2, 6);
  });

  test.each([
    ["weights", normal(20_000, 0.08)],
    ["small gradients", normal(20_000, 3e-4)],
    ["outputs of a ReLU, most of them 0", normal(20_000, 0.8).map((x) => Math.max(0, x - 0.3))],
  ])("quantiles of %s are near the exact ones", (_, values) => {
    values.sort((a, b) => a - b);
    const row = rowOf(seriesOf([counted(values)]), 0) as Uint8Array;
    const shares = [0.05, 0.25, 0.5, 0.75, 0.95];
    const spread = (values.at(-1) as number) - (values[0] as number);
    for (const [i, found] of quantiles(row, shares).entries()) {
      const exact = values[Math.floor((shares[i] as number) * values.length)] as number;
      if (exact === 0) expect(found).toBe(0);
      else expect(Math.abs(found - exact) / spread).toBeLessThan(0.005);
    }
  });

  test("a linear axis holds nearly all values, its sizes are densities", () => {
    const uniform = Array.from({ length: 40_000 }, (_, i) => 0.25 * ((2 * i + 1) / 40_000 - 1));
    const series = seriesOf([counted(uniform)]);
    const span = linearSpan([series]) as Span;
    expect([span.from, span.to, span.linear, span.beyond]).toEqual([-0.25, 0.25, true, false]);
    const sizes = sizesOf(rowOf(series, 0) as Uint8Array, span);
    for (const size of sizes) expect(Math.abs(size - 2)).toBeLessThan(0.1); // flat: 1 / 0.5
    expect(sharesOf(rowOf(series, 0) as Uint8Array, span).reduce((a, b) => a + b)).toBeCloseTo(
      1,
      1,
    );
    expect(sizes).toHaveLength(31);
    const widths = span.places.slice(1).map((place, i) => place - (span.places[i] as number));
    expect([Math.min(...widths), Math.max(...widths)]).toEqual([2 ** -7, 2 ** -5]);
    expect(binText(span, binAt(span, 0.2))).toBe("0.1875 … 0.2188");
    expect(outline(rowOf(series, 0) as Uint8Array, span).slice(0, 2)).toEqual([
      [-0.25, 0],
      [-0.25, sizes[0]],
    ]);
    expect(peak(rowOf(series, 0) as Uint8Array, span)).toBe(Math.max(...sizes));
    expect(valueTicks(span, 5).map(({ text }) => text)).toEqual([
      "−0.2",
      "−0.1",
      "0",
      "0.1",
      "0.2",
    ]);
  });

  test("on a logarithmic axis what has the same share in every octave is flat", () => {
    const even = Array.from({ length: 40_000 }, (_, i) => 2 ** ((8 * (i + 0.5)) / 40_000 - 10));
    const series = seriesOf([counted(even)]);
    const span = logSpan([series]) as Span;
    const sizes = sizesOf(rowOf(series, 0) as Uint8Array, span).filter((size) => size > 0);
    expect(sizes).toHaveLength(32);
    for (const size of sizes) expect(Math.abs(size - 1 / 8)).toBeLessThan(0.005);
  });

  test("a linear axis leaves out a very rare value, and says so", () => {
    const span = linearSpan([seriesOf([counted([...normal(5000, 0.05), 100])])]);
    expect(span?.to).toBeLessThan(1);
    expect(span?.beyond).toBe(true);
    for (const rare of [240, 30])
      expect(linearSpan([seriesOf([{ 205: 250, [rare]: 4 }])])?.beyond).toBe(true);
    expect(linearSpan([seriesOf([null])])).toBeUndefined();
    const calm = Array.from({ length: 8 }, () => counted(normal(500, 0.05)));
    const exploded = linearSpan([seriesOf([...calm, counted([-200, 90, 3])])]);
    expect([exploded?.from, exploded?.to].map((end) => Math.abs(end ?? 9) < 1)).toEqual([
      true,
      true,
    ]);
    expect(exploded?.beyond).toBe(true);
    const grown = linearSpan([seriesOf([...calm, counted(normal(500, 0.5))])]);
    expect(grown?.to).toBeGreaterThan(1);
  });

  test("bands are cut where nothing was measured", () => {
    const pieces = bandsOf(seriesOf([{ 40: 254 }, null, { 41: 254 }, {}, { 42: 254 }]));
    expect(pieces.map((piece) => piece.map(({ step }) => step))).toEqual([[10], [30], [50]]);
    const [from, to] = [edge(40), edge(41)] as const;
    for (const [i, share] of [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1].entries())
      expect(pieces[0]?.[0]?.values[i]).toBeCloseTo(from + share * (to - from), 9);
  });

  test("shapes begin and end at zero", () => {
    const row = rowOf(seriesOf([{ 40: 127 }]), 0) as Uint8Array;
    expect(ridge(row, spanned(40, 41))).toEqual([
      [40, 0],
      [40.5, 0.5],
      [41, 0],
    ]);
    expect(outline(row, spanned(40, 41))).toEqual([
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
    paintShares(out, series, Int32Array.of(0, 1), spanned(40, 42, SHARES[200]));
    expect(pixels[1]).toBe(0);
    expect(pixels[3]).toBe(0);
    expect(pixels[0]).toBe(0xff25e7fd); // the end of the table, little-endian
    expect(pixels[2]).toBe(0xff540144);
    paintShares(out, series, Int32Array.of(2, -1), spanned(40, 42, SHARES[200]));
    expect([...pixels]).toEqual([0xffd23cf0, 0, 0xffd23cf0, 0]); // the colour of NaN
  });

  test("all runs have the same usual peak", () => {
    const flat = seriesOf([{ 40: 127 }, { 40: 127 }, {}]);
    const high = seriesOf([{ 40: 254 }, null]);
    expect(usualPeak([flat, high], spanned(30, 50), 8)).toBe(0.25);
    expect(usualPeak([seriesOf([null])], spanned(30, 50), 8)).toBe(1);
  });

  test("axes end at round numbers, not far above what they hold", () => {
    expect([0, 0.05, 0.203, 0.4, 0.9, 8.84, 0.128, 1234].map(roundEnd)).toEqual([
      ...[0, 0.05, 0.25, 0.4, 1, 10, 0.15, 1500],
    ]);
  });
});

describe("the axis of steps", () => {
  test("has round ticks", () => {
    const texts = (from: number, to: number) =>
      roundTicks(from, to, 5, String).map(({ text }) => text);
    expect(texts(1, 1000)).toEqual(["200", "400", "600", "800", "1000"]);
    expect(texts(0, 2)).toEqual(["0", "0.5", "1", "1.5", "2"]);
  });

  test("a row holds until the next one, at most as long as is usual", () => {
    expect([...cellsOf([10, 20, 80], 0, 90, 9)]).toEqual([-1, 0, 1, 1, 1, -1, -1, -1, 2]);
    expect([...cellsOf([1, 2, 3, 4, 192], 0, 200, 10)]).toEqual([
      ...[3, -1, -1, -1, -1, -1, -1, -1, -1, 4],
    ]);
    expect([...cellsOf([1, 2, 4, 8, 16, 32], 1, 33, 4)]).toEqual([3, 4, 4, 5]); // ever further apart
    expect([...cellsOf([1], 1, 2, 3)]).toEqual([0, 0, 0]); // a single one is a block
    expect([...cellsOf([], 0, 60, 2)]).toEqual([-1, -1]);
  });

  test("between distant rows nothing was recorded, beside one it is that", () => {
    const steps = [1, 2, 3, 4, 192];
    expect([0, 1, 3.5, 4, 8, 102, 191, 192].map((step) => cellAt(steps, step))).toEqual([
      ...[-1, 0, 2, 3, -1, -1, -1, 4],
    ]);
    expect([6, 191].map((step) => cellAt(steps, step, 2))).toEqual([3, 4]);
    expect(cellAt([], 3)).toBe(-1);
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
