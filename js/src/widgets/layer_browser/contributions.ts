// The sums of a pixel receipt, in the order to read them.
import { times } from "../../shared/times";

/** Up to this many input channels are shown at first. */
export const FIRST_SHOWN = 6;

export interface Contribution {
  /** Place in the patch; the layer's input channel is `first + index`. */
  index: number;
  sum: number;
  /** Total of this and all contributions above it. */
  running: number;
}

/** Every input channel's sum, in channel order or largest first when not all are shown. */
export function contributions(sums: ArrayLike<number>, all: boolean): Contribution[] {
  const rows = times(sums.length, (index) => ({
    index,
    sum: sums[index] ?? 0,
    running: 0,
  }));
  const shortened = !all && rows.length > FIRST_SHOWN;
  if (shortened) rows.sort((p, q) => Math.abs(q.sum) - Math.abs(p.sum) || p.index - q.index);
  let running = 0;
  for (const row of rows) {
    running += row.sum;
    row.running = running;
  }
  return shortened ? rows.slice(0, FIRST_SHOWN) : rows;
}
