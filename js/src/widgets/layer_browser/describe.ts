// Layers in words.
import { count, number, shape } from "../../shared/format";
import { kindWord } from "./kinds";
import type { Layer } from "./types";

const plural = (n: number, word: string) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

/** "3×3 input pixels", "40×40 input pixels, larger than the picture (28×28)", "the whole picture (851×851)". */
export function fieldWords(layer: Layer, input: readonly number[]): string {
  if (!layer.rf) return "the whole picture";
  const [height, width] = layer.rf.size;
  const [, H = Number.POSITIVE_INFINITY, W = Number.POSITIVE_INFINITY] = input;
  // From any place of the picture to any other.
  if (height >= 2 * H - 1 && width >= 2 * W - 1) return `the whole picture (${height}×${width})`;
  const pixels = `${height}×${width} input pixel${height * width === 1 ? "" : "s"}`;
  return height > H || width > W ? `${pixels}, larger than the picture (${H}×${W})` : pixels;
}

/** "conv1 · convolution 3×3, stride 1 · 32×26×26 · 320 parameters · each unit sees 3×3 input pixels" */
export function summary(layer: Layer, input: readonly number[], unit = "unit"): string {
  const parts = [layer.name, typed(layer.kind, layer.detail)];
  if (layer.shape) parts.push(shapeWords(layer.shape, unit));
  if (layer.parameters) parts.push(plural(layer.parameters, "parameter"));
  if (layer.shape) parts.push(`each unit sees ${fieldWords(layer, input)}`);
  return parts.join(" · ");
}

/** "pooling max 2×2", "Dropout2d": a class that says its kind says it once. */
const typed = (kind: string, detail: string): string =>
  detail.toLowerCase().startsWith(kind) ? detail : `${kindWord(kind)} ${detail}`.trim();

/** "32×26×26", "10 logits" */
function shapeWords(axes: readonly number[], unit: string): string {
  const [first, ...rest] = axes;
  if (first === undefined) return "one number";
  return rest.length ? shape(axes) : plural(first, unit);
}

/** The second line of a layer in the strip: "320 parameters", "activation ReLU". */
export function strapline({ kind, detail, parameters }: Layer): string {
  if (parameters) return plural(parameters, "parameter");
  return typed(kind, detail.split(",")[0] as string);
}

/** The name without the block that stands above it. */
export function shortName(layer: Layer): string {
  const prefix = `${layer.block}.`;
  return layer.block && layer.name.startsWith(prefix)
    ? layer.name.slice(prefix.length)
    : layer.name;
}

/** "−1.2 … 3.4" */
export const rangeWords = (ends: readonly number[]): string =>
  ends.map((end) => number(end)).join(" … ");

/** The channels of a picture. */
export const COLORS = ["red", "green", "blue"];

/** What a layer's first axis counts. */
export const channelWord = (layer: Layer | undefined): string =>
  layer?.shape?.length === 2 ? "token" : layer?.shape?.length === 1 ? "unit" : "channel";
