// What is known of each channel, the orders to show them in, and the range of their colours.
import type { ColorRange, LayerValue, View } from "./types";

export type Order = "index" | "mean" | "max" | "sparsity";

export const ORDERS: readonly [Order, string][] = [
  ["index", "number"],
  ["mean", "mean, highest first"],
  ["max", "maximum, highest first"],
  ["sparsity", "zeros, most first"],
];

/** Columns of the kernel's table of channels. */
const COLUMNS = 6;

export interface Channel {
  mean: number;
  low: number;
  high: number;
  std: number;
  /** Fractions of the map that are exactly zero, and NaN or infinite. */
  zero: number;
  broken: number;
}

export function channelAt(table: ArrayLike<number>, channel: number): Channel {
  const at = (column: number) => table[channel * COLUMNS + column] ?? 0;
  return { mean: at(0), low: at(1), high: at(2), std: at(3), zero: at(4), broken: at(5) };
}

/** 0, 1, … below a count. */
export const upTo = (count: number): number[] => [...Array(count).keys()];

/** Channel numbers in the order to show them; ties and numbers that are none keep the order of their number. */
export function ordered(table: ArrayLike<number>, count: number, by: Order): number[] {
  const channels = upTo(count);
  if (by === "index") return channels;
  const what = ({ mean: "mean", max: "high", sparsity: "zero" } as const)[by];
  const key = (channel: number) => {
    const value = channelAt(table, channel)[what];
    return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
  };
  return channels.sort((p, q) => (key(p) === key(q) ? p - q : key(q) - key(p)));
}

export type Range = [low: number, high: number];

/** The range over all; ends that are no numbers count as 0. */
export function union(ranges: readonly Range[]): Range {
  const ends = ranges.flat().map((end) => (Number.isFinite(end) ? end : 0));
  return ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 0];
}

/** The range of the values that are numbers. */
export function extent(values: ArrayLike<number>): Range {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of Array.from(values).filter(Number.isFinite)) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return union([[low, high]]);
}

/** The values that the colours of one channel span, over all pictures shown. */
export function colorSpan(
  shown: readonly { value: LayerValue; table: ArrayLike<number> }[],
  channel: number,
  by: ColorRange,
): Range {
  return union(
    shown.map(({ value, table }): Range => {
      if (by === "network") return [value.network_low, value.network_high];
      if (by === "layer") return [value.low, value.high];
      const { low, high } = channelAt(table, channel);
      return [low, high];
    }),
  );
}

const RANGES: readonly [ColorRange, string][] = [
  ["channel", "per channel"],
  ["layer", "per layer"],
  ["network", "whole network"],
];

/** The ranges to choose from: filters are not coloured over the whole network. */
export const rangesOf = (view: View) => (view === "filters" ? RANGES.slice(0, 2) : RANGES);

/** The range that a view shows where this one is chosen. */
export const rangeIn = (view: View, range: ColorRange): ColorRange =>
  view === "filters" && range === "network" ? "layer" : range;

export function nextRange(view: View, range: ColorRange): ColorRange {
  const names = rangesOf(view).map(([name]) => name);
  return names[(names.indexOf(rangeIn(view, range)) + 1) % names.length] as ColorRange;
}
