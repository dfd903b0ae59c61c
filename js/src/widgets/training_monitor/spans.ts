// The axis of values in figures of histograms: a place for each bin, or linear.
import { number } from "../../shared/format";
import { times } from "../../shared/times";
import { powerText, roundTicks, type Tick } from "./axis";
import {
  type Folded,
  fold,
  foldedBin,
  hasFinite,
  innerOf,
  MISSING,
  placeOf,
  quantileBin,
  rowOf,
  SHARES,
  valueAt,
  widthOf,
} from "./bins";
import type { Series } from "./types";

export interface Span {
  /** Places are values, and the size of a bin is its density: share / width. */
  linear: boolean;
  /** Bins [first, last) that hold values. */
  first: number;
  last: number;
  /** Their places. */
  from: number;
  to: number;
  inner: number;
  /** The size of the full colour, and whether a few rows have larger ones. */
  top: number;
  clipped: boolean;
  /** Are there values beyond the ends? */
  beyond: boolean;
}

type Ends = Pick<Span, "first" | "last" | "inner" | "linear" | "beyond">;
type Bins = Pick<Span, "inner" | "linear">;

/** Where a bin begins. */
export const edgeOf = ({ linear, inner }: Bins, bin: number): number =>
  linear ? valueAt(bin, inner) : bin;

/** The bin at a place. */
export function binAt({ linear, inner, first, last }: Span, place: number): number {
  const bin = Math.floor(linear ? placeOf(place, inner) : place);
  return Math.min(last - 1, Math.max(first, bin));
}

/** How high a bin is drawn: its share of the values, on a linear axis that by its width. */
export function sizeOf(span: Bins, row: Uint8Array, bin: number): number {
  const share = SHARES[row[bin] as number] as number;
  return span.linear ? share / (edgeOf(span, bin + 1) - edgeOf(span, bin)) : share;
}

/** The largest size in a row. */
export const peak = (row: Uint8Array, span: Span): number => {
  let top = 0;
  for (let bin = span.first; bin < span.last; bin++) top = Math.max(top, sizeOf(span, row, bin));
  return top;
};

/** All rows that have a finite value. */
const rowsOf = (all: readonly Pick<Folded, "codes" | "inner">[]): Uint8Array[] =>
  all.flatMap((one) =>
    times(one.codes.length / widthOf(one.inner), (i) => rowOf(one, i)).filter(
      (row) => row !== undefined && hasFinite(row),
    ),
  ) as Uint8Array[];

/** Nearly all rows have no larger sizes, and no values further out. */
const USUAL = 0.98;
const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.ceil(share * (sorted.length - 1))] as number;
const ascending = (numbers: number[]): number[] => numbers.sort((a, b) => a - b);

function spanned(all: readonly Folded[], ends: Ends): Span {
  const [from, to] = [edgeOf(ends, ends.first), edgeOf(ends, ends.last)];
  const span = { ...ends, from, to, top: 0, clipped: false };
  const tops = ascending(rowsOf(all).map((row) => peak(row, span)));
  const top = at(tops, USUAL);
  return { ...span, top, clipped: (tops.at(-1) as number) > top };
}

const FEWEST = 6;

/** The bins that are used in any row of any of the series; undefined where nothing was measured. */
export function spanOf(all: readonly Folded[]): Span | undefined {
  const inner = all[0]?.inner ?? 0;
  const width = widthOf(inner);
  const used = (code: number) => code > 0 && code < MISSING;
  const rows = rowsOf(all);
  if (!rows.length) return undefined;
  const first = Math.min(...rows.map((row) => row.findIndex(used)));
  const last = 1 + Math.max(...rows.map((row) => row.findLastIndex(used)));
  const pad = Math.max(1, Math.ceil((FEWEST - (last - first)) / 2));
  return spanned(all, {
    ...{ first: Math.max(0, first - pad), last: Math.min(width, last + pad) },
    ...{ inner, linear: false, beyond: false },
  });
}

/** Share of a row's values that a linear axis may leave out at either end. */
const FAR = 0.001;
/** Bins narrower than this part of a linear axis are one. */
const NARROW = 1 / 32;

/** A linear axis that holds nearly all values of nearly all rows, and the series on it. */
export function linearSpan(all: readonly Series[]): { all: Folded[]; span: Span | undefined } {
  const whole = fold(all, 0);
  const rows = rowsOf(whole);
  if (!rows.length) return { all: whole, span: undefined };
  const lows = ascending(rows.map((row) => quantileBin(row, FAR)[0]));
  const highs = ascending(rows.map((row) => quantileBin(row, 1 - FAR)[0]));
  const [low, high] = [at(lows, 1 - USUAL), at(highs, USUAL)];
  const size = Math.max(Math.abs(valueAt(low)), Math.abs(valueAt(high + 1)));
  const inner = innerOf(size * NARROW);
  const [first, last] = [foldedBin(low, inner), foldedBin(high, inner) + 1];
  const beyond = rows.some((row) => row.some((code, bin) => code && (bin < low || bin > high)));
  const folded = fold(all, inner);
  return { all: folded, span: spanned(folded, { first, last, inner, linear: true, beyond }) };
}

/** Powers of ten in the order in which they get a tick: every second one first. */
const POWERS = [0, -2, 2, -4, -6, -1, 1, -3, -5];

/** Ticks of the axis, at least `apart` places from each other where it is not linear. */
export function valueTicks({ linear, from, to, inner }: Span, most: number): Tick[] {
  if (linear) return roundTicks(from, to, most, number);
  const values = [0, ...POWERS.flatMap((power) => [10 ** power, -(10 ** power)])];
  const ticks: Tick[] = [];
  for (const value of values) {
    const at = placeOf(value, inner);
    if (
      at >= from &&
      at <= to &&
      ticks.every((other) => Math.abs(other.at - at) >= (to - from) / most)
    )
      ticks.push({ at, text: powerText(value) });
  }
  return ticks;
}
