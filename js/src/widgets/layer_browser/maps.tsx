// All channels of a layer as a grid.
import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useMemo } from "preact/hooks";
import { number, percent } from "../../shared/format";
import { type Channel, ordered } from "./channels";
import { MapTools, OrderSelect, TileSlider } from "./controls";
import { channelScale, channelsOf, type LayerData, remarks } from "./data";
import { channelWord, rangeWords } from "./describe";
import { drawBeside } from "./draw";
import type { MapLoader } from "./resources";
import { enlarge, useBrowser, useKeptFocus } from "./state";
import { Tiles, useLoader } from "./tiles";

/** Width of a tile with two maps, in widths of one with a single map. */
const PAIR = 1.6;

/** The order to show the channels in, undefined for their own; the arrow keys follow it. */
export function useOrder({ table, value }: LayerData): number[] | undefined {
  const { order, channels } = useBrowser();
  const by = order.value;
  const count = value.shape[0] ?? 0;
  const all = useMemo(() => ordered(table, count, by), [table, count, by]);
  useEffect(() => {
    channels.value = all;
  }, [all]);
  return by === "index" ? undefined : all;
}

export function Maps({ data }: { data: readonly LayerData[] }) {
  useKeptFocus();
  const state = useBrowser();
  const { channel, layer, tile } = state;
  const [first] = data as [LayerData];
  const sources = data.map(({ source }) => source);
  const loader = useLoader("maps", sources, first.value.shape[0] ?? 0);
  const order = useOrder(first);
  const draw = useDraw(loader, data);
  const mark = useCallback((item: number) => remarks(data, item), [data]);
  const over = useSignal<number | null>(null);
  const told = over.value ?? channel.value;
  const word = channelWord(layer.value);
  const two = data.length > 1;
  const width = two ? PAIR * tile.value : tile.value;
  return (
    <>
      <MapTools data={data} channel={told}>
        <OrderSelect />
        <TileSlider />
      </MapTools>
      <Tiles
        {...{ loader, order, draw, mark }}
        caption={`${loader.count} ${word}s of ${first.source.layer}`}
        tile={width}
        tileHeight={width / data.length}
        flat={first.value.shape[1] === 1}
        onOpen={() => enlarge(state)}
        onOver={(item) => (over.value = item)}
      />
      <p class="cnnw-lb-readout">
        <b>
          {word} {told}
        </b>
        {channelsOf(data, told).map((one, i) => (
          <span key={i}>{channelWords(one, two ? (data[i]?.shown.name ?? "") : "")}</span>
        ))}
      </p>
    </>
  );
}

/** Draws a channel of all pictures, once its maps are there. */
function useDraw(loader: MapLoader, data: readonly LayerData[]) {
  const { colorRange, tile } = useBrowser();
  const range = colorRange.value;
  const edge = tile.value;
  return useCallback(
    (item: number, canvas: HTMLCanvasElement) => {
      const parts = loader.sources.map((source) => loader.find(source, item));
      if (!parts.every((part) => part !== undefined)) return false;
      drawBeside(canvas, parts, channelScale(data, item, range), edge);
      return true;
    },
    [loader, data, range, edge],
  );
}

/** "−1.2 … 3.4, mean 0.1, 32 % zeros" */
export function channelWords({ mean, low, high, zero, broken }: Channel, picture: string): string {
  const parts = [rangeWords([low, high]), `mean ${number(mean)}`];
  if (zero) parts.push(`${percent(zero)} zeros`);
  if (broken) parts.push(`${percent(broken)} NaN or infinite`);
  return `${picture && `${picture}: `}${parts.join(", ")}`;
}
