// One picture's part of an enlarged map: the input, the map, and the rectangles that tie them.
import { useCallback } from "preact/hooks";
import { drawMap, drawPicture } from "../../shared/canvas";
import type { Scale } from "../../shared/color";
import { exact, number } from "../../shared/format";
import { ImageView, type ImageViewProps, type Pixel } from "../../shared/image_view";
import { pixelBox } from "../../shared/overlay";
import { mapSize, type Tensor, valueAt } from "../../shared/wire";
import { rectWords, seenBy, unitsThatSee } from "./brushing";
import type { LayerData } from "./data";
import { channelWord } from "./describe";
import type { MapPart } from "./draw";
import { useBrowser, useKeptFocus } from "./state";
import type { Rect, Slot } from "./types";

export interface Hover {
  on: "input" | "map";
  at: Pixel;
}

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

/** The hover is one for all pictures: the same unit and the same pixel can be compared. */
export function Side({ hover, ...p }: SideProps) {
  const { unit } = useBrowser();
  const { rows, columns } = p.data;
  const over = hover.value;
  const at = over?.on === "map" ? over.at : unit.value;
  const pixel = over?.on === "input" ? over.at : null;
  const seers = pixel && unitsThatSee(rows, columns, ...pixel);
  const field = at && seenBy(rows, columns, ...at);
  const set = (on: Hover["on"]) => (to: Pixel | null) => {
    hover.value = to && { on, at: to };
  };
  return (
    <>
      <InputFigure {...p} {...{ field, pixel, seers }} onHover={set("input")} />
      <MapFigure {...p} {...{ at, seers }} onHover={set("map")} />
    </>
  );
}

interface FigureProps extends Omit<ImageViewProps, "zoomable"> {
  view: Hover["on"];
  slot: Slot;
  caption: string;
}

const Figure = ({ view, slot, caption, ...image }: FigureProps) => (
  <figure data-view={view} data-slot={slot}>
    <figcaption>{caption}</figcaption>
    <ImageView zoomable {...image} />
  </figure>
);

interface Part extends Omit<SideProps, "hover"> {
  onHover: (at: Pixel | null) => void;
}

interface InputProps extends Part {
  /** What the unit under the pointer, or the chosen one, sees. */
  field: Rect | null;
  pixel: Pixel | null;
  /** The units that see the pixel. */
  seers: Rect | null;
}

function InputFigure({ data, many, field, pixel, seers, onHover }: InputProps) {
  const { picture, name, slot } = data.shown;
  const [height, width] = picture.shape as [number, number];
  const draw = useCallback((canvas: HTMLCanvasElement) => drawPicture(canvas, picture), [picture]);
  const seen = field ? `sees ${rectWords(field)}` : " ";
  return (
    <Figure
      view="input"
      caption={many ? `Input ${slot.toUpperCase()}: ${name}` : "Input, as the network sees it"}
      label={`Input ${name}`}
      {...{ slot, width, height, draw, onHover }}
      overlays={[field, pixel && pixelBox(pixel, "unit")]}
      readout={pixel ? pixelWords(picture, pixel, seers) : seen}
    />
  );
}

interface MapProps extends Part {
  /** The unit that is read. */
  at: Pixel | null;
  seers: Rect | null;
}

function MapFigure({ data, map, scale, channel, many, at, seers, onHover, onUnit }: MapProps) {
  useKeptFocus();
  const { unit, layer } = useBrowser();
  const { slot } = data.source;
  const { low, high, table } = scale;
  const draw = useCallback(
    (canvas: HTMLCanvasElement) => drawMap(canvas, map.tensor, map.at, { low, high, table }),
    [map.tensor, map.at, low, high, table],
  );
  const [height = 1, width = 1] = map.tensor.shape.slice(-2);
  // A token's map is a single row: drawn taller, so that one can see and hit it.
  const tall = height === 1 ? Math.ceil(width / 12) : 1;
  const unitAt = ([row, column]: Pixel): Pixel => [Math.floor(row / tall), column];
  const what = channel === null ? "mean over channels" : `${channelWord(layer.value)} ${channel}`;
  return (
    <Figure
      view="map"
      caption={`${data.source.layer}, ${what}${many ? ` for ${slot.toUpperCase()}` : ""}`}
      label={`${data.source.layer} ${what}`}
      {...{ slot, width, draw }}
      height={height * tall}
      overlays={[seers, unit.value && pixelBox(unit.value, "unit")].map(
        (box) => box && { ...box, bottom: box.bottom * tall },
      )}
      onHover={(to) => onHover(to && unitAt(to))}
      onClick={(to) => onUnit(unitAt(to))}
      readout={at ? unitWords(map, at, width) : " "}
    />
  );
}

const place = ([row, column]: Pixel) => `row ${row}, column ${column}`;

/** All digits of an exact value; four of one that the grid's copy rounded. */
function unitWords({ tensor, at }: MapPart, unit: Pixel, width: number): string {
  const [row, column] = unit;
  const value = valueAt(tensor, at * mapSize(tensor) + row * width + column);
  const rounded = tensor.encoding === "quantised";
  return `${place(unit)}: ${rounded ? `≈ ${number(value)}` : exact(value)}`;
}

function pixelWords({ shape, data }: Tensor, pixel: Pixel, seers: Rect | null): string {
  const [row, column] = pixel;
  const [, width = 1, channels = 1] = shape;
  const at = channels * (row * width + column);
  const [red, green = red, blue = red] = data.subarray(at, at + channels);
  const grey = red === green && green === blue;
  const color = grey ? `grey ${red}` : `red ${red}, green ${green}, blue ${blue}`;
  return `${place(pixel)}: ${color}${seers ? `; seen by units in ${rectWords(seers)}` : ""}`;
}
