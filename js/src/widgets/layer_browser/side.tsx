// One picture's part of an enlarged map: the input, the map, and the rectangles that tie them.
import { useCallback } from "preact/hooks";
import { drawMap, drawPicture } from "../../shared/canvas";
import type { Scale } from "../../shared/color";
import { exact, number } from "../../shared/format";
import { ImageView, type Overlay, type Pixel } from "../../shared/image_view";
import { mapSize, type Tensor, valueAt } from "../../shared/wire";
import { rectWords, seenBy, unitsThatSee } from "./brushing";
import type { LayerData } from "./data";
import { channelWord } from "./describe";
import type { MapPart } from "./draw";
import { useBrowser } from "./state";
import type { Rect, Slot } from "./types";

export interface Hover {
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

const overlay = (rect: Rect | null, kind: "field" | "unit"): Overlay[] =>
  rect ? [{ ...rect, kind }] : [];

interface SideProps {
  data: LayerData;
  /** Quantised where only the grid's copy is here. */
  map: MapPart;
  scale: Scale;
  channel: number | null;
  many: boolean;
  hover: { value: Hover | null };
  onUnit: (at: Pixel) => void;
}

export function Side({ data, map, scale, channel, many, hover, onUnit }: SideProps) {
  const { unit, layer } = useBrowser();
  const { shown, source, rows, columns } = data;
  const { low, high, table } = scale;
  const drawInput = useCallback(
    (canvas: HTMLCanvasElement) => drawPicture(canvas, shown.picture),
    [shown.picture],
  );
  const draw = useCallback(
    (canvas: HTMLCanvasElement) => drawMap(canvas, map.tensor, map.at, { low, high, table }),
    [map.tensor, map.at, low, high, table],
  );
  const [height = 1, width = 1] = map.tensor.shape.slice(-2);
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
      <figure data-view="input" data-slot={source.slot}>
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
      <figure data-view="map" data-slot={source.slot}>
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
          readout={at ? unitWords(map, at, width) : " "}
        />
      </figure>
    </>
  );
}

/** All digits of an exact value; four of one that the grid's copy rounded. */
function unitWords({ tensor, at }: MapPart, [row, column]: Pixel, width: number): string {
  const value = valueAt(tensor, at * mapSize(tensor) + row * width + column);
  const rounded = tensor.encoding === "quantised";
  return `row ${row}, column ${column}: ${rounded ? `≈ ${number(value)}` : exact(value)}`;
}

function pixelWords({ shape, data }: Tensor, [row, column]: Pixel, seers: Rect | null): string {
  const [, width = 1, channels = 1] = shape;
  const at = channels * (row * width + column);
  const [red, green = red, blue = red] = data.subarray(at, at + channels);
  const grey = red === green && green === blue;
  return `row ${row}, column ${column}: ${grey ? `grey ${red}` : `red ${red}, green ${green}, blue ${blue}`}${
    seers ? `; seen by units in ${rectWords(seers)}` : ""
  }`;
}
