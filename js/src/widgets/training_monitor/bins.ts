// The axis of the histograms: a bin for each power of two of either sign, and one about zero, as
// `cnnwidgets/training/bins.py` counts them.
import { number } from "../../shared/format";
import type { Tick } from "./axis";
import { BINS, type Series } from "./types";

const LOWEST = -23;
const LEAST = 2 ** LOWEST;
const MIDDLE = BINS / 2;

export const MISSING = 255;

/** The share that a code stands for; NaN: not measured. */
export const SHARES = Float32Array.from({ length: 256 }, (_, code) =>
  code === MISSING ? Number.NaN : (code / 254) ** 2,
);

/** Where a value is on the axis: bin i is from place i to i + 1. Logarithmic, about zero linear. */
export function placeOf(value: number): number {
  const size = Math.abs(value);
  const away = size < LEAST ? size / LEAST / 2 : Math.log2(size) - LOWEST + 0.5;
  return MIDDLE + Math.sign(value) * Math.min(MIDDLE, away);
}

/** The value at a place. */
export function valueAt(place: number): number {
  const away = Math.abs(place - MIDDLE);
  const size = away < 0.5 ? 2 * away * LEAST : 2 ** (LOWEST + away - 0.5);
  return Math.sign(place - MIDDLE) * size;
}

/** The values that a bin holds: "0.25 … 0.5". */
export function binText(bin: number): string {
  if (bin === 0) return `${number(valueAt(1))} and less`;
  if (bin === BINS - 1) return `${number(valueAt(bin))} and more`;
  if (bin === MIDDLE - 0.5) return `0 ± ${number(LEAST)}`;
  return `${number(valueAt(bin))} … ${number(valueAt(bin + 1))}`;
}

/** Powers of ten in the order in which they get a tick: every second one first. */
const POWERS = [0, -2, 2, -4, -6, -1, 1, -3, -5];

const tickText = (value: number): string =>
  value && Math.abs(value) < 0.01 ? value.toExponential(0).replaceAll("-", "−") : number(value, 1);

/** Ticks of the axis between two places, at least `apart` from each other. */
export function valueTicks(from: number, to: number, apart: number): Tick[] {
  const values = [0, ...POWERS.flatMap((power) => [10 ** power, -(10 ** power)])];
  const ticks: Tick[] = [];
  for (const value of values) {
    const at = placeOf(value);
    if (at >= from && at <= to && ticks.every((other) => Math.abs(other.at - at) >= apart))
      ticks.push({ at, text: tickText(value) });
  }
  return ticks;
}

export interface Span {
  /** Bins [from, to) that hold values. */
  from: number;
  to: number;
  /** The highest code. */
  top: number;
}

const FEWEST = 6;

/** The bins that are used in any row of any of the series; undefined where nothing was measured. */
export function spanOf(all: readonly Series[]): Span | undefined {
  let [from, to, top] = [BINS, 0, 0];
  for (const { codes } of all)
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i] as number;
      if (!code || code === MISSING) continue;
      const bin = i % BINS;
      if (bin < from) from = bin;
      if (bin >= to) to = bin + 1;
      if (code > top) top = code;
    }
  if (!top) return undefined;
  const pad = Math.max(1, Math.ceil((FEWEST - (to - from)) / 2));
  return { from: Math.max(0, from - pad), to: Math.min(BINS, to + pad), top };
}

/** The codes of one row; undefined where it was not measured, or there is no such row. */
export function rowOf({ codes }: Series, row: number): Uint8Array | undefined {
  const found = codes.subarray(row * BINS, (row + 1) * BINS);
  return row < 0 || found.length < BINS || found[0] === MISSING ? undefined : found;
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
    const size = sizes[bin] as number;
    return bin + (size ? Math.min(1, (wanted - below) / size) : 0);
  });
}
