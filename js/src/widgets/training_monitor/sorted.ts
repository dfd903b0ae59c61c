// Searching and joining of ascending numbers.

/** The first index whose number is at least `x`; the length if none is. */
export function lowerBound(numbers: ArrayLike<number>, x: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the number nearest to `x`, the lower of two; −1 where there is none. */
export function nearest(numbers: ArrayLike<number>, x: number): number {
  const after = lowerBound(numbers, x);
  if (after === numbers.length) return after - 1;
  if (after === 0) return 0;
  const [below, above] = [numbers[after - 1] as number, numbers[after] as number];
  return x - below <= above - x ? after - 1 : after;
}

/** The last index whose number is at most `x`; −1 where there is none. */
export function lastUntil(numbers: ArrayLike<number>, x: number): number {
  const at = lowerBound(numbers, x);
  return numbers[at] === x ? at : at - 1;
}

/** All numbers of both, each once, ascending. */
export function union(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const out: number[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const x = a[i] ?? Number.POSITIVE_INFINITY;
    const y = b[j] ?? Number.POSITIVE_INFINITY;
    out.push(Math.min(x, y));
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return out;
}

/** The number that a share of them lie below, of numbers in ascending order; undefined of none. */
export const quantile = (sorted: ArrayLike<number>, share: number): number | undefined =>
  sorted[Math.round(share * (sorted.length - 1))];
