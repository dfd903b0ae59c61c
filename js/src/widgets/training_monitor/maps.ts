// The numbers of filters, feature maps and gradients: ranges, differences, filters in colour.
import { paintPicture, type Scale, type Table } from "../../shared/color";
import { LEVELS } from "../../shared/look";
import { decode, mapCount, mapSize, oddOf, type Tensor, valueAt } from "../../shared/wire";
import type { What } from "./held_maps";

interface Ends {
  /** The largest finite magnitude of each map. */
  limits: Float32Array;
  /** NaN, ∞ and −∞, as far as there are such values. */
  odd: number[];
}

const known = new WeakMap<Tensor, Ends>();

function measured(t: Tensor): Ends {
  const { data, low, high } = t;
  if (low && high) {
    const limits = low.map((end, i) => Math.max(Math.abs(end), Math.abs(high[i] as number)));
    const odd = [...new Set(data)].filter((code) => code > LEVELS);
    return { limits, odd: odd.map((code) => decode(code, 0, 0)) };
  }
  const limits = new Float32Array(mapCount(t));
  const size = mapSize(t);
  for (let i = 0; i < data.length; i++) {
    const value = Math.abs(data[i] as number);
    const map = Math.floor(i / size);
    if (value > (limits[map] as number) && value < Number.POSITIVE_INFINITY) limits[map] = value;
  }
  return { limits, odd: oddOf(data) };
}

/** Ranges of a tensor's maps, computed once. */
export function endsOf(t: Tensor): Ends {
  const found = known.get(t) ?? measured(t);
  known.set(t, found);
  return found;
}

/** The largest magnitude of some maps; of all by default. */
export const limitOf = (t: Tensor, first = 0, count = mapCount(t)): number =>
  endsOf(t)
    .limits.subarray(first, first + count)
    .reduce((a, b) => Math.max(a, b), 0);

/** One tensor less another of the same shape. */
export function minus(one: Tensor, other: Tensor): Tensor {
  const size = mapSize(one);
  const data = new Float32Array(one.data.length);
  const reader = ({ encoding, data: codes, low, high }: Tensor) => {
    if (encoding !== "quantised") return (i: number) => codes[i] as number;
    const values = new Float32Array(256);
    return (i: number) => {
      if (i % size === 0) {
        const map = i / size;
        for (let code = 0; code < 256; code++)
          values[code] = decode(code, low?.[map] ?? 0, high?.[map] ?? 0);
      }
      return values[codes[i] as number] as number;
    };
  };
  const [a, b] = [reader(one), reader(other)];
  for (let i = 0; i < data.length; i++) data[i] = a(i) - b(i);
  return { shape: one.shape, encoding: "float", data };
}

const differences = new WeakMap<Tensor, [Tensor, number]>();

/** The largest magnitude of a difference, computed once for each pinned tensor. */
export function differenceLimit(one: Tensor, other: Tensor): number {
  const [of, found] = differences.get(one) ?? [];
  if (of === other && found !== undefined) return found;
  const limit = limitOf(minus(one, other));
  differences.set(one, [other, limit]);
  return limit;
}

/** Over what the range of the colours is taken. */
export type Over = "channel" | "layer" | "run";

export const OVER: readonly (readonly [Over, string])[] = [
  ["channel", "each channel"],
  ["layer", "this layer"],
  ["run", "the whole run"],
];

/** Zero-centred colours: weights have their own. */
export const scaleOf = (what: What, limit: number): Scale => {
  const table: Table = what === "filters" ? "weights" : "activations";
  return { low: -limit, high: limit, table };
};

/** Which maps of a tensor an item is drawn from: [first, how many]. */
export function partOf({ shape }: Tensor, item: number, input: number | "rgb"): [number, number] {
  if (shape.length < 4) return [item, 1];
  const inputs = shape[1] as number;
  return input === "rgb" ? [item * inputs, 3] : [item * inputs + Math.min(input, inputs - 1), 1];
}

/** Paints three maps as red, green and blue: mid grey is zero, ±limit the ends. */
export function paintColor(t: Tensor, first: number, limit: number, out: ImageData): void {
  const size = mapSize(t);
  const data = new Uint8Array(3 * size);
  for (let i = 0; i < 3 * size; i++) {
    const value = valueAt(t, (first + (i % 3)) * size + Math.floor(i / 3));
    data[i] = Math.min(255, Math.max(0, Math.round(127.5 * (1 + value / (limit || 1)))));
  }
  paintPicture({ shape: [...t.shape.slice(-2), 3], encoding: "picture", data }, out);
}
