// The axis of values in figures of histograms, logarithmic or linear, and the bins that are drawn on it.
import { number } from "../../shared/format";
import { times } from "../../shared/times";
import { powerText, roundTicks, type Tick } from "./axis";
import { EDGES, hasFinite, MIDDLE, MISSING, PARTS, quantileBin, rowOf, SHARES } from "./bins";
import { BINS, type Series } from "./types";

export interface Span {
  /** Places are values; else octaves away from zero. */
  linear: boolean;
  /** What is drawn as one bin: those that were recorded from cuts[i] to cuts[i + 1]. */
  cuts: readonly number[];
  /** Where cuts are on the axis. */
  places: readonly number[];
  from: number;
  to: number;
  /** The end of the bin about zero. */
  least: number;
  /** The size of the full colour, and whether a few rows have larger ones. */
  top: number;
  clipped: boolean;
  /** Are there values beyond the ends? */
  beyond: boolean;
}

/** Where a value is on the logarithmic axis, which is linear about zero. */
export function placeOf(value: number, least: number): number {
  const size = Math.abs(value) / least;
  return Math.sign(value) * (size < 1 ? size / 2 : Math.log2(size) + 0.5);
}

/** The bin at a place. */
export function binAt({ places }: Span, place: number): number {
  const next = places.findIndex((end, i) => i && end > place);
  return (next < 0 ? places.length : next + 1) - 2;
}

/** The values that a bin holds: "0.25 … 0.3125". */
export function binText({ cuts }: Span, bin: number): string {
  const [low, high] = cuts.slice(bin, bin + 2) as [number, number];
  const text = (cut: number) => number(EDGES[cut] as number);
  if (!low) return `${text(high)} and less`;
  if (high === BINS) return `${text(low)} and more`;
  if (low + high === BINS) return `0 ± ${text(high)}`;
  return `${text(low)} … ${text(high)}`;
}

/** Share of a row's values in each bin. */
export const sharesOf = (row: Uint8Array, { cuts }: Span): number[] =>
  times(cuts.length - 1, (i) => {
    let held = 0;
    for (let bin = cuts[i] as number; bin < (cuts[i + 1] as number); bin++)
      held += SHARES[row[bin] as number] as number;
    return held;
  });

/** How high each bin is drawn: its share of the values by its width on the axis. */
export const sizesOf = (row: Uint8Array, span: Span): number[] =>
  sharesOf(row, span).map(
    (share, i) => share / ((span.places[i + 1] as number) - (span.places[i] as number)),
  );

/** The largest size in a row. */
export const peak = (row: Uint8Array, span: Span): number => Math.max(...sizesOf(row, span));

/** All rows that have a finite value. */
const rowsOf = (all: readonly Series[]): Uint8Array[] =>
  all.flatMap((one) =>
    times(one.codes.length / BINS, (i) => rowOf(one, i)).filter(
      (row) => row !== undefined && hasFinite(row),
    ),
  ) as Uint8Array[];

/** Nearly all rows have no larger sizes, and no values further out. */
const USUAL = 0.98;
const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.ceil(share * (sorted.length - 1))] as number;
const ascending = (numbers: number[]): number[] => numbers.sort((a, b) => a - b);

/** The cuts of both signs that are this far from zero. */
function cutsAt(kept: (value: number) => boolean): number[] {
  const cuts = times(BINS + 1, (i) => i);
  return cuts.filter((i) => kept(Math.abs(EDGES[i] as number)));
}

function spanned(
  rows: readonly Uint8Array[],
  cuts: number[],
  linear: boolean,
  least: number,
  beyond: boolean,
): Span {
  const places = cuts.map((cut) => {
    const value = EDGES[cut] as number;
    return linear ? value : placeOf(value, least);
  });
  const [from, to] = [places[0] as number, places.at(-1) as number];
  const span = { linear, cuts, places, from, to, least, beyond, top: 0, clipped: false };
  const tops = ascending(rows.map((row) => peak(row, span)));
  const top = at(tops, USUAL);
  return { ...span, top, clipped: (tops.at(-1) as number) > top };
}

