// The axis of the histograms: a bin for each power of two of either sign, and one about zero, as
// `cnnwidgets/training/bins.py` counts them.
import { number } from "../../shared/format";
import { BINS, type Series } from "./types";

const LOWEST = -23;
const MIDDLE = (BINS - 1) / 2;

export const MISSING = 255;

/** The share that a code stands for; NaN: not measured. */
export const SHARES = Float32Array.from({ length: 256 }, (_, code) =>
  code === MISSING ? Number.NaN : (code / 254) ** 2,
);

/** Of a series whose innermost bins of each sign belong to the one about zero. */
export interface Folded extends Series {
  /** How many of each sign. */
  inner: number;
  /** The codes of all bins. */
  whole: Uint8Array;
}

export const widthOf = (inner: number): number => BINS - 2 * inner;
const leastOf = (inner: number) => 2 ** (LOWEST + inner);

/** Where a bin is once so many of each sign are folded. */
export const foldedBin = (bin: number, inner: number): number =>
  Math.abs(bin - MIDDLE) <= inner ? MIDDLE - inner : bin - (bin > MIDDLE ? 2 * inner : 0);

/** As many bins as have less than this size can be folded. */
export const innerOf = (size: number): number =>
  Math.min(MIDDLE - 1, Math.max(0, Math.floor(Math.log2(size)) - LOWEST));

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

/** Share of the values that may be in the bins that are folded, at any step. */
const FEW = 0.02;

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
  return { ...series, codes: out, inner, whole: codes };
}

/** Series whose bins are the same; those about zero that hold next to nothing are folded by default. */
export const fold = (all: readonly Series[], inner = emptyInside(all)): Folded[] =>
  all.map((series) => folded(series, inner));

/** The bin of a row (with all bins) below which a share of its values is, and the part of it that is below. */
export function quantileBin(row: Uint8Array, share: number): [bin: number, part: number] {
  const sizes = Array.from(row, (code) => SHARES[code] as number);
  const last = sizes.findLastIndex((size) => size > 0);
  let left = share * sizes.reduce((a, b) => a + b, 0);
  let bin = sizes.findIndex((size) => size > 0);
  while (bin < last && (sizes[bin] as number) < left) left -= sizes[bin++] as number;
  return [bin, Math.min(1, left / (sizes[bin] as number))];
}

/** The values below which these shares of a row (with all bins) are, spread evenly in a bin; those about zero are zero. */
export function quantiles(row: Uint8Array, shares: readonly number[]): number[] {
  return shares.map((share) => {
    const [bin, part] = quantileBin(row, share);
    return bin === MIDDLE ? 0 : (1 - part) * valueAt(bin) + part * valueAt(bin + 1);
  });
}
