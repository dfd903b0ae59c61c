// The axis of the histograms: a bin for each power of two of either sign, and one about zero, as
// `cnnwidgets/training/bins.py` counts them.
import { number } from "../../shared/format";
import { powerText, type Tick } from "./axis";
import { BINS, type Series } from "./types";

const LOWEST = -23;
const MIDDLE = (BINS - 1) / 2;

export const MISSING = 255;

/** The share that a code stands for; NaN: not measured. */
export const SHARES = Float32Array.from({ length: 256 }, (_, code) =>
  code === MISSING ? Number.NaN : (code / 254) ** 2,
);

/** Of a series whose innermost bins of each sign, which hold next to nothing, belong to the one about zero. */
export interface Folded extends Series {
  /** How many of each sign. */
  inner: number;
}

const widthOf = (inner: number) => BINS - 2 * inner;
const leastOf = (inner: number) => 2 ** (LOWEST + inner);

/** Where a value is on the axis: bin i is from place i to i + 1. Logarithmic, about zero linear. */
export function placeOf(value: number, inner = 0): number {
  const [size, least, half] = [Math.abs(value), leastOf(inner), widthOf(inner) / 2];
  const away = size < least ? size / least / 2 : Math.log2(size / least) + 0.5;
  return half + Math.sign(value) * Math.min(half, away);
}

/** The value at a place. */
export function valueAt(place: number, inner = 0): number {
  const [away, least] = [place - widthOf(inner) / 2, leastOf(inner)];
  const size = Math.abs(away);
  return Math.sign(away) * least * (size < 0.5 ? 2 * size : 2 ** (size - 0.5));
}

/** The values that a bin holds: "0.25 … 0.5". */
export function binText(bin: number, inner = 0): string {
  const text = (place: number) => number(valueAt(place, inner));
  if (bin === 0) return `${text(1)} and less`;
  if (bin === widthOf(inner) - 1) return `${text(bin)} and more`;
  if (bin === MIDDLE - inner) return `0 ± ${text(bin + 1)}`;
  return `${text(bin)} … ${text(bin + 1)}`;
}

/** Powers of ten in the order in which they get a tick: every second one first. */
const POWERS = [0, -2, 2, -4, -6, -1, 1, -3, -5];

/** Ticks of the axis between two places, at least `apart` from each other. */
export function valueTicks({ from, to, inner }: Span, apart: number): Tick[] {
  const values = [0, ...POWERS.flatMap((power) => [10 ** power, -(10 ** power)])];
  const ticks: Tick[] = [];
  for (const value of values) {
    const at = placeOf(value, inner);
    if (at >= from && at <= to && ticks.every((other) => Math.abs(other.at - at) >= apart))
      ticks.push({ at, text: powerText(value) });
  }
  return ticks;
}

export interface Span {
  /** Bins [from, to) that hold values. */
  from: number;
  to: number;
  /** The code of the full colour, and whether a few rows have higher ones. */
  top: number;
  clipped: boolean;
  inner: number;
}

const FEWEST = 6;
/** Share of the values that may be in the bins that are folded, at any step. */
const FEW = 0.02;

/** The highest codes of nearly all rows. */
const USUAL = 0.98;

/** The bins that are used in any row of any of the series; undefined where nothing was measured. */
export function spanOf(all: readonly Folded[]): Span | undefined {
  const inner = all[0]?.inner ?? 0;
  const width = widthOf(inner);
  let [from, to] = [width, 0];
  const tops: number[] = [];
  for (const { codes } of all)
    for (let start = 0; start < codes.length; start += width) {
      let top = 0;
      for (let bin = 0; bin < width; bin++) {
        const code = codes[start + bin] as number;
        if (!code || code === MISSING) continue;
        if (bin < from) from = bin;
        if (bin >= to) to = bin + 1;
        if (code > top) top = code;
      }
      if (top) tops.push(top);
    }
  if (!tops.length) return undefined;
  const pad = Math.max(1, Math.ceil((FEWEST - (to - from)) / 2));
  tops.sort((a, b) => a - b);
  const top = tops[Math.ceil(USUAL * (tops.length - 1))] as number;
  return {
    ...{ from: Math.max(0, from - pad), to: Math.min(width, to + pad), inner },
    ...{ top, clipped: (tops.at(-1) as number) > top },
  };
}

