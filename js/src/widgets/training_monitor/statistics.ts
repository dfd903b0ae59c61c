// One number per layer and step: which there are, and where they lie on a scale.
import type { Table } from "../../shared/color";
import { number, percent } from "../../shared/format";
import { powerText, type Tick } from "./axis";
import { roundEnd } from "./round_ends";
import { quantile } from "./sorted";
import type { Field, Quantity, Series } from "./types";

export interface Statistic {
  label: string;
  quantity: Quantity;
  field: Field;
  /** What its values are like: sizes over many powers of ten, sizes, shares, or numbers of either sign. */
  kind: "log" | "size" | "share" | "signed";
  /** The values that are common in healthy training, and what they are called. */
  healthy?: readonly [number, number];
}

export const STATISTICS: readonly Statistic[] = [
  { label: "gradient norm", quantity: "gradients", field: "norm", kind: "log" },
  {
    label: "update : weight ratio",
    quantity: "weights",
    field: "update",
    kind: "log",
    healthy: [1e-4, 1e-2],
  },
  { label: "dead units", quantity: "activations", field: "dead", kind: "share" },
  { label: "zeros in activations", quantity: "activations", field: "zeros", kind: "share" },
  { label: "zeros in gradients", quantity: "gradients", field: "zeros", kind: "share" },
  { label: "weight norm", quantity: "weights", field: "norm", kind: "size" },
  { label: "weight mean", quantity: "weights", field: "mean", kind: "signed" },
  { label: "weight std", quantity: "weights", field: "std", kind: "size" },
  { label: "activation mean", quantity: "activations", field: "mean", kind: "signed" },
  { label: "activation std", quantity: "activations", field: "std", kind: "size" },
];

/** A value of a series; undefined: not measured. NaN is a value where some of what it is made of is. */
export function measuredAt(
  series: Series | undefined,
  field: Field,
  row: number,
): number | undefined {
  const value = series?.fields[field][row];
  return Number.isNaN(value) && !((series?.fields.nans[row] as number) > 0) ? undefined : value;
}

export function valueText({ kind }: Statistic, value: number | undefined): string {
  if (value === undefined) return "not measured";
  return kind === "share" && Number.isFinite(value) ? percent(value) : number(value, 3);
}

/** The values that are common in healthy training. */
export const healthyText = ({ healthy = [0, 0] }: Statistic): string =>
  healthy.map(powerText).join(" … ");

export interface Range {
  low: number;
  high: number;
  log: boolean;
  /** Are some values beyond the ends? They are drawn there. */
  clipped: boolean;
  table: Table;
}

/** Decades of a logarithmic scale above which a few values may be left out. */
const DECADES = 9;
/** Sizes that differ by this factor are shown on a logarithmic scale. */
const WIDE = 100;

const decade = (value: number, round: (x: number) => number) => 10 ** round(Math.log10(value));

/** The finite sizes but zero of all values, ascending. */
function sizesOf(field: Field, all: readonly Series[]): Float64Array {
  const sizes = all.flatMap(({ fields }) => Array.from(fields[field], Math.abs));
  return Float64Array.from(sizes.filter((size) => size > 0 && Number.isFinite(size))).sort();
}

/** The share of values at either end that a scale may leave out where they are very far from the rest. */
const RARE = 0.05;

/** Zero-centred ends that hold all sizes (ascending), or nearly all where a few are so many times larger than the rest. */
export function signedRange(sizes: Float64Array, table: Table, wide = WIDE): Range {
  const at = (share: number) => quantile(sizes, share) ?? 0;
  const clipped = at(1) > wide * at(1 - RARE);
  const most = roundEnd(at(clipped ? 1 - RARE : 1));
  return { low: -most, high: most, log: false, clipped, table };
}

/** The scale that holds all of these, or nearly all where a few are very far from the rest. */
export function rangeOf({ kind, field, healthy }: Statistic, all: readonly Series[]): Range {
  const plain = { log: false, clipped: false, table: "sequential" } as const;
  if (kind === "share") return { ...plain, low: 0, high: 1 };
  const sizes = sizesOf(field, all);
  const at = (share: number) => quantile(sizes, share) ?? 0;
  let [least, most] = [at(0), at(1)];
  if (kind === "signed") return signedRange(sizes, "activations");
  if (!most || !(kind === "log" || most / least >= WIDE))
    return { ...plain, low: 0, high: roundEnd(most) };
  const clipped = most / least > 10 ** DECADES;
  if (clipped) [least, most] = [at(RARE), at(1 - RARE)];
  if (healthy) return { ...plain, ...about(healthy, least, most), clipped, log: true };
  const [low, high] = [decade(least, Math.floor), decade(most, Math.ceil)];
  return { ...plain, low: low < high ? low : high / 10, high, clipped, log: true };
}

/** Decades about the middle of the healthy values, as many to either side, which has the pale colour. */
function about([from, to]: readonly [number, number], least: number, most: number) {
  const middle = Math.sqrt(from * to);
  const far = Math.max(most, to, middle ** 2 / Math.min(least, from)) / middle;
  const times = 10 ** Math.ceil(Math.log10(far) - 1e-9);
  return { low: middle / times, high: middle * times, table: "activations" } as const;
}

/** Where a value lies between the ends, 0 … 1; what is no number stays what it is. */
export function fraction(value: number, { low, high, log }: Range): number {
  if (!Number.isFinite(value)) return value;
  const at = log
    ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
    : (value - low) / (high - low || 1);
  return Math.min(1, Math.max(0, at));
}

/** Ticks at the ends and, on a logarithmic scale, at powers of ten between; `at` is the fraction. */
export function rangeTicks(statistic: Statistic, range: Range, most: number): Tick[] {
  const { low, high, log } = range;
  const values = [low, ...(low < 0 ? [0] : log ? [] : [(low + high) / 2]), high];
  if (log) {
    const decades = Math.round(Math.log10(high / low));
    const apart = Math.ceil(decades / most);
    values.length = 0;
    for (let i = 0; i <= decades; i += apart) values.push(low * 10 ** i);
  }
  return values.map((value) => ({
    at: fraction(value, range),
    text: statistic.kind === "share" ? percent(value) : log ? powerText(value) : number(value, 3),
  }));
}
