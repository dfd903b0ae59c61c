// Histograms over time as pictures and shapes.
import { colors } from "../../shared/color";
import { NAN } from "../../shared/look";
import { times } from "../../shared/times";
import { spread } from "./axis";
import { type Folded, hasFinite, quantiles, rowOf } from "./bins";
import { binAt, edgeOf, peak, type Span, sizeOf } from "./spans";

const nan = Number.parseInt(NAN.slice(1), 16);
/** NAN as a pixel. */
const BROKEN = (0xff000000 | ((nan & 255) << 16) | (nan & 0xff00) | (nan >> 16)) >>> 0;

/**
 * Paints a picture with the largest values at the top; a column shows a row: transparent where there
 * is none, without a finite value in the colour of NaN. By the square root, so that the rare values show.
 */
export function paintShares(out: ImageData, series: Folded, rows: Int32Array, span: Span): void {
  const pixels = new Uint32Array(out.data.buffer);
  const table = colors("sequential");
  const { from, to, top } = span;
  const bins = times(out.height, (i) => binAt(span, to - ((i + 0.5) / out.height) * (to - from)));
  rows.forEach((row, column) => {
    const codes = rowOf(series, row);
    const broken = codes && !hasFinite(codes);
    for (const [i, bin] of bins.entries()) {
      const share = codes && Math.min(1, sizeOf(span, codes, bin) / top);
      pixels[i * rows.length + column] = broken
        ? BROKEN
        : share === undefined
          ? 0
          : (table[Math.round(255 * Math.sqrt(share))] as number);
    }
  });
}

/** Ends of a band: points (place, size). */
export type Shape = [number, number][];

/** The bins of a span as points. */
const points = (span: Span, of: (bin: number) => Shape): Shape => [
  [span.from, 0],
  ...times(span.last - span.first, (i) => of(span.first + i)).flat(),
  [span.to, 0],
];

/** A row as a line through the middles of its bins, ending at zero; by the root of their sizes, so that the rare values show. */
export const ridge = (row: Uint8Array, span: Span): Shape =>
  points(span, (bin) => [
    [(edgeOf(span, bin) + edgeOf(span, bin + 1)) / 2, Math.sqrt(sizeOf(span, row, bin))],
  ]);

/** The same as steps, for an outline over bars. */
export const outline = (row: Uint8Array, span: Span): Shape =>
  points(span, (bin) => {
    const size = sizeOf(span, row, bin);
    return [
      [edgeOf(span, bin), size],
      [edgeOf(span, bin + 1), size],
    ];
  });

/** Lowest value, 5 %, 25 %, median, 75 %, 95 %, highest. */
export const LEVELS = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];

/** The quantiles of each row that was measured, and its step; pieces that were measured without a gap. */
export function bandsOf(series: Folded): { step: number; values: number[] }[][] {
  const pieces: { step: number; values: number[] }[][] = [[]];
  for (const [i, step] of series.steps.entries()) {
    const row = rowOf({ codes: series.whole, inner: 0 }, i);
    if (row && hasFinite(row)) pieces.at(-1)?.push({ step, values: quantiles(row, LEVELS) });
    else if (pieces.at(-1)?.length) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length);
}

/** The median of the peaks of so many rows of each series. */
export function usualPeak(all: readonly Folded[], span: Span, most: number): number {
  const peaks = all.flatMap((series) =>
    spread(series.steps, most).flatMap((row) => {
      const found = rowOf(series, row);
      return found && hasFinite(found) ? peak(found, span) : [];
    }),
  );
  return peaks.sort((a, b) => a - b)[peaks.length >> 1] ?? 1;
}
