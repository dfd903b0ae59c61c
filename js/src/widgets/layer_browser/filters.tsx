// The learned filters themselves: in colour where they read a picture, else per input channel or summed.
import { useSignal } from "@preact/signals";
import { useCallback, useEffect } from "preact/hooks";
import { Banner } from "../../shared/banner";
import { drawMap } from "../../shared/canvas";
import { shape } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { TileGrid } from "../../shared/tile_grid";
import type { Tensor } from "../../shared/wire";
import { RangeSelect, Select } from "./controls";
import { weightScale } from "./data";
import { drawColorFilter } from "./draw";
import { useLoader, useTiles } from "./maps";
import { Matrix } from "./matrix";
import { useBrowser, useKeptFocus } from "./state";
import type { Layer } from "./types";

type Input = "rgb" | "sum" | number;

interface FilterRange {
  low: number;
  high: number;
}

export function Filters({ layer, filters }: { layer: Layer; filters: number[] }) {
  useKeptFocus();
  const [count, inputs, height, width] = filters as [number, number, number, number];
  const { resources, channel, channels, colorRange, tile } = useBrowser();
  const chosen = useSignal<Input | undefined>(undefined);
  const possible: Input[] = [
    ...(inputs === 3 ? (["rgb"] as const) : []),
    "sum",
    ...Array(inputs).keys(),
  ];
  const input =
    chosen.value !== undefined && possible.includes(chosen.value)
      ? chosen.value
      : (possible[0] as Input);
  const words = inputs === 1 ? "" : `, ${inputWords(input)}`;
  const source = { layer: layer.name, input };
  const loader = useLoader(resources, "filters", [source], count);
  useEffect(() => {
    channels.value = [...Array(count).keys()];
  }, [count]);
  const tiles = useTiles(undefined, loader);
  const perFilter = colorRange.value === "channel";
  const rangeOf = (item: number): FilterRange => {
    const found = loader.find<FilterRange>(source, item);
    return found
      ? perFilter
        ? extent(found.tensor, found.at)
        : found.reply.value
      : { low: 0, high: 0 };
  };
  const draw = useCallback(
    (item: number, canvas: HTMLCanvasElement) => {
      const found = loader.find(source, item);
      if (!found) return false;
      const { low, high } = rangeOf(item);
      const scale = weightScale(low, high);
      if (input === "rgb") drawColorFilter(canvas, found.tensor, found.at, scale.high);
      else drawMap(canvas, found.tensor, found.at, scale);
      return true;
    },
    [loader, perFilter],
  );
  loader.loaded.value;
  const { low, high } = rangeOf(channel.value);
  const scale = weightScale(low, high);
  const found = loader.find(source, channel.value);
  return (
    <>
      <div class="cnnw-lb-tools">
        {words && (
          <Select<Input>
            label="Input"
            value={input}
            options={possible.map((key) => [key, inputWords(key)] as const)}
            onChange={(key) => (chosen.value = key)}
          />
        )}
        <RangeSelect />
        {input === "rgb" ? (
          <span class="cnnw-note">
            red, green and blue weights as colours; mid grey is 0, the ends are ±
            {scale.high.toPrecision(3)}
          </span>
        ) : (
          <Legend
            scale={scale}
            caption={`weight, ${perFilter ? `filter ${channel.value}` : "this layer"}`}
          />
        )}
      </div>
      {loader.failed.value && (
        <Banner kind="info" action={{ label: "Try again", onClick: tiles.want }}>
          {loader.failed.value}
        </Banner>
      )}
      <div class="cnnw-lb-tiles" {...tiles.gestures}>
        <TileGrid
          caption={`${count} filters of ${layer.name}${words}`}
          {...{ count, draw }}
          tile={Math.min(tile.value, Math.max(48, 12 * Math.max(height, width)))}
          selected={channel.value}
          label={String}
          loaded={loader.loaded}
          {...tiles.grid}
        />
      </div>
      <div class="cnnw-lb-readout">
        <b>filter {channel.value}</b>
        <span>
          {shape(filters.slice(1))} weights{words}
        </span>
        {found && (
          <Cells {...{ input, words, height, width, scale }} tensor={found.tensor} at={found.at} />
        )}
      </div>
    </>
  );
}

function Cells(p: {
  input: Input;
  words: string;
  tensor: Tensor;
  at: number;
  height: number;
  width: number;
  scale: ReturnType<typeof weightScale>;
}) {
  const size = p.height * p.width;
  const parts = p.input === "rgb" ? 3 : 1;
  return (
    <>
      {Array.from({ length: parts }, (_, i) => {
        const from = (p.at * parts + i) * size;
        const label = `Weights${parts > 1 ? `, ${["red", "green", "blue"][i]}` : p.words}`;
        return (
          <Matrix
            key={label}
            label={label}
            values={p.tensor.data.subarray(from, from + size)}
            rows={p.height}
            columns={p.width}
            scale={p.scale}
            written={3}
          />
        );
      })}
    </>
  );
}

const inputWords = (input: Input): string =>
  input === "rgb"
    ? "inputs as RGB"
    : input === "sum"
      ? "sum over inputs"
      : `input channel ${input}`;

/** Range of one filter's weights. */
function extent({ shape: axes, data }: Tensor, at: number): FilterRange {
  const size = axes.slice(1).reduce((p, q) => p * q, 1);
  const values = data.subarray(at * size, (at + 1) * size);
  return { low: Math.min(...values), high: Math.max(...values) };
}
