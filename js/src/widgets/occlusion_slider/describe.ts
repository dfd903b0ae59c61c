// Numbers and places in words.
import { count, number, percent } from "../../shared/format";
import type { Question } from "./probe";
import type { ClassRow, Fill, Measure, Place } from "./types";

/** −12.3 points, ±0 points: a change of a probability, in percentage points. */
export function points(change: number | null): string {
  if (change === null) return "";
  const rounded = Number((100 * change).toPrecision(3));
  if (Math.abs(rounded) < 0.01) return "± 0 points";
  const size = Math.abs(rounded) < 1 ? Number(rounded.toFixed(2)) : rounded;
  return `${size > 0 ? "+" : ""}${number(size, 3)} points`;
}

export const signed = (x: number | null): string =>
  x === null ? "" : `${x > 0 ? "+" : ""}${number(x, 3)}`;

export const chanceWords = (probability: number | null): string =>
  probability === null ? "not finite" : percent(probability);

export const at = ({ row, column }: Place): string => `row ${row}, column ${column}`;

const FILLS: Record<string, string> = { mean: "mean colour", blur: "blurred picture" };

export const fillWords = (fill: Fill): string =>
  typeof fill === "number" ? `value ${number(fill)}` : (FILLS[fill] ?? fill);

/** A duration before it has passed. */
export function about(seconds: number): string {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `about ${number(Math.round(seconds))} s`;
  const minutes = seconds / 60;
  return minutes < 90
    ? `about ${number(Math.round(minutes))} min`
    : `about ${number(Math.round(minutes / 6) / 10)} h`;
}

/** What a measured value is, and its unit, as the map and its legend give it. */
export const unitOf = (measure: Measure, drop: boolean): { factor: number; unit: string } =>
  measure === "probability"
    ? { factor: 100, unit: drop ? "points" : "%" }
    : { factor: 1, unit: "" };

/** " and 2 kept ones" */
export const andKept = (kept: number): string =>
  kept ? ` and ${count(kept)} kept one${kept > 1 ? "s" : ""}` : "";

/** " beside 2 kept ones" */
export const besideKept = (kept: number): string => andKept(kept).replace("and", "beside");

export function legendWords(
  name: string,
  measure: Measure,
  drop: boolean,
  single: boolean,
  kept: number,
): string {
  const what = single ? name : `${measure} of ${name}`;
  const here = `the patch here${besideKept(kept)}`;
  return drop
    ? `drop of the ${what} by ${here}; high = important`
    : `${what} with ${here}; low = important`;
}

export function summary(question: Question, row: ClassRow | undefined, single: boolean): string {
  const where = `Patch at ${at(question)}${besideKept(question.kept.length)}`;
  if (!row) return where;
  const says = single
    ? `${number(row.logit ?? Number.NaN)}, change ${signed(row.logit_change)}`
    : `${chanceWords(row.probability)}, change ${points(row.change)}`;
  return `${where}: ${row.name} ${says}`;
}
