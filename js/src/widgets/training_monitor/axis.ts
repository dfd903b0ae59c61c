// Axes of figures: ticks, and which recorded row is where.
import { count, number } from "../../shared/format";
import { times } from "../../shared/times";
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

/** Of a power of ten. */
const ROUND = [1, 2, 2.5, 5];
/** Distances that differ by less are the same. */
const EXACT = 1e-9;
/** Two numbers on an axis do not tell how it runs. */
const FEWEST = 3;

/** The multiples of a number between two. */
function multiples(from: number, to: number, apart: number): number[] {
  const first = Math.ceil(from / apart - EXACT);
  const count = Math.floor(to / apart + EXACT) - first + 1;
  return times(Math.max(0, count), (i) => (first + i) * apart);
}

/** The distance that gives at most so many ticks, or a smaller one where these would be too few. */
export function tickPlaces(
  [from, to]: readonly [number, number],
  most: number,
  distances: readonly number[],
): { apart: number; places: number[] } {
  const least = ((to - from) / Math.max(1, most)) * (1 - EXACT);
  const enough = distances.findIndex((one) => one >= least);
  let i = enough < 0 ? distances.length - 1 : enough;
  const at = () => multiples(from, to, distances[i] as number);
  while (i > 0 && at().length < FEWEST) i--;
  return { apart: distances[i] as number, places: at() };
}

/** Significant digits that a multiple of a number needs to be told from the next. */
function digitsOf(value: number, apart: number): number {
  const power = (x: number) => Math.floor(Math.log10(Math.abs(x)) + EXACT);
  const halved = Math.abs(apart / 10 ** power(apart) - 2.5) < EXACT;
  return value ? Math.max(1, power(value) - power(apart) + (halved ? 2 : 1)) : 1;
}

/** Round numbers between two, about so many, three at least; whole ones if nothing is in between. */
export function roundTicks(
  from: number,
  to: number,
  most: number,
  text: (value: number, digits: number) => string,
  whole = false,
): Tick[] {
  const power = Math.floor(Math.log10((to - from) / Math.max(1, most)));
  const round = [-1, 0, 1].flatMap((by) => ROUND.map((n) => n * 10 ** (power + by)));
  const distances = whole ? [1, ...round.filter((n) => n > 1 && Number.isInteger(n))] : round;
  const { apart, places } = tickPlaces([from, to], most, distances);
  return places.map((at) => ({ at, text: text(at, digitsOf(at, apart)) }));
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
  const rows = times(most, (i) => nearest(steps, from + (i * (to - from)) / (most - 1)));
  return [...new Set(rows)].filter((row) => row >= 0);
}

export const stepAxis = (from: number, to: number): Axis => ({
  ...{ title: "training step", from, to },
  ticks: roundTicks(from, to, 5, count, true),
});

/** At most so many letters of a name: its end, which tells layers apart. */
export const tail = (name: string, letters: number): string =>
  name.length > letters ? `…${name.slice(1 - letters)}` : name;
