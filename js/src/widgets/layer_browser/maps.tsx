// All channels of a layer as a grid.
import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { Banner } from "../../shared/banner";
import { number, percent } from "../../shared/format";
import { TileGrid } from "../../shared/tile_grid";
import { type Channel, ordered } from "./channels";
import { MapTools, OrderSelect, TileSlider } from "./controls";
import { channelScale, channelsOf, type LayerData, remark } from "./data";
import { channelWord } from "./describe";
import { drawBeside } from "./draw";
import { MapLoader, type Resources } from "./resources";
import { enlarge, useBrowser, useKeptFocus } from "./state";

/** Width of a tile with two maps, in widths of one with a single map. */
const PAIR = 1.6;

/** A loader that lives as long as its questions stay the same. */
export function useLoader<S extends object>(
  resources: Resources,
  request: "maps" | "filters",
  sources: readonly S[],
  count: number,
): MapLoader<S> {
  const id = sources.map((source) => resources.id(request, source)).join();
  const loader = useMemo(() => new MapLoader(resources, request, sources, count), [id, count]);
  useEffect(() => () => loader.stop(), [loader]);
  return loader;
}

/** Selecting and opening of tiles: the first click selects, the second opens. */
export function useTiles(
  order: readonly number[] | undefined,
  loader: { want(maps: number[]): void },
) {
  const state = useBrowser();
  const visible = useRef<[number, number]>([0, 0]);
  const again = useRef(true);
  const want = () => {
    const [first, last] = visible.current;
    loader.want(Array.from({ length: last - first }, (_, i) => order?.[first + i] ?? first + i));
  };
  useEffect(want, [loader, order]);
  return {
    want,
    grid: {
      onVisible: (first: number, last: number) => {
        visible.current = [first, last];
        want();
      },
      onSelect: (item: number) => {
        state.channel.value = item;
      },
      onOpen: () => again.current && enlarge(state),
    },
    // A click opens the tile that has the focus already; keys always do.
    gestures: {
      onKeyDownCapture: () => {
        again.current = true;
      },
      onPointerDown: ({ target }: PointerEvent) => {
        again.current = (target as Element).closest("[data-at]")?.matches(":focus") ?? false;
      },
    },
  };
}

/** Calls back with the item under the pointer of a grid, null outside. */
export const overTile = (
  order: readonly number[] | undefined,
  on: (item: number | null) => void,
) => ({
  onPointerOver: (event: PointerEvent) => {
    const at = (event.target as Element).closest<HTMLElement>("[data-at]")?.dataset.at;
    on(at === undefined ? null : (order?.[Number(at)] ?? Number(at)));
  },
  onPointerLeave: () => on(null),
});

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
  const { resources, channel, colorRange, layer, tile } = useBrowser();
  const [first] = data as [LayerData];
  const count = first.value.shape[0] ?? 0;
  const range = colorRange.value;
  const loader = useLoader(
    resources,
    "maps",
    data.map(({ source }) => source),
    count,
  );
  const order = useOrder(first);
  const tiles = useTiles(order, loader);
  const edge = tile.value;
  const over = useSignal<number | null>(null);
  const draw = useCallback(
    (item: number, canvas: HTMLCanvasElement) => {
      const parts = loader.sources.map((source) => loader.find(source, item));
      if (!parts.every((part) => part !== undefined)) return false;
      drawBeside(canvas, parts, channelScale(data, item, range), edge);
      return true;
    },
    [loader, data, range, edge],
  );
  const mark = useCallback((item: number) => remark(data, item), [data]);
  const word = channelWord(layer.value);
  const told = over.value ?? channel.value;
  return (
    <>
      <MapTools data={data} channel={told}>
        <OrderSelect />
        <TileSlider />
      </MapTools>
      {loader.failed.value && (
        <Banner kind="info" action={{ label: "Try again", onClick: tiles.want }}>
          {loader.failed.value}
        </Banner>
      )}
      <div
        class="cnnw-lb-tiles"
        data-flat={first.value.shape[1] === 1}
        {...tiles.gestures}
        {...overTile(order, (item) => (over.value = item))}
      >
        <TileGrid
          caption={`${count} ${word}s of ${first.source.layer}`}
          {...{ count, order, draw }}
          tile={data.length > 1 ? PAIR * edge : edge}
          tileHeight={data.length > 1 ? (PAIR * edge) / 2 : edge}
          selected={channel.value}
          label={String}
          mark={mark}
          loaded={loader.loaded}
          {...tiles.grid}
        />
      </div>
      <p class="cnnw-lb-readout">
        <b>
          {word} {told}
        </b>
        {channelsOf(data, told).map((c, i) => (
          <span key={data[i]?.source.slot}>
            {channelWords(c, data.length > 1 ? (data[i]?.shown.name ?? "") : "")}
          </span>
        ))}
      </p>
    </>
  );
}

/** "−1.2 … 3.4, mean 0.1, 32 % zeros" */
export function channelWords({ mean, low, high, zero, broken }: Channel, picture: string): string {
  const parts = [`${number(low)} … ${number(high)}`, `mean ${number(mean)}`];
  if (zero) parts.push(`${percent(zero)} zeros`);
  if (broken) parts.push(`${percent(broken)} NaN or infinite`);
  return `${picture && `${picture}: `}${parts.join(", ")}`;
}
