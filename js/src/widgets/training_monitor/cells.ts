// Which recorded row is shown where: a row holds until the next one, or as long as is usual.
import { lowerBound, nearest } from "./sorted";

/** A row holds at most so many times as long as the one before it did. */
const LONGER = 3;

/** The median of the distances between rows. */
function usualOf(steps: ArrayLike<number>): number {
  const gaps = Array.from(
    { length: Math.max(0, steps.length - 1) },
    (_, i) => (steps[i + 1] as number) - (steps[i] as number),
  );
  return gaps.sort((a, b) => a - b)[(gaps.length - 1) >> 1] ?? 1;
}

/** Does a row still hold at a later step? */
function holds(steps: ArrayLike<number>, usual: number, row: number, step: number): boolean {
  const at = steps[row] as number;
  const before = row ? at - (steps[row - 1] as number) : 0;
  return step - at < Math.max(usual, LONGER * before);
}

/** The row of each column of a picture that reaches from one step to another; −1: not recorded. */
export function cellsOf(
  steps: ArrayLike<number>,
  from: number,
  to: number,
  columns: number,
): Int32Array {
  const usual = usualOf(steps);
  const wide = (to - from) / columns;
  return Int32Array.from({ length: columns }, (_, column) => {
    const start = from + column * wide;
    const end = column === columns - 1 ? Number.POSITIVE_INFINITY : start + wide;
    const row = lowerBound(steps, end) - 1;
    if (row < 0) return -1;
    return (steps[row] as number) >= start || holds(steps, usual, row, start) ? row : -1;
  });
}

/** The row that is shown at a step, or within a column of it; −1: not recorded. */
export function cellAt(steps: ArrayLike<number>, step: number, column = 0): number {
  const near = nearest(steps, step);
  if (near < 0 || Math.abs((steps[near] as number) - step) <= column) return near;
  const row = (steps[near] as number) > step ? near - 1 : near;
  return row >= 0 && holds(steps, usualOf(steps), row, step) ? row : -1;
}
