// Small controls that several panels use.

import type { ComponentChildren } from "preact";
import { Choice } from "../../shared/choice";
import { Legend } from "../../shared/legend";
import { Slider } from "../../shared/slider";
import { ORDERS, type Order, rangeIn, rangesOf } from "./channels";
import { channelScale, type LayerData, meanScale } from "./data";
import { channelWord } from "./describe";
import { TARGET_LIST, TILE_SIZE } from "./limits";
import { targetOf, useBrowser } from "./state";
import type { ColorRange } from "./types";

const VECTOR_ORDERS: readonly [Order, string][] = [
  ["index", "number"],
  ["max", "value, highest first"],
];

export function OrderSelect({ vector }: { vector?: boolean }) {
  const { order } = useBrowser();
  const options = vector ? VECTOR_ORDERS : ORDERS;
  const value = options.some(([key]) => key === order.value) ? order.value : "index";
  return <Choice<Order> label="Sort by" of={order} {...{ value, options }} />;
}

export function RangeSelect() {
  const { colorRange, actualView } = useBrowser();
  return (
    <Choice<ColorRange>
      label="Colours"
      of={colorRange}
      value={rangeIn(actualView.value, colorRange.value)}
      options={rangesOf(actualView.value)}
    />
  );
}

/** Whose score the gradients are of: the predicted classes first. */
export function TargetSelect() {
  const state = useBrowser();
  const { target, classes, predictions } = state;
  const names = classes.value ?? [];
  const top = predictions.value?.a?.rows ?? [];
  const listed = new Map(top.map(({ index, name }) => [index, name]));
  for (const [index, name] of names.slice(0, TARGET_LIST).entries())
    if (!listed.has(index)) listed.set(index, name);
  const chosen = targetOf(state);
  if (!listed.has(chosen)) listed.set(chosen, names[chosen] ?? "");
  const options = [...listed].map(
    ([index, name]) => [index, name === `${index}` ? name : `${name} (${index})`] as const,
  );
  return (
    <Choice<number>
      label="Gradient of the logit of"
      value={chosen}
      options={options}
      onChange={(k) => (target.value = k)}
    />
  );
}

export function TileSlider() {
  const { tile } = useBrowser();
  return <Slider label="Size" {...TILE_SIZE} of={tile} format={() => ""} />;
}

interface MapToolsProps {
  data: readonly LayerData[];
  /** null: the mean over the channels. */
  channel: number | null;
  children?: ComponentChildren;
}

/** What is chosen above maps, and what their colours mean. */
export function MapTools({ data, channel, children }: MapToolsProps) {
  const { colorRange, of, layer } = useBrowser();
  const range = colorRange.value;
  const gradients = of.value === "gradients";
  const over = {
    channel: `${channelWord(layer.value)} ${channel}`,
    layer: "this layer",
    network: "all maps of the network; logits have their own range",
  };
  const mean = channel === null;
  return (
    <div class="cnnw-lb-tools">
      {gradients && <TargetSelect />}
      {children}
      <RangeSelect />
      <Legend
        scale={mean ? meanScale(data, range) : channelScale(data, channel, range)}
        caption={`${gradients ? "∂ logit / ∂ value" : "value"}, ${mean && range !== "network" ? "mean over channels" : over[range]}`}
        odd={[...new Set(data.flatMap(({ value }) => value.odd))].map(Number)}
      />
    </div>
  );
}
