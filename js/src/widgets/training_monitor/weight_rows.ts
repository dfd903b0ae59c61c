// Single weights, or norms of filters, as rows of a picture over the steps.
import { number } from "../../shared/format";
import type { Tick } from "./axis";
import type { Weights } from "./held_weights";
import type { HeatRow } from "./row_heat";
import { type Range, signedRange } from "./statistics";
import type { Run } from "./types";

/** What the rows are. */
export type Rows = "weights" | "norms";

/** What the axes of weights count, by how many there are. */
const AXES: readonly (readonly string[])[] = [
  [],
  ["channel"],
  ["unit", "input"],
  ["filter", "input", "position"],
  ["filter", "input", "row", "column"],
  ["filter", "input", "slice", "row", "column"],
];

const axesOf = ({ length }: readonly number[]): readonly string[] =>
  AXES[length] ?? Array.from({ length }, (_, i) => `axis ${i}`);

/** What a layer's filters are called. */
export const wordOf = (shape: readonly number[]): string => axesOf(shape)[0] as string;

/** "filter 3, input 0, row 1, column 2" */
export function nameOf(shape: readonly number[], place: number): string {
  let left = place;
  return axesOf(shape)
    .map((axis, i): [string, number] => [axis, shape[i] as number])
    .reverse()
    .map(([axis, size]) => {
      const at = left % size;
      left = (left - at) / size;
      return `${axis} ${at}`;
    })
    .reverse()
    .join(", ");
}

export interface WeightTable {
  rows: HeatRow[];
  /** Of each row, the filter that it belongs to. */
  filters: number[];
  /** The numbers that are drawn, a column for each step. */
  values: Float32Array;
}

/** The rows of a layer; less those of the step of that index, if one is given. */
export function tableOf({ steps, shape, ...of }: Weights, kind: Rows, less = -1): WeightTable {
  const { of: places, values: held } = of[kind];
  const many = places.length;
  const size = shape.slice(1).reduce((a, b) => a * b, 1);
  const values =
    less < 0 ? held : held.map((value, i) => value - (held[less * many + (i % many)] as number));
  const filters = places.map((place) => (kind === "norms" ? place : Math.floor(place / size)));
  const rows = places.map((place, row) => ({
    name: kind === "norms" ? `${wordOf(shape)} ${place}` : nameOf(shape, place),
    steps,
    value: (column: number) => values[column * many + row],
  }));
  return { rows, filters, values };
}

/** A tick where a filter begins, no two nearer than so many rows. */
export function filterTicks(filters: readonly number[], word: string, apart: number): Tick[] {
  let last = Number.NEGATIVE_INFINITY;
  return filters.flatMap((filter, row) => {
    if (filter === filters[row - 1] || row - last < apart) return [];
    last = row;
    return { at: row + 0.5, text: `${word} ${filter}` };
  });
}

/** A few weights that are so many times larger than the rest do not make all others pale; nor do steps that are so many times larger than most. */
const [FAR, BURST] = [3, 100];

/** The finite sizes of every step, ascending. */
const sizesOf = ({ rows: { length }, values }: WeightTable): Float32Array[] =>
  Array.from({ length: values.length / length || 0 }, (_, i) =>
    values
      .subarray(i * length, (i + 1) * length)
      .map(Math.abs)
      .filter(Number.isFinite)
      .sort(),
  );

/** One scale for all tables: zero-centred, but norms begin at zero. */
export function weightRange(tables: readonly WeightTable[], signed: boolean): Range {
  const steps = tables.flatMap(sizesOf);
  const mosts = Float32Array.from(steps.flatMap((sizes) => sizes.at(-1) || [])).sort();
  const usual = mosts[mosts.length >> 1] ?? 0;
  const calm = steps.filter((sizes) => (sizes.at(-1) ?? 0) <= BURST * usual);
  const range = signedRange(
    Float64Array.from(calm.flatMap((sizes) => [...sizes])).sort(),
    "weights",
    FAR,
  );
  range.clipped ||= calm.length < steps.length;
  return signed ? range : { ...range, low: 0, table: "sequential" };
}

/** Why a run has no weights of a layer; "" if it has. */
export function whyNone(
  { live, keys, snapshots: { steps, kind, shapes = {} } }: Run,
  layer: string,
): string {
  if (!steps.length)
    return live
      ? "No snapshots yet, which the weights are of: Recorder(model, snapshots=64) takes them while it trains."
      : "This run has no snapshots, which the weights are of.";
  if (Object.hasOwn(shapes, layer)) return "";
  if (!keys.some(([name, quantity]) => name === layer && quantity === "weights"))
    return `This run has no weights of ${layer}.`;
  const held = kind === "filters" ? "filters of convolutions alone" : "no weights";
  return `The snapshots hold ${held}, to fit into their budget: Recorder(model, snapshot_bytes=…) gives them more.`;
}

/** Why a layer has no filters in the snapshots; "" if it has, or that is not known. */
export function whyNoFilters({ snapshots: { shapes } }: Run, layer: string): string {
  if (!shapes) return "";
  const axes = Object.hasOwn(shapes, layer) ? (shapes[layer] as number[]).length : 0;
  if (axes === 4) return "";
  return axes === 2 ? `${layer} is dense: it has no filters` : `${layer} has no filters`;
}

/** "−0.0213", and of a difference its sign. */
export const weightText = (value: number | undefined, pinned: boolean): string =>
  value === undefined ? "not measured" : `${pinned && value > 0 ? "+" : ""}${number(value, 3)}`;
