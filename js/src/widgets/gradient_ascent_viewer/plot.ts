// Numbers by step as lines of a plot.

export type Range = [low: number, high: number];

/** Lowest and highest finite number; a little around a single one, 0 … 1 if there is but zero. */
export function rangeOf(values: Iterable<number>): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high || (low === 0 && high === 0)) return [0, 1];
  const room = low === high ? Math.abs(low) / 2 : 0;
  return [low - room, high + room];
}

/**
 * Steps that draw the same line in `columns` pixels: of every column the lowest and the highest number,
 * and a step without one where there is a gap.
 */
export function thinned(of: (step: number) => number, length: number, columns: number): number[] {
  const wide = Math.ceil(length / columns);
  if (wide <= 2) return Array.from({ length }, (_, step) => step);
  const steps: number[] = [];
  for (let start = 0; start < length; start += wide) {
    const end = Math.min(length, start + wide);
    const found = new Set<number>();
    let [low, high] = [start, start];
    for (let step = start; step < end; step++) {
      if (!Number.isFinite(of(step))) found.add(step);
      else if (!Number.isFinite(of(low)) || of(step) < of(low)) low = step;
      if (of(step) > of(high)) high = step;
    }
    steps.push(...[...found.add(low).add(high)].sort((a, b) => a - b));
  }
  return steps;
}

/**
 * The mean of what is finite up to `reach` steps before and as many after, so that a line begins and ends where the
 * raw one does; not finite where `of` is not.
 */
export const smoothed =
  (of: (step: number) => number, reach: number) =>
  (step: number): number => {
    let [sum, found] = [of(step), 1];
    if (!Number.isFinite(sum)) return Number.NaN;
    for (let away = 1; away <= reach; away++) {
      const both = of(step - away) + of(step + away);
      if (!Number.isFinite(both)) continue;
      sum += both;
      found += 2;
    }
    return sum / found;
  };

/** An SVG path; what is not finite is left out of it. */
export function pathOf(
  steps: readonly number[],
  of: (step: number) => number,
  x: (step: number) => number,
  y: (value: number) => number,
): string {
  let path = "";
  let pen = "M";
  for (const step of steps) {
    const value = of(step);
    if (!Number.isFinite(value)) {
      pen = "M";
      continue;
    }
    path += `${pen}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  }
  return path;
}
