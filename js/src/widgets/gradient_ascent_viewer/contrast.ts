// Dark pictures made legible: their values stretched between the 1st and the 99th percentile.
import { count } from "../../shared/format";
import type { Tensor } from "../../shared/wire";

export type Contrast = "automatic" | "as it is" | "stretched";
export const CONTRASTS = (["automatic", "as it is", "stretched"] as const).map(
  (key) => [key, key] as const,
);

const MOST = 255;
/** A range below it is no pattern. */
const FAINT = 16;
/** Values that are looked at. */
const SAMPLE = 20_000;

/** The 1st and the 99th percentile of a picture's values. */
export function percentiles({ data }: Pick<Tensor, "data">): [low: number, high: number] {
  const counts = new Uint32Array(MOST + 1);
  let stride = Math.ceil(data.length / SAMPLE);
  if (stride % 3 === 0) stride++; // else always the same colour
  let total = 0;
  for (let i = 0; i < data.length; i += stride, total++)
    counts[data[i] as number] = (counts[data[i] as number] as number) + 1;
  const at = (share: number) => {
    let [value, seen] = [0, counts[0] as number];
    while (seen <= share * (total - 1) && value < MOST) seen += counts[++value] as number;
    return value;
  };
  return [at(0.01), at(0.99)];
}

export interface Shown {
  /** Of CSS; the picture itself stays as it is. */
  filter: string | undefined;
  words: string;
}

type Values = readonly [low: number, high: number];

/** A picture's values, and whether nothing moves it from the start on. */
export type Looked = readonly [values: Values, asleep: boolean];

/**
 * Which are stretched. Pictures beside each other are shown alike: automatically stretched if one fills less than half
 * of the range; but what is no more than the noise of a start is no pattern, and shown as it is.
 */
export function stretches(contrast: Contrast, all: readonly Looked[]): boolean[] {
  if (contrast !== "automatic") return all.map(() => contrast === "stretched");
  const ranges = all.map(([[low, high], asleep]) => (asleep ? 0 : high - low));
  const dark = ranges.some((range) => range >= FAINT && range < MOST / 2);
  return ranges.map((range) => dark && range >= FAINT);
}

/** How a picture is shown. */
export function shownWith([low, high]: Values, stretched: boolean): Shown {
  const range = `values ${count(low)} … ${count(high)} of ${MOST}`;
  if (high === low || !stretched) return { filter: undefined, words: range };
  const steep = MOST / (high - low);
  const contrasted = 1 + (2 * low) / (high - low); // x ↦ (x − ½) · contrasted + ½
  return {
    filter: `brightness(${steep / contrasted}) contrast(${contrasted})`,
    words: `${range}, stretched`,
  };
}
