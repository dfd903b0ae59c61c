// Histograms over time as pictures and shapes.
import { colors } from "../../shared/color";
import { NAN } from "../../shared/look";
import { times } from "../../shared/times";
import { spread } from "./axis";
import { hasFinite, quantiles, rowOf } from "./bins";
import { binAt, peak, type Span, sizesOf } from "./spans";
import type { Series } from "./types";

const nan = Number.parseInt(NAN.slice(1), 16);
/** NAN as a pixel. */
const BROKEN = (0xff000000 | ((nan & 255) << 16) | (nan & 0xff00) | (nan >> 16)) >>> 0;

/**
 * Paints a picture with the largest values at the top; a column shows a row: transparent where there
 * is none, without a finite value in the colour of NaN. By the square root, so that the rare values show.
 */
export function paintShares(out: ImageData, series: Series, rows: Int32Array, span: Span): void {
  const pixels = new Uint32Array(out.data.buffer);
  const table = colors("sequential");
  const { from, to, top } = span;
  const bins = times(out.height, (i) => binAt(span, to - ((i + 0.5) / out.height) * (to - from)));
  rows.forEach((row, column) => {
    const codes = rowOf(series, row);
    const broken = codes && !hasFinite(codes);
    const shown =
      codes &&
      sizesOf(codes, span).map(
        (size) => table[Math.round(255 * Math.sqrt(Math.min(1, size / top)))] as number,
      );
    for (const [i, bin] of bins.entries())
      pixels[i * rows.length + column] = broken ? BROKEN : (shown?.[bin] ?? 0);
  });
}

/** Ends of a band: points (place, size). */
export type Shape = [number, number][];

/** The bins of a row as points: of where they begin, where they end, and how high they are. */
const points = (
  row: Uint8Array,
  span: Span,
  of: (from: number, to: number, size: number) => Shape,
): Shape => [
  [span.from, 0],
  ...sizesOf(row, span).flatMap((size, i) =>
    of(span.places[i] as number, span.places[i + 1] as number, size),
  ),
  [span.to, 0],
];

/** A row as a line through the middles of its bins, ending at zero; by the root of their sizes, so that the rare values show. */
export const ridge = (row: Uint8Array, span: Span): Shape =>
  points(row, span, (from, to, size) => [[(from + to) / 2, Math.sqrt(size)]]);

/** The same as steps, for an outline over bars. */
export const outline = (row: Uint8Array, span: Span): Shape =>
  points(row, span, (from, to, size) => [
    [from, size],
    [to, size],
  ]);

/** Lowest value, 5 %, 25 %, median, 75 %, 95 %, highest. */
export const LEVELS = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];

/** The quantiles of each row that was measured, and its step; pieces that were measured without a gap. */
export function bandsOf(series: Series): { step: number; values: number[] }[][] {
  const pieces: { step: number; values: number[] }[][] = [[]];
  for (const [i, step] of series.steps.entries()) {
    const row = rowOf(series, i);
    if (row && hasFinite(row)) pieces.at(-1)?.push({ step, values: quantiles(row, LEVELS) });
    else if (pieces.at(-1)?.length) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length);
}

/** The median of the peaks of so many rows of each series. */
export function usualPeak(all: readonly Series[], span: Span, most: number): number {
  const peaks = all.flatMap((series) =>
    spread(series.steps, most).flatMap((row) => {
      const found = rowOf(series, row);
      return found && hasFinite(found) ? peak(found, span) : [];
    }),
  );
  return peaks.sort((a, b) => a - b)[peaks.length >> 1] ?? 1;
}
