// One map, large, beside the input: exact values, and who sees what in both directions.
import { useSignal } from "@preact/signals";
import { useCallback } from "preact/hooks";
import { drawMap, drawPicture } from "../../shared/canvas";
import type { Scale } from "../../shared/color";
import { exact } from "../../shared/format";
import { ImageView, type Overlay, type Pixel } from "../../shared/image_view";
import { type Tensor, valueAt } from "../../shared/wire";
import { rectWords, seenBy, unitsThatSee } from "./brushing";
import { channelScale, type LayerData, meanScale } from "./data";
import { channelWord } from "./describe";
import { useReplies, Waiting } from "./loading";
import { Receipt } from "./receipt";
import { useBrowser, useKeptFocus } from "./state";
import type { Rect, Slot } from "./types";

interface Hover {
  slot: Slot;
  on: "input" | "map";
  at: Pixel;
}

const unitRect = ([row, column]: Pixel): Rect => ({
  top: row,
  left: column,
  bottom: row + 1,
  right: column + 1,
});
const overlay = (rect: Rect | null, kind: "field" | "unit", label?: string): Overlay[] =>
  rect ? [{ ...rect, kind, ...(label ? { label } : {}) }] : [];

/** `channel` null: the mean over all channels. */
export function Enlarged({
  data,
  channel,
}: {
  data: readonly LayerData[];
  channel: number | null;
}) {
  useKeptFocus();
  const { colorRange, unit, layer } = useBrowser();
  const answers = useReplies<unknown>(
    channel === null ? "mean" : "map",
    data.map(({ source }) => (channel === null ? source : { ...source, channel })),
    "map",
  );
  const hover = useSignal<Hover | null>(null);
  const clicked = useSignal<Slot>("a");
  const scale =
    channel === null
      ? meanScale(data, colorRange.value)
      : channelScale(data, channel, colorRange.value);
  const { replies } = answers;
  if (!replies || answers.error) return <Waiting answers={answers} />;
  const receipt =
    data.find(({ source }) => source.slot === clicked.value) ?? (data[0] as LayerData);
  const explains =
    channel !== null && unit.value && layer.value?.receipt && receipt.source.of === "activations";
  return (
    <div
      class="cnnw-lb-enlarged"
      data-current={answers.current}
      data-explains={explains ? "" : undefined}
      style={{ "--pictures": data.length }}
    >
      {data.map((one, i) => (
        <Side
          key={one.source.slot}
          {...{ hover, scale, channel }}
          data={one}
          map={replies[i]?.tensors[0]}
          many={data.length > 1}
          onUnit={(at) => {
            clicked.value = one.source.slot;
            unit.value = [at[0], at[1]];
          }}
        />
      ))}
      {explains && unit.value && (
        <Receipt source={receipt.source} channel={channel} unit={unit.value} />
      )}
      {layer.value?.receipt &&
        !explains &&
        receipt.source.of === "activations" &&
        channel !== null && (
          <p class="cnnw-note">Click a unit of the map to see how its value is calculated.</p>
        )}
    </div>
  );
}

interface SideProps {
  data: LayerData;
  map: Tensor | undefined;
  scale: Scale;
  channel: number | null;
  many: boolean;
  hover: { value: Hover | null };
  onUnit: (at: Pixel) => void;
}

function Side({ data, map, scale, channel, many, hover, onUnit }: SideProps) {
  const { unit, layer } = useBrowser();
  const { shown, source, rows, columns } = data;
  const { low, high, table } = scale;
  const drawInput = useCallback(
    (canvas: HTMLCanvasElement) => drawPicture(canvas, shown.picture),
    [shown.picture],
  );
  const draw = useCallback(
    (canvas: HTMLCanvasElement) => map && drawMap(canvas, map, 0, { low, high, table }),
    [map, low, high, table],
  );
  const [height = 1, width = 1] = map?.shape.slice(-2) ?? [];
  // A token's map is a single row: drawn taller, so that one can see and hit it.
  const tall = height === 1 ? Math.ceil(width / 12) : 1;
  const [inputHeight, inputWidth] = shown.picture.shape as [number, number];
  const over = hover.value;
  const at = over?.on === "map" ? over.at : unit.value;
  const pixel = over?.on === "input" ? over.at : null;
  const field = at && seenBy(rows, columns, ...(at as Pixel));
  const seers = pixel && unitsThatSee(rows, columns, ...pixel);
  const what = channel === null ? "mean over channels" : `${channelWord(layer.value)} ${channel}`;
  const set = (on: Hover["on"]) => (to: Pixel | null) => {
    hover.value = to && { slot: source.slot, on, at: to };
  };
  return (
    <>
      <figure class="cnnw-lb-view" data-view="input" data-slot={source.slot}>
        <figcaption>
          {many
            ? `Input ${source.slot.toUpperCase()}: ${shown.name}`
            : "Input, as the network sees it"}
        </figcaption>
        <ImageView
          label={`Input ${shown.name}`}
          width={inputWidth}
          height={inputHeight}
          draw={drawInput}
          overlays={[...overlay(field, "field"), ...overlay(pixel && unitRect(pixel), "unit")]}
          onHover={set("input")}
          zoomable
          readout={
            pixel
              ? pixelWords(shown.picture, pixel, seers)
              : field
                ? `sees ${rectWords(field)}`
                : " "
          }
        />
      </figure>
      <figure class="cnnw-lb-view" data-view="map" data-slot={source.slot}>
        <figcaption>
          {source.layer}, {what}
          {many && ` for ${source.slot.toUpperCase()}`}
        </figcaption>
        <ImageView
          label={`${source.layer} ${what}`}
          {...{ width, draw }}
          height={height * tall}
          overlays={[
            ...overlay(seers, "field"),
            ...overlay(unit.value && unitRect(unit.value), "unit"),
          ].map((box) => ({ ...box, bottom: box.bottom * tall }))}
          onHover={(to) => set("map")(to && [Math.floor(to[0] / tall), to[1]])}
          onClick={([row, column]) => onUnit([Math.floor(row / tall), column])}
          zoomable
          readout={at && map ? unitWords(map, at, width) : " "}
        />
      </figure>
    </>
  );
}

const unitWords = (map: Tensor, [row, column]: Pixel, width: number) =>
  `row ${row}, column ${column}: ${exact(valueAt(map, row * width + column))}`;

function pixelWords({ shape, data }: Tensor, [row, column]: Pixel, seers: Rect | null): string {
  const width = shape[1] as number;
  const at = 3 * (row * width + column);
  const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
  const grey = red === green && green === blue;
  return `row ${row}, column ${column}: ${grey ? `grey ${red}` : `red ${red}, green ${green}, blue ${blue}`}${
    seers ? `; seen by units in ${rectWords(seers)}` : ""
  }`;
}