/** Share of the values that may be in the octaves next to zero that become one bin, at any step. */
const FEW = 0.02;

/** How many octaves of either sign next to zero hold next to nothing in all rows. */
function emptyInside(rows: readonly Uint8Array[]): number {
  let least = MIDDLE - PARTS;
  for (const row of rows) {
    let [held, k] = [0, 0];
    while (k < least) {
      held += SHARES[row[MIDDLE - k - 1] as number] as number;
      held += SHARES[row[MIDDLE + k + 1] as number] as number;
      if (held > FEW) break;
      k++;
    }
    least = k;
  }
  return Math.floor(least / PARTS);
}

const FEWEST = 6 * PARTS;

/** A logarithmic axis of the bins that are used in any row of any of the series; undefined where nothing was measured. */
export function logSpan(all: readonly Series[]): Span | undefined {
  const rows = rowsOf(all);
  if (!rows.length) return undefined;
  const least = EDGES[MIDDLE + 1 + PARTS * emptyInside(rows)] as number;
  const cuts = cutsAt((value) => value >= least);
  const used = (code: number) => code > 0 && code < MISSING;
  const low = Math.min(...rows.map((row) => row.findIndex(used)));
  const high = 1 + Math.max(...rows.map((row) => row.findLastIndex(used)));
  const first = cuts.findLastIndex((cut) => cut <= low);
  const last = cuts.findIndex((cut) => cut >= high);
  const pad = Math.max(PARTS, Math.ceil((FEWEST - (last - first)) / 2));
  return spanned(rows, cuts.slice(Math.max(0, first - pad), last + pad + 1), false, least, false);
}

/** Share of a row's values that a linear axis may leave out at either end. */
const FAR = 0.001;
/** Rows that reach this many times as far as three of four explode: they do not set the axis. */
const EXPLODED = 16;
/** Bins narrower than this part of a linear axis' longer side are drawn as one. */
const NARROW = 1 / 24;

/** A linear axis that holds nearly all values of nearly all rows; undefined where nothing was measured. */
export function linearSpan(all: readonly Series[]): Span | undefined {
  const rows = rowsOf(all);
  if (!rows.length) return undefined;
  const ends = rows.map((row) => [quantileBin(row, FAR)[0], quantileBin(row, 1 - FAR)[0]] as const);
  const reach = ([low, high]: readonly [number, number]) =>
    Math.max(Math.abs(EDGES[low] as number), Math.abs(EDGES[high + 1] as number));
  const farthest = EXPLODED * at(ascending(ends.map(reach)), 0.75);
  const calm = ends.filter((end) => reach(end) <= farthest);
  const low = at(ascending(calm.map(([low]) => low)), 1 - USUAL);
  const high = at(ascending(calm.map(([, high]) => high)), USUAL);
  const size = reach([low, high]);
  const least = 2 ** Math.floor(Math.log2(size * NARROW));
  const cuts = cutsAt((value) => value % least === 0);
  const first = cuts.findLastIndex((cut) => cut <= low);
  const last = cuts.findIndex((cut) => cut > high);
  const beyond = rows.some((row) => row.some((code, bin) => code && (bin < low || bin > high)));
  return spanned(rows, cuts.slice(first, last + 1), true, least, beyond);
}

/** Powers of ten in the order in which they get a tick: every second one first. */
const POWERS = [0, -2, 2, -4, -6, -1, 1, -3, -5];

/** Ticks of the axis, at least `apart` places from each other where it is not linear. */
export function valueTicks({ linear, from, to, least }: Span, most: number): Tick[] {
  if (linear) return roundTicks(from, to, most, number);
  const values = [0, ...POWERS.flatMap((power) => [10 ** power, -(10 ** power)])];
  const ticks: Tick[] = [];
  for (const value of values) {
    const at = placeOf(value, least);
    if (
      at >= from &&
      at <= to &&
      ticks.every((other) => Math.abs(other.at - at) >= (to - from) / most)
    )
      ticks.push({ at, text: powerText(value) });
  }
  return ticks;
}
