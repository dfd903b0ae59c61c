import { TILE } from "./look";

export interface GridWindow {
  columns: number;
  rows: number;
  /** Height of a row with the gap below it, in CSS pixels. */
  pitch: number;
  /** The first row that is kept in the page, and how many. */
  first: number;
  kept: number;
  /** The positions [from, to) in those rows. */
  from: number;
  to: number;
}

/** Which part of a grid to keep in the page: the rows on screen and a few around them. */
export function gridWindow(
  width: number,
  height: number,
  top: number,
  tile: number,
  count: number,
  tileHeight = tile,
): GridWindow {
  const pitch = tileHeight + TILE.caption + TILE.gap;
  const columns = Math.max(1, Math.floor((width + TILE.gap) / (tile + TILE.gap)));
  const rows = Math.ceil(count / columns);
  const kept = width ? Math.min(rows, Math.ceil(height / pitch) + 1 + 2 * TILE.overscan) : 0;
  const first = Math.max(0, Math.min(Math.floor(top / pitch) - TILE.overscan, rows - kept));
  return {
    columns,
    rows,
    pitch,
    first,
    kept,
    from: first * columns,
    to: Math.min(count, (first + kept) * columns),
  };
}

/** The row that a slot shows: rows keep their slot, and so their canvases, while they are on screen. */
export const rowInSlot = (slot: number, { first, kept }: GridWindow): number =>
  first + ((((slot - first) % kept) + kept) % kept);

/** Where a key leads from a position; undefined for other keys. */
export function gridMove(
  key: string,
  at: number,
  columns: number,
  count: number,
): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: count - 1,
  };
  const to = steps[key];
  if (to === undefined) return undefined;
  // Below the last full row there may be nothing; up and down then stay in their column.
  if (to < 0 || to >= count) return at;
  return to;
}
