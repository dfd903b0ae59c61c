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

/** What the numbers of a class are; where the network puts out probabilities, there is no logit. */
export const measureWords = (measure: Measure, measures: readonly Measure[]): string =>
  measure === "probability" && !measures.includes("logit")
    ? "output (already a probability)"
    : measure;

const logits = ({ logit, logit_change }: ClassRow) => [logit, logit_change] as const;
const odds = ({ log_odds, log_odds_change }: ClassRow) => [log_odds, log_odds_change] as const;

export function valueWords(row: ClassRow, measure: Measure): string {
  if (measure === "probability") return chanceWords(row.probability);
  const [value] = (measure === "logit" ? logits : odds)(row);
  return value === null ? "not finite" : number(value);
}

export function changeWords(row: ClassRow, measure: Measure): string {
  if (measure === "probability") return points(row.change);
  return signed((measure === "logit" ? logits : odds)(row)[1]);
}

const FILLS: Record<string, string> = { mean: "mean of this picture", blur: "blurred picture" };

/** A fill; `drawn` is the colour that the network's pictures have there, where it is known. */
export function fillWords(fill: Fill, drawn?: string): string {
  if (typeof fill === "number") return `value ${number(fill)} (normalised)`;
  const words = FILLS[fill] ?? fill;
  if (fill === "mean" && drawn) return `${words} (${greyOf(drawn)})`;
  return drawn && fill.startsWith("#") && fill !== drawn ? `${fill}, shown as ${drawn}` : words;
}

/** "67" of "#434343"; a colour that is not grey stays as it is. */
function greyOf(hex: string): string {
  const [, red, green, blue] = hex.match(/^#(..)(..)(..)$/) ?? [];
  return red !== undefined && red === green && red === blue
    ? String(Number.parseInt(red, 16))
    : hex;
}

/** Few enough digits for an estimate: 1 to 10, then fives. */
const coarse = (x: number): string => number(x < 10 ? Math.ceil(x) : 5 * Math.round(x / 5));

/** A duration before it has passed. */
export function about(seconds: number): string {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `about ${coarse(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 90
    ? `about ${coarse(minutes)} min`
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
  measure: string,
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

export function summary(question: Question, row: ClassRow | undefined, measure: Measure): string {
  const where = `Patch at ${at(question)}${besideKept(question.kept.length)}`;
  if (!row) return where;
  return `${where}: ${row.name} ${valueWords(row, measure)}, change ${changeWords(row, measure)}`;
}
