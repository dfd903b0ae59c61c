// The numbers of a map: one value per pixel of its channels, ranges, likeness.
import type { Scale } from "../../shared/color";
import { mapCount, mapSize, type Tensor, valueAt } from "../../shared/wire";
import type { Part, Reduction } from "./types";

const PARTS: Record<Part, (x: number) => number> = {
  all: (x) => x,
  absolute: Math.abs,
  positive: (x) => Math.max(x, 0),
  negative: (x) => Math.min(x, 0),
};

/** Name → start, how a channel is added, and what is made of the sum over so many. */
const REDUCTIONS: Record<
  Reduction,
  [(sum: number, x: number) => number, (sum: number, count: number) => number]
> = {
  max_abs: [(sum, x) => Math.max(sum, Math.abs(x)), (sum) => sum],
  mean_abs: [(sum, x) => sum + Math.abs(x), (sum, count) => sum / count],
  l2: [(sum, x) => sum + x * x, (sum) => Math.sqrt(sum)],
  sum: [(sum, x) => sum + x, (sum) => sum],
  mean: [(sum, x) => sum + x, (sum, count) => sum / count],
};

export const isSigned = (reduction: Reduction, part: Part, flat: boolean): boolean =>
  (flat || reduction === "sum" || reduction === "mean") && (part === "all" || part === "negative");

/** The colours of a range: zero-centred and diverging where there are signs. */
export const rangeOf = (signed: boolean, high: number): Scale => ({
  low: signed ? -high : 0,
  high,
  table: signed ? "activations" : "sequential",
});

/** One value per pixel of map(s) [C, H, W], from channel `first` on: parts of each channel, reduced. */
export function reduced(
  t: Tensor,
  reduction: Reduction,
  part: Part,
  flat: boolean,
  first = 0,
  channels = mapCount(t),
): Float32Array {
  const size = mapSize(t);
  const keep = PARTS[part];
  const [add, end] = flat ? REDUCTIONS.sum : REDUCTIONS[reduction];
  return Float32Array.from({ length: size }, (_, pixel) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum = add(sum, keep(valueAt(t, (first + c) * size + pixel)));
    return end(sum, channels);
  });
}

const known = new WeakMap<Tensor, Map<string, Float32Array>>();

/** The same of a whole tensor, computed once. */
export function shownOf(t: Tensor, reduction: Reduction, part: Part, flat: boolean): Float32Array {
  const key = `${reduction} ${part}`;
  const found = known.get(t) ?? new Map<string, Float32Array>();
  known.set(t, found);
  const values = found.get(key) ?? reduced(t, reduction, part, flat);
  found.set(key, values);
  return values;
}

/** A percentile of the magnitudes, interpolated linearly, of what is finite; 0 of nothing. */
export function limitOf(values: Float32Array, percentile: number): number {
  const sizes = values.filter(Number.isFinite).map(Math.abs).sort();
  if (!sizes.length) return 0;
  const at = ((sizes.length - 1) * percentile) / 100;
  const low = Math.floor(at);
  const [a, b] = [sizes[low] as number, sizes[Math.min(low + 1, sizes.length - 1)] as number];
  return a + (at - low) * (b - a);
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranks(values: Float32Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort(
    (i, j) => (values[i] as number) - (values[j] as number),
  );
  const found = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end] as number] === values[order[start] as number])
      end++;
    for (let i = start; i < end; i++) found[order[i] as number] = (start + end - 1) / 2;
    start = end;
  }
  return found;
}

/** Spearman's rank correlation; NaN if one is constant. What is not measured is left out. */
export function similarity(one: Float32Array, other: Float32Array): number {
  const both = (_: number, i: number) =>
    Number.isFinite(one[i] as number) && Number.isFinite(other[i] as number);
  const [a, b] = [ranks(one.filter(both)), ranks(other.filter(both))];
  const middle = (a.length - 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [(a[i] as number) - middle, (b[i] as number) - middle];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa && bb ? ab / Math.sqrt(aa * bb) : Number.NaN;
}

/** Rank correlations of two maps, whichever way they are shown: of their sizes, and of signed values. */
export interface Likeness {
  sizes: number;
  /** Of maps without signs none. */
  signed: number | undefined;
}

const compared = new WeakMap<Tensor, [Tensor, Likeness]>();

/** The likeness of a map to another, computed once. */
export function likeness(to: Tensor, map: Tensor, flat: boolean, signed: boolean): Likeness {
  const [before, known] = compared.get(map) ?? [];
  if (known && before === to) return known;
  const of = (reduction: Reduction, part: Part) =>
    similarity(shownOf(to, reduction, part, flat), shownOf(map, reduction, part, flat));
  const found = { sizes: of("max_abs", "absolute"), signed: signed ? of("sum", "all") : undefined };
  compared.set(map, [to, found]);
  return found;
}

/** How channels are reduced where signs must not be lost. */
export const signedWay = (reduction: Reduction): Reduction =>
  reduction === "mean" ? "mean" : "sum";

export const minus = (one: Float32Array, other: Float32Array): Float32Array =>
  one.map((x, i) => x - (other[i] as number));
