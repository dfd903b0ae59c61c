// Made-up tensors: what the mock kernel answers with.
import { pack } from "../../shared/packing";
import type { Layer } from "./types";

/** The value of a unit: smooth, different for every picture, layer and channel; channel 3 is zero, channel 5 has a NaN. */
export function unitValue(
  key: number,
  layer: string,
  channel: number,
  row: number,
  column: number,
): number {
  if (channel === 3) return 0;
  if (channel === 5 && row === 2 && column === 2) return Number.NaN;
  const phase = key + layer.length + channel * 1.7;
  const value =
    Math.sin(row * (0.15 + (channel % 7) / 20) + phase) *
    Math.cos(column * (0.1 + (channel % 5) / 15) + phase) *
    (1 + (channel % 9) / 3);
  return layer.includes("relu") ? Math.max(0, value) : value;
}

/** The value of a pixel, in each of its colours. */
export function pixelValue(key: number, edge: number, row: number, column: number, color = 0) {
  const [y, x] = [row / edge - 0.5, column / edge - 0.5];
  const inside = Math.hypot(x * (1 + key / 4), y) < 0.35;
  return inside ? Math.floor(200 - 160 * Math.abs(x + color / 5)) : 12;
}

/** Packs red, green and blue, or what it is the mean of. */
export function picture(key: number, channels: number, edge: number): DataView {
  const colors = channels === 3 ? 3 : 1;
  const bytes = new Uint8Array(edge * edge * colors);
  for (let i = 0; i < edge * edge; i++)
    for (let c = 0; c < colors; c++)
      bytes[colors * i + c] = pixelValue(key, edge, Math.floor(i / edge), i % edge, c);
  return pack(bytes, [edge, edge, colors], 0);
}

export const NAMES = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "<b>Ankle boot</b>",
];

export interface Args {
  slot: string;
  key: number;
  layer: string;
  channel: number;
  first: number;
  last: number;
  index: number;
  input: unknown;
  of: string;
  row: number;
  column: number;
}
export type Answer = { value: object; tensors?: DataView[] } | { error: string };

export function predictions(key: number) {
  const logits = NAMES.map((_, i) => 3 * Math.sin(i * 2.3 + key));
  const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
  const rows = logits.map((logit, index) => ({
    index,
    name: NAMES[index],
    logit,
    probability: Math.exp(logit) / total,
  }));
  return { rows: rows.sort((p, q) => q.logit - p.logit).slice(0, 5), note: null };
}

export function softmaxed({ kind }: Layer, values: number[]): number[] {
  if (kind !== "softmax") return values;
  const total = values.reduce((sum, z) => sum + Math.exp(z || 0), 0);
  return values.map((z) => Math.exp(z || 0) / total);
}

export function describe({ shape, rf }: Layer, values: number[]): Answer {
  const [channels = 1, height = 1, width = 1] = shape ?? [];
  const size = height * width;
  const table = Array.from({ length: channels }, (_, c) => {
    const part = values.slice(c * size, (c + 1) * size);
    const finite = part.filter(Number.isFinite);
    const mean = finite.reduce((p, q) => p + q, 0) / finite.length;
    const zero = part.filter((x) => x === 0).length / size;
    return [mean, Math.min(...finite), Math.max(...finite), 1, zero, 1 - finite.length / size];
  });
  const bounds = (units: number) =>
    Array.from({ length: rf ? units : 0 }, (_, i) => [
      Math.max(0, (rf?.start[0] ?? 0) + i * (rf?.jump[0] ?? 1)),
      (rf?.start[0] ?? 0) + i * (rf?.jump[0] ?? 1) + (rf?.size[0] ?? 1),
    ]);
  const [low, high] = [
    Math.min(...table.map((c) => c[1] as number)),
    Math.max(...table.map((c) => c[2] as number)),
  ];
  return {
    value: {
      shape,
      low,
      high,
      network_low: 2 * low,
      network_high: 2 * high,
      mean_low: low / 4,
      mean_high: high / 4,
      odd: [...new Set(values.filter((x) => !Number.isFinite(x)).map(String))],
    },
    tensors: [
      pack(table.flat(), [channels, 6], 3),
      pack(bounds(height).flat(), [rf ? height : 0, 2], 3),
      pack(bounds(width).flat(), [rf ? width : 0, 2], 3),
    ],
  };
}

export function filters(
  { filters: axes }: Layer,
  first: number,
  last: number,
  input: unknown,
): Answer {
  const [, , height, width] = axes as [number, number, number, number];
  const shape = [last - first, ...(input === "rgb" ? [3] : []), height, width];
  const values = Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => Math.sin(i * 1.3 + first) / 3,
  );
  return { value: { low: -1 / 3, high: 1 / 3 }, tensors: [pack(values, shape, 3)] };
}

export function receipt({ filters: axes }: Layer, { row, column }: Args): Answer {
  const [, inputs, height, width] = axes as [number, number, number, number];
  const size = height * width;
  const make = (f: (i: number) => number) =>
    Array.from({ length: inputs * size }, (_, i) => Math.fround(f(i)));
  const inside = Array.from({ length: size }, (_, i) => (row === 0 && i < width ? 0 : 1));
  const patch = make((i) => (inside[i % size] ? Math.cos(i * 0.7 + row + column) : 0));
  const weights = make((i) => Math.sin(i * 1.3) / 4);
  const products = make((i) => (patch[i] as number) * (weights[i] as number));
  const sums = Array.from({ length: inputs }, (_, c) =>
    products.slice(c * size, (c + 1) * size).reduce((p, q) => p + q, 0),
  );
  const result = sums.reduce((p, q) => p + q, 0.125);
  const shape = [inputs, height, width];
  return {
    value: {
      bias: 0.125,
      result,
      equal: true,
      check: "✓ equals what torch computed",
      channels: [0, inputs],
      rows: [row],
      columns: [column],
      stride: [1, 1],
      padding: [1, 1],
      dilation: [1, 1],
      groups: 1,
      code: "import torch\n",
    },
    tensors: [
      pack(patch, shape, 3),
      pack(weights, shape, 3),
      pack(products, shape, 3),
      pack(sums, [inputs], 3),
      pack(inside, [height, width], 3),
    ],
  };
}
