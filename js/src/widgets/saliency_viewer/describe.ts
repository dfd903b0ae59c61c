// Maps and numbers in words.
import { count, number } from "../../shared/format";
import type { Pixel } from "../../shared/viewport";
import type { State } from "./state";
import { methodOf } from "./state";
import type { Part, Reduction, Scaling } from "./types";
import { type Likeness, signedWay } from "./values";
import type { View } from "./views";

export const REDUCTIONS: readonly [Reduction, string][] = [
  ["max_abs", "largest size (no sign)"],
  ["mean_abs", "mean size (no sign)"],
  ["l2", "length (no sign)"],
  ["sum", "sum (signed)"],
  ["mean", "mean (signed)"],
];

/** What is left out of a map, in its legend; of all nothing is said. */
const SIGNS: Record<Part, string> = {
  all: "",
  absolute: ", absolute values",
  positive: ", positive part only",
  negative: ", negative part only",
};

export const PARTS: readonly [Part, string][] = [
  ["all", "for and against"],
  ["absolute", "absolute value"],
  ["positive", "positive: for the class"],
  ["negative", "negative: against the class"],
];

export const SCALES: readonly [Scaling, string][] = [
  ["each", "each map its own"],
  ["unit", "one for all maps of a unit"],
];

/** What a map's colours stand for. */
export function caption(state: State, view: View): string {
  const { unit, less, made } = view;
  const { reduction, part } = state;
  const shown = less === undefined ? reduction.value : signedWay(reduction.value);
  const [, way] = REDUCTIONS.find(([key]) => key === shown) ?? [];
  const how = made?.flat ? "" : `, channels: ${way}`;
  if (less === undefined) return unit + how + SIGNS[part.value] + clipped(view);
  return `${unit}: ${headings(state, view)[1]}${how}${clipped(view)}`;
}

/** Which colours stand for more than their number. */
function clipped({ scale, ends }: View): string {
  const [low, high] = ends;
  const said = [
    ...(low < scale.low ? [`≤ ${number(scale.low)} down to ${number(low)}`] : []),
    ...(high > scale.high ? [`≥ ${number(scale.high)} up to ${number(high)}`] : []),
  ];
  return said.length ? `; one colour for ${said.join(" and ")}` : "";
}

/** The method, and what it explains: a class, a random model, a difference. */
export function headings(state: State, { asked, less }: View): [string, string] {
  const { label } = methodOf(state, asked.method);
  const nameOf = (target: number) => state.classes.value[target] ?? "";
  if (less !== undefined) return [label, `${nameOf(asked.target)} − ${nameOf(less)}`];
  return [label, asked.randomised ? "random weights" : nameOf(asked.target)];
}

export const title = (state: State, view: View): string => headings(state, view).join(": ");

/** What is to be known of a map besides its colours. */
export function remark({ alone, running }: State, { state, made }: View): string {
  if (state === "empty" && alone.value) return "This page has no such map.";
  if (state === "empty") return running.value ? "Waiting" : "Not computed yet: press Run.";
  if (!made || state === "error") return made?.error ?? "";
  if (state === "loading") return `Computing: ${count(made.done)} of ${count(made.total)} passes`;
  if (state === "partial")
    return `Stopped after ${count(made.done)} of ${count(made.total)} passes`;
  return state === "old" ? "Of other settings or weights: run it again." : "";
}

export const NEEDS_KERNEL = "Computing needs the kernel.";

export function alike({ sizes, signed }: Likeness): string {
  const of = (x: number) => (Number.isNaN(x) ? "undefined (a constant map)" : number(x, 2));
  const both = `sizes ${of(sizes)}${signed === undefined ? "" : `, signed ${of(signed)}`}`;
  return `Spearman's rank correlation with the trained model's map: ${both}. Near 1, it hardly depends on what was learnt.`;
}

export const KEYS =
  "Keys on a map: arrows move the pixel that is read, with Shift by 10. A pixel is read in all maps at once.";

export const POINT = "Point at a pixel";

export const placeOf = ([row, column]: Pixel) => `row ${row}, column ${column}`;

/** What is read in a map at the pixel that is pointed at. */
export function reading({ size, cursor, part }: State, { values, unit, less }: View): string {
  const at = cursor.value;
  const value = at && values?.[at[0] * size.value.width + at[1]];
  if (typeof value !== "number") return POINT;
  return `${placeOf(at as Pixel)}: ${Number.isNaN(value) ? "not measured" : `${number(value)} ${unit}${less === undefined ? SIGNS[part.value] : ""}`}`;
}

/** Which value gets the full colour. */
export function fullColour({ percentile, scale, against }: State): string {
  const which = `percentile ${number(percentile.value)} of the magnitudes`;
  if (scale.value === "unit")
    return `One range for all maps of a unit; full colour is the largest ${which}.`;
  return `Full colour is each map's own ${which}${
    against.value === null ? "" : "; two classes and their difference share one"
  }. Compare where, not how strong.`;
}

/** How much is to be done: "2 maps, 100 passes". */
export function costWords(state: State): string {
  const { missing, refused, asked, alone } = state;
  if (alone.value) return "No kernel here: what was computed can be looked at.";
  const failed = refused.value.length;
  const rest = missing.value.length;
  if (rest) {
    const passes = missing.value.reduce((sum, { method }) => sum + passesOf(state, method), 0);
    return `Maps to compute: ${count(rest)}; passes: ${count(passes)}${failed ? `; failed: ${count(failed)}` : ""}`;
  }
  const all = asked.value.length;
  if (!failed) return "All maps shown are computed.";
  return `${count(all - failed)} of ${count(all)} maps computed; ${count(failed)} failed`;
}

function passesOf(state: State, method: string): number {
  const { settings } = methodOf(state, method);
  const { samples, window, stride, size } = state;
  if (settings.includes("samples")) return samples.value;
  if (!settings.includes("stride")) return 1;
  const along = (length: number) => Math.ceil((length - window.value) / stride.value) + 1;
  return along(size.value.height) * along(size.value.width);
}
