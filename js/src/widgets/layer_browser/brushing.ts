// Receptive fields both ways: the pixels a unit sees, the units that see a pixel.
import type { Rect } from "./types";

/** Input pixels [low, high) that each row (or column) of units sees; empty without spatial axes. */
export type Bounds = ArrayLike<number>;

const at = (bounds: Bounds, unit: number): [number, number] => [
  bounds[2 * unit] ?? 0,
  bounds[2 * unit + 1] ?? 0,
];

export function seenBy(rows: Bounds, columns: Bounds, row: number, column: number): Rect | null {
  const [top, bottom] = at(rows, row);
  const [left, right] = at(columns, column);
  if (top >= bottom || left >= right) return null; // beyond the map, or sees only padding
  return { top, left, bottom, right };
}

function unitsOver(bounds: Bounds, pixel: number): [number, number] | null {
  let first = -1;
  let last = -1;
  for (let unit = 0; 2 * unit < bounds.length; unit++) {
    const [low, high] = at(bounds, unit);
    if (pixel < low || pixel >= high) continue;
    if (first < 0) first = unit;
    last = unit + 1;
  }
  return first < 0 ? null : [first, last];
}

export function unitsThatSee(
  rows: Bounds,
  columns: Bounds,
  row: number,
  column: number,
): Rect | null {
  const vertical = unitsOver(rows, row);
  const horizontal = unitsOver(columns, column);
  if (!vertical || !horizontal) return null;
  return { top: vertical[0], bottom: vertical[1], left: horizontal[0], right: horizontal[1] };
}

/** "rows 0–2, columns 4–6", counted from 0 as in an array. */
export function rectWords({ top, left, bottom, right }: Rect): string {
  const span = (word: string, first: number, last: number) =>
    last - first === 1 ? `${word} ${first}` : `${word}s ${first}–${last - 1}`;
  return `${span("row", top, bottom)}, ${span("column", left, right)}`;
}
