// The bins of the histograms: four for each power of two of either sign, and one about zero, as
// `cnnwidgets/training/bins.py` counts them.
import { BINS, type Series } from "./types";

const LOWEST = -23;
/** Bins of an octave, equally wide. */
export const PARTS = 4;
/** The bin about zero. */
export const MIDDLE = (BINS - 1) / 2;

export const MISSING = 255;

/** Bin i is from edge i to edge i + 1. */
export const EDGES = Float64Array.from({ length: BINS + 1 }, (_, i) => {
  const away = i - BINS / 2;
  const k = Math.abs(away) - 0.5;
  return Math.sign(away) * 2 ** (LOWEST + Math.floor(k / PARTS)) * (1 + (k % PARTS) / PARTS);
});

/** The share that a code stands for; NaN: not measured. */
export const SHARES = Float32Array.from({ length: 256 }, (_, code) =>
  code === MISSING ? Number.NaN : (code / 254) ** 2,
);

/** The codes of one row; undefined where it was not measured, or there is no such row. */
export function rowOf({ codes }: Pick<Series, "codes">, row: number): Uint8Array | undefined {
  const found = codes.subarray(row * BINS, (row + 1) * BINS);
  return row < 0 || found.length < BINS || found[0] === MISSING ? undefined : found;
}

/** Is any value of a row finite? */
export const hasFinite = (row: Uint8Array): boolean => row.some((code) => code > 0);

/** The bin of a row below which a share of its values is, and the part of it that is below. */
export function quantileBin(row: Uint8Array, share: number): [bin: number, part: number] {
  const sizes = Array.from(row, (code) => SHARES[code] as number);
  const last = sizes.findLastIndex((size) => size > 0);
  let left = share * sizes.reduce((a, b) => a + b, 0);
  let bin = sizes.findIndex((size) => size > 0);
  while (bin < last && (sizes[bin] as number) < left) left -= sizes[bin++] as number;
  return [bin, Math.min(1, left / (sizes[bin] as number))];
}

/** The values below which these shares of a row are, spread evenly in a bin; those about zero are zero. */
export function quantiles(row: Uint8Array, shares: readonly number[]): number[] {
  return shares.map((share) => {
    const [bin, part] = quantileBin(row, share);
    const [low, high] = EDGES.subarray(bin, bin + 2) as unknown as [number, number];
    return bin === MIDDLE ? 0 : (1 - part) * low + part * high;
  });
}
