// The learned filters themselves: in colour where they read a picture, else per input channel or summed.
import { type Signal, useSignal } from "@preact/signals";
import { useCallback, useEffect } from "preact/hooks";
import { drawMap } from "../../shared/canvas";
import { Choice } from "../../shared/choice";
import type { Scale } from "../../shared/color";
import { shape } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { extent, type Range, upTo } from "./channels";
import { RangeSelect } from "./controls";
import { zeroCentred } from "./data";
import { COLORS } from "./describe";
import { drawColorFilter, type MapPart } from "./draw";
import { Matrix } from "./matrix";
import { useBrowser, useKeptFocus } from "./state";
import { Tiles, useLoader } from "./tiles";
import type { Layer } from "./types";

type Input = "rgb" | "sum" | number;

export function Filters({ layer, filters }: { layer: Layer; filters: number[] }) {
  useKeptFocus();
  const [count, inputs, height, width] = filters as [number, number, number, number];
  const { channel, channels, tile } = useBrowser();
  const input = useSignal<Input>(inputs === 3 ? "rgb" : "sum");
  const words = inputs === 1 ? "" : `, ${inputWords(input.value)}`;
  const { loader, find, draw } = useFilters(layer, input.value, count);
  useEffect(() => {
    channels.value = upTo(count);
  }, [count]);
  const chosen = channel.value;
  const part = find(chosen);
  return (
    <>
      <FilterTools {...{ input, inputs }} scale={part?.scale ?? zeroCentred([0, 0], "weights")} />
      <Tiles
        {...{ loader, draw }}
        caption={`${count} filters of ${layer.name}${words}`}
        tile={Math.min(tile.value, Math.max(48, 12 * Math.max(height, width)))}
      />
      <div class="cnnw-lb-readout">
        <b>filter {chosen}</b>
        <span>
          {shape(filters.slice(1))} weights{words}
        </span>
        {part && (
          <Cells {...{ part, words, height, width }} parts={input.value === "rgb" ? 3 : 1} />
        )}
      </div>
    </>
  );
}

/** The filters that have come, each with the scale of its colours. */
function useFilters(layer: Layer, input: Input, count: number) {
  const { colorRange } = useBrowser();
  const source = { layer: layer.name, input };
  const loader = useLoader("filters", [source], count);
  loader.loaded.value; // whoever draws them looks again
  const perFilter = colorRange.value === "channel";
  const find = useCallback(
    (item: number) => {
      const found = loader.find<{ low: number; high: number }>(source, item);
      if (!found) return undefined;
      const { tensor, at, reply } = found;
      const size = tensor.data.length / (tensor.shape[0] as number);
      const range: Range = perFilter
        ? extent(tensor.data.subarray(at * size, (at + 1) * size))
        : [reply.value.low, reply.value.high];
      return { tensor, at, scale: zeroCentred(range, "weights") };
    },
    [loader, perFilter],
  );
  const draw = useCallback(
    (item: number, canvas: HTMLCanvasElement) => {
      const part = find(item);
      if (!part) return false;
      if (input === "rgb") drawColorFilter(canvas, part.tensor, part.at, part.scale.high);
      else drawMap(canvas, part.tensor, part.at, part.scale);
      return true;
    },
    [find],
  );
  return { loader, find, draw };
}

const inputWords = (input: Input): string =>
  input === "rgb"
    ? "inputs as RGB"
    : input === "sum"
      ? "sum over inputs"
      : `input channel ${input}`;

interface FilterToolsProps {
  input: Signal<Input>;
  /** How many channels a filter reads. */
  inputs: number;
  scale: Scale;
}

function FilterTools({ input, inputs, scale }: FilterToolsProps) {
  const { channel, colorRange } = useBrowser();
  const possible: Input[] = ["sum", ...upTo(inputs)];
  if (inputs === 3) possible.unshift("rgb");
  const over = colorRange.value === "channel" ? `filter ${channel.value}` : "this layer";
  return (
    <div class="cnnw-lb-tools">
      {inputs > 1 && (
        <Choice<Input>
          label="Input"
          of={input}
          options={possible.map((key) => [key, inputWords(key)] as const)}
        />
      )}
      <RangeSelect />
      {input.value === "rgb" ? (
        <span>
          red, green and blue weights as colours; mid grey is 0, the ends are ±
          {scale.high.toPrecision(3)}
        </span>
      ) : (
        <Legend
          scale={scale}
          caption={`${input.value === "sum" && inputs > 1 ? `sum of ${inputs} weights` : "weight"}, ${over}`}
        />
      )}
    </div>
  );
}

interface CellsProps {
  part: MapPart & { scale: Scale };
  /** Matrices of one filter: one for each colour, or one. */
  parts: number;
  words: string;
  height: number;
  width: number;
}

/** The chosen filter in numbers. */
function Cells({ part: { tensor, at, scale }, parts, words, height, width }: CellsProps) {
  const size = height * width;
  return (
    <>
      {upTo(parts).map((i) => {
        const from = (at * parts + i) * size;
        const label = `Weights${parts > 1 ? `, ${COLORS[i]}` : words}`;
        return (
          <Matrix
            key={label}
            {...{ label, scale }}
            values={tensor.data.subarray(from, from + size)}
            rows={height}
            columns={width}
            written={3}
          />
        );
      })}
    </>
  );
}
