// One layer's numbers as the panels use them.
import type { Scale, Table } from "../../shared/color";
import { symmetric } from "../../shared/color";
import type { Reply } from "../../shared/model";
import type { Bounds } from "./brushing";
import { type Channel, channelAt, colorSpan, type Range, union } from "./channels";
import type { Source } from "./resources";
import type { Shown } from "./state";
import type { ColorRange, LayerValue } from "./types";

/** What one picture does in the layer. */
export interface LayerData {
  source: Source;
  shown: Shown;
  value: LayerValue;
  /** The table of channels, [C, 6]. */
  table: ArrayLike<number>;
  rows: Bounds;
  columns: Bounds;
}

export function layerData(reply: Reply<LayerValue>, source: Source, shown: Shown): LayerData {
  const [table = [], rows = [], columns = []] = reply.tensors.map(
    ({ data }): ArrayLike<number> => data,
  );
  return { source, shown, value: reply.value, table, rows, columns };
}

export const zeroCentred = ([low, high]: Range, table: Table): Scale => ({
  ...symmetric(low, high),
  table,
});

/** The colours of a channel's map; one scale for all pictures shown. */
export const channelScale = (data: readonly LayerData[], channel: number, by: ColorRange): Scale =>
  zeroCentred(colorSpan(data, channel, by), "activations");

/** The colours of the mean over the channels. */
export const meanScale = (data: readonly LayerData[], by: ColorRange): Scale =>
  zeroCentred(
    union(
      data.map(
        ({ value: v }): Range =>
          by === "network" ? [v.network_low, v.network_high] : [v.mean_low, v.mean_high],
      ),
    ),
    "activations",
  );

export const channelsOf = (data: readonly LayerData[], channel: number): Channel[] =>
  data.map(({ table }) => channelAt(table, channel));

/** Remarks on maps that have nothing to show, or something that is no number: one for each picture, or one for all. */
export function remarks(data: readonly LayerData[], channel: number): readonly string[] {
  const each = channelsOf(data, channel).map(({ broken, zero }) =>
    broken ? "NaN or ∞" : zero === 1 ? "zero here" : "",
  );
  return new Set(each).size > 1 ? each : each.slice(0, 1);
}
