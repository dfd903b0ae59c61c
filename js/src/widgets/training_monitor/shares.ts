// Histograms over time as pictures and shapes.
import { colors } from "../../shared/color";
import { NAN } from "../../shared/look";
import { spread } from "./axis";
import { type Folded, hasFinite, MISSING, quantiles, rowOf, SHARES, type Span } from "./bins";

/** The colour of each code: by the square root of the share, so that the rare values show; transparent: not measured. */
export function codeColors(top: number): Uint32Array {
  const table = colors("sequential");
  return Uint32Array.from({ length: 256 }, (_, code) =>
    code === MISSING ? 0 : (table[Math.min(255, Math.round((255 * code) / top))] as number),
  );
}

const nan = Number.parseInt(NAN.slice(1), 16);
/** NAN as a pixel. */
const BROKEN = (0xff000000 | ((nan & 255) << 16) | (nan & 0xff00) | (nan >> 16)) >>> 0;

/**
 * Paints a picture as high as there are bins, the largest values at the top; a column shows a row.
 * One without a finite value has the colour of NaN.
 */
export function paintShares(
  out: ImageData,
  series: Folded,
  rows: Int32Array,
  { from, to, top }: Span,
): void {
  const pixels = new Uint32Array(out.data.buffer);
  const lut = codeColors(top);
  rows.forEach((row, column) => {
    const codes = rowOf(series, row);
    const broken = codes && !hasFinite(codes);
    for (let bin = from; bin < to; bin++)
      pixels[(to - 1 - bin) * rows.length + column] = broken
        ? BROKEN
        : (lut[codes?.[bin] ?? MISSING] as number);
  });
}

/** Ends of a band: points (place, size). */
export type Shape = [number, number][];

/** A row as a line through the middles of its bins, ending at zero; by the root of the shares, so that the rare values show. */
export function ridge(row: Uint8Array, { from, to }: Span): Shape {
  const inner = Array.from({ length: to - from }, (_, i): [number, number] => [
    from + i + 0.5,
    Math.sqrt(SHARES[row[from + i] as number] as number),
  ]);
  return [[from, 0], ...inner, [to, 0]];
}

/** The same as steps, for an outline over bars. */
export function outline(row: Uint8Array, { from, to }: Span): Shape {
  const inner = Array.from({ length: to - from }, (_, i): Shape => {
    const share = SHARES[row[from + i] as number] as number;
    return [
      [from + i, share],
      [from + i + 1, share],
    ];
  });
  return [[from, 0], ...inner.flat(), [to, 0]];
}

/** Lowest value, 5 %, 25 %, median, 75 %, 95 %, highest. */
export const LEVELS = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];

/** The quantiles of each row that was measured, and its step; pieces that were measured without a gap. */
export function bandsOf(series: Folded): { step: number; places: number[] }[][] {
  const pieces: { step: number; places: number[] }[][] = [[]];
  for (const [i, step] of series.steps.entries()) {
    const row = rowOf(series, i);
    if (row && hasFinite(row)) pieces.at(-1)?.push({ step, places: quantiles(row, LEVELS) });
    else if (pieces.at(-1)?.length) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length);
}

/** The largest share in a row. */
export const peak = (row: Uint8Array): number => SHARES[Math.max(...row)] as number;

/** The end of an axis of shares that holds this one: 5 %, 10 %, 20 %, 50 % or 100 %. */
export const roundShare = (share: number): number =>
  [0.05, 0.1, 0.2, 0.5].find((end) => end >= share) ?? 1;

/** The median of the peaks of so many rows of each series. */
export function usualPeak(all: readonly Folded[], most: number): number {
  const peaks = all.flatMap((series) =>
    spread(series.steps, most).flatMap((row) => {
      const found = rowOf(series, row);
      return found && hasFinite(found) ? peak(found) : [];
    }),
  );
  return peaks.sort((a, b) => a - b)[peaks.length >> 1] ?? 1;
}
