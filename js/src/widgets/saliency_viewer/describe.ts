// Maps and numbers in words.
import { count, number } from "../../shared/format";
import type { Pixel } from "../../shared/viewport";
import type { State } from "./state";
import { methodOf } from "./state";
import type { Part, Reduction, Scaling } from "./types";
import type { View } from "./views";

export const REDUCTIONS: readonly [Reduction, string][] = [
  ["max_abs", "largest size (no sign)"],
  ["mean_abs", "mean size (no sign)"],
  ["l2", "length (no sign)"],
  ["sum", "sum (signed)"],
  ["mean", "mean (signed)"],
];

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
export function caption({ reduction }: State, { unit, difference, made }: View): string {
  const [, way] = REDUCTIONS.find(([key]) => key === reduction.value) ?? [];
  const how = made?.flat ? "" : `, channels: ${way}`;
  return difference ? `${unit}: first less second${how}` : `${unit}${how}`;
}

/** The method, and what it explains: a class, a random model, a difference. */
export function headings(state: State, { asked, difference }: View): [string, string] {
  const { label } = methodOf(state, asked.method);
  if (difference) return [label, "difference"];
  if (asked.randomised) return [label, "random weights"];
  return [label, state.classes.value[asked.target] ?? ""];
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

export const alike = (similarity: number): string =>
  Number.isNaN(similarity)
    ? "One of the maps is constant."
    : `Spearman's rank correlation with the trained model's map: ${number(similarity, 2)}. Near 1, it hardly depends on what was learnt.`;

export const POINT = "Point at a pixel";

export const placeOf = ([row, column]: Pixel) => `row ${row}, column ${column}`;

/** What is read in a map at the pixel that is pointed at. */
export function reading({ size, cursor }: State, { values, unit }: View): string {
  const at = cursor.value;
  const value = at && values?.[at[0] * size.value.width + at[1]];
  if (typeof value !== "number") return POINT;
  return `${placeOf(at as Pixel)}: ${Number.isNaN(value) ? "not measured" : `${number(value)} ${unit}`}`;
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
  const missing = state.missing.value;
  if (!missing.length) return "All maps shown are computed.";
  const passes = missing.reduce((sum, { method }) => sum + passesOf(state, method), 0);
  return `Maps to compute: ${count(missing.length)}; passes: ${count(passes)}`;
}

function passesOf(state: State, method: string): number {
  const { settings } = methodOf(state, method);
  const { samples, window, stride, size } = state;
  if (settings.includes("samples")) return samples.value;
  if (!settings.includes("stride")) return 1;
  const along = (length: number) => Math.ceil((length - window.value) / stride.value) + 1;
  return along(size.value.height) * along(size.value.width);
}