/** The codes of one row; undefined where it was not measured, or there is no such row. */
export function rowOf(
  { codes, inner }: Pick<Folded, "codes" | "inner">,
  row: number,
): Uint8Array | undefined {
  const width = widthOf(inner);
  const found = codes.subarray(row * width, (row + 1) * width);
  return row < 0 || found.length < width || found[0] === MISSING ? undefined : found;
}

/** Is any value of a row finite? */
export const hasFinite = (row: Uint8Array): boolean => row.some((code) => code > 0);

/** How many bins of each sign next to the one about zero hold next to nothing, at all steps of all series. */
function emptyInside(all: readonly Series[]): number {
  let least = MIDDLE - 1;
  for (const { codes } of all)
    for (let start = 0; start < codes.length; start += BINS) {
      if (codes[start] === MISSING) continue;
      let [held, k] = [0, 0];
      while (k < least) {
        const at = start + MIDDLE;
        held += SHARES[codes[at - k - 1] as number] as number;
        held += SHARES[codes[at + k + 1] as number] as number;
        if (held > FEW) break;
        k++;
      }
      least = k;
    }
  return least;
}

function folded(series: Series, inner: number): Folded {
  const { codes } = series;
  const width = widthOf(inner);
  const out = new Uint8Array((codes.length / BINS) * width);
  for (let from = 0, to = 0; from < codes.length; from += BINS, to += width) {
    const middle = codes.subarray(from + MIDDLE - inner, from + MIDDLE + inner + 1);
    const held = middle.reduce((sum, code) => sum + (SHARES[code] as number), 0);
    out.set(codes.subarray(from, from + MIDDLE - inner), to);
    out[to + MIDDLE - inner] = Number.isNaN(held)
      ? MISSING
      : Math.min(254, Math.round(254 * Math.sqrt(held)));
    out.set(codes.subarray(from + MIDDLE + inner + 1, from + BINS), to + MIDDLE - inner + 1);
  }
  return { ...series, codes: out, inner };
}

/** Series with an axis that fits all of them. */
export function fold(all: readonly Series[]): Folded[] {
  const inner = emptyInside(all);
  return all.map((series) => folded(series, inner));
}

/** The ends of a bin; of the one about zero only the sides on which there are values. */
function endsOf(sizes: readonly number[], bin: number): [number, number] {
  const middle = (sizes.length - 1) / 2;
  if (bin !== middle) return [bin, bin + 1];
  const some = (from: number, to: number) => sizes.slice(from, to).some((size) => size > 0);
  const half = middle + 0.5;
  return [some(0, middle) ? middle : half, some(middle + 1, sizes.length) ? middle + 1 : half];
}

/** The places below which these shares (ascending) of a row's values lie, as far as the bins tell. */
export function quantiles(row: Uint8Array, shares: readonly number[]): number[] {
  const sizes = Array.from(row, (code) => SHARES[code] as number);
  const total = sizes.reduce((a, b) => a + b, 0);
  const last = sizes.findLastIndex((size) => size > 0);
  let [bin, below] = [sizes.findIndex((size) => size > 0), 0];
  return shares.map((share) => {
    const wanted = share * total;
    while (bin < last && below + (sizes[bin] as number) < wanted) {
      below += sizes[bin] as number;
      bin++;
    }
    const [from, to] = endsOf(sizes, bin);
    return from + (to - from) * Math.min(1, (wanted - below) / (sizes[bin] as number));
  });
}
