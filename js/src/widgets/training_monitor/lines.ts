// The lines of a chart: whose they are, how they look, and their points on the chosen clock.
import { count, number } from "../../shared/format";
import type { Hands } from "./clock";
import { type Domain, leftOut, type Scale, within } from "./drawing";
import type { Group } from "./groups";
import { smooth, smoothRates } from "./smoothing";
import { lastUntil, nearest } from "./sorted";
import type { Curve, Run } from "./types";

export interface Source {
  run: Run;
  color: string;
  hands: Hands;
  curve: Curve;
}

export interface Line extends Source {
  label: string;
  dash: number[];
  x: ArrayLike<number>;
  raw: ArrayLike<number>;
  smoothed: ArrayLike<number> | undefined;
}

/** Times of the same step, computed twice, differ by less. */
const SAME = 1e-6;
const VALIDATION = [6, 4];
/** What is set and not measured is shown as it is. */
const EXACT = new Set(["learning rate"]);
/** Fewer points are not smoothed: the mean would lag behind all of them. */
const ENOUGH = 50;
/** Of further parts of the same: parameter groups. */
const DASHES = [[], [2, 3], [8, 3, 2, 3], [3, 5]];

export function linesOf(
  { title, unit, curves }: Group<Source & { name: string }>,
  smoothing: number,
  alone: boolean,
): Line[] {
  const rough = smoothing > 0 && !EXACT.has(title);
  const mean = unit.endsWith("/s") ? smoothRates : smooth;
  const parts = [...new Set(curves.flatMap(({ part, validation }) => (validation ? [] : [part])))];
  return curves.map(({ curve: { run, color, hands, curve }, part, validation }) => {
    const { values } = curve;
    return {
      ...{ run, color, hands, curve, raw: values, x: hands.of(curve) },
      label: [alone ? "" : run.name, part].filter(Boolean).join(" · ") || title,
      dash: validation ? VALIDATION : (DASHES[parts.indexOf(part) % DASHES.length] as number[]),
      smoothed:
        rough && !validation && values.length >= ENOUGH ? mean(values, smoothing) : undefined,
    };
  });
}

/** The recorded point nearest to a place; of a step the last one until then, as nothing later was known. */
export function pointAt({ x, raw, smoothed }: Line, at: number, until = false) {
  const i = until ? lastUntil(x, at + SAME * Math.abs(at)) : nearest(x, at);
  return i < 0
    ? undefined
    : { x: x[i] as number, value: raw[i] as number, smoothed: smoothed?.[i] };
}

export const valueText = (value: number, unit: string): string =>
  number(value) + (unit && ` ${unit}`);

/** A chart in words. */
export function summary(
  title: string,
  unit: string,
  lines: readonly Line[],
  where: (x: number) => string,
): string {
  const told = lines.map(({ label, x, raw }) => {
    let [first, last, lowest, highest] = [-1, -1, -1, -1];
    for (let i = 0; i < raw.length; i++) {
      const value = raw[i] as number;
      if (!Number.isFinite(value)) continue;
      if (first < 0) first = lowest = highest = i;
      if (value < (raw[lowest] as number)) lowest = i;
      if (value > (raw[highest] as number)) highest = i;
      last = i;
    }
    if (first < 0) return `${label}: no finite value`;
    const say = (i: number) => `${valueText(raw[i] as number, unit)} at ${where(x[i] as number)}`;
    return `${label}: from ${say(first)} to ${say(last)}, lowest ${say(lowest)}, highest ${say(highest)}`;
  });
  return `${title}. ${told.join("; ")}.`;
}

/** What is not on the axes, in words; "" if everything is. */
export function missing(lines: readonly Line[], domain: Domain, { from, to, log }: Scale): string {
  let [broken, low, beyond] = [0, 0, 0];
  for (const { x, raw } of lines) {
    const [first, last] = within(x, domain);
    for (let i = first; i < last; i++) {
      const value = raw[i] as number;
      if (leftOut(value, false)) broken++;
      else if (log && value <= 0) low++;
      else if (value > to || value < from) beyond++;
    }
  }
  const say = (n: number, what: string) =>
    `${count(n)} ${n === 1 ? "value is" : "values are"} ${what}`;
  return [
    broken && say(broken, "NaN or infinite: a gap"),
    low && say(low, "≤ 0: left out of the log axis"),
    beyond && !log && say(beyond, "far off and cut: the log axis shows them"),
  ]
    .filter(Boolean)
    .join("; ");
}
