// Curves with points of their own on one common axis, as uPlot draws them.
import { union } from "./sorted";

/** null: a gap; undefined: no point of this curve, its line goes on. */
export type Aligned = [number[], ...(number | null | undefined)[][]];

export interface Points {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

/** A value that has no place on the axis. */
export const leftOut = (value: number, log: boolean): boolean =>
  !Number.isFinite(value) || (log && value <= 0);

export function align(curves: readonly Points[], log: boolean): Aligned {
  const axes = [...new Set(curves.map(({ x }) => x))];
  const xs = axes.reduce<ArrayLike<number>>(
    (all, x) => (sameNumbers(all, x) ? all : union(all, x)),
    [],
  );
  const ys = curves.map(({ x, y }) => {
    const out = new Array<number | null | undefined>(xs.length).fill(undefined);
    for (let i = 0, j = 0; i < xs.length && j < x.length; i++)
      if (x[j] === xs[i]) {
        const value = y[j++] as number;
        out[i] = leftOut(value, log) ? null : value;
      }
    return out;
  });
  return [Array.from(xs), ...ys];
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
