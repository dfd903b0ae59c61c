// Axes of figures: ticks, and which recorded row is where.
import { count, number } from "../../shared/format";
import { nearest } from "./sorted";

export interface Tick {
  at: number;
  text: string;
}

export interface Axis {
  title: string;
  from: number;
  to: number;
  ticks: readonly Tick[];
}

/** A power of ten as a tick: 100, 0.1, 1e−4. */
export const powerText = (value: number): string =>
  value && Math.abs(value) < 0.01 ? value.toExponential(0).replaceAll("-", "−") : number(value, 1);

/** Round numbers between two, at most so many: 0, 500, 1,000. */
export function roundTicks(
  from: number,
  to: number,
  most: number,
  text: (value: number) => string,
): Tick[] {
  const least = (to - from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  const apart = ([1, 2, 5, 10].find((n) => n * power >= least) ?? 10) * power;
  const first = Math.ceil(from / apart);
  const count = Math.floor(to / apart) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => {
    const at = (first + i) * apart;
    return { at, text: text(at) };
  });
}

/** The row nearest to each column of a picture that reaches from one step to another; −1 outside the run. */
export function columnsOf(
  steps: ArrayLike<number>,
  from: number,
  to: number,
  columns: number,
): Int32Array {
  const wide = (to - from) / columns;
  const first = (steps[0] ?? 0) - wide;
  const last = (steps[steps.length - 1] ?? 0) + wide;
  return Int32Array.from({ length: columns }, (_, column) => {
    const step = from + (column + 0.5) * wide;
    return step < first || step > last ? -1 : nearest(steps, step);
  });
}

/** First and last step of all of these; never the same. */
export function stepsOf(all: readonly { steps: ArrayLike<number> }[]): [number, number] {
  const ends = all.flatMap(({ steps }) =>
    steps.length ? [steps[0] as number, steps[steps.length - 1] as number] : [],
  );
  const from = Math.min(...ends);
  return ends.length ? [from, Math.max(from + 1, ...ends)] : [0, 1];
}

/** At most so many rows, evenly spread over the steps, with the last one. */
export function spread(steps: ArrayLike<number>, most: number): number[] {
  const [from, to] = stepsOf([{ steps }]);
  const rows = Array.from({ length: most }, (_, i) =>
    nearest(steps, from + (i * (to - from)) / (most - 1)),
  );
  return [...new Set(rows)].filter((row) => row >= 0);
}

export const stepAxis = (from: number, to: number): Axis => ({
  ...{ title: "training step", from, to },
  ticks: roundTicks(from, to, 5, count),
});

/** At most so many letters of a name: its end, which tells layers apart. */
export const tail = (name: string, letters: number): string =>
  name.length > letters ? `…${name.slice(1 - letters)}` : name;
