// The picture with its patch, and the map over it.
import type { Scale } from "../../shared/color";
import { colors, paintPicture } from "../../shared/color";
import type { Tensor } from "../../shared/wire";
import type { Size } from "./sweep";
import type { Box } from "./types";

function show(canvas: HTMLCanvasElement, out: ImageData): void {
  canvas.width = out.width;
  canvas.height = out.height;
  canvas.getContext("2d")?.putImageData(out, 0, 0);
}

const wordsOf = (image: ImageData) => new Uint32Array(image.data.buffer);

/** A packed picture as pixels. */
export function imageOf(picture: Tensor, { height, width }: Size): ImageData {
  const out = new ImageData(width, height);
  paintPicture(picture, out);
  return out;
}

/** The mean colour of all pixels, "#rrggbb". */
export function meanColor({ data }: ImageData): string {
  const sums = [0, 0, 0];
  for (let at = 0; at < data.length; at++)
    if (at % 4 < 3) sums[at % 4] = (sums[at % 4] as number) + (data[at] as number);
  const hex = (sum: number) =>
    Math.round((4 * sum) / data.length)
      .toString(16)
      .padStart(2, "0");
  return `#${sums.map(hex).join("")}`;
}

/** Draws the picture, and over it the parts of what patches show that lie under them. */
export function drawPatched(
  canvas: HTMLCanvasElement,
  picture: ImageData,
  filled: ImageData,
  boxes: readonly Box[],
): void {
  const { width, height } = picture;
  const out = new ImageData(new Uint8ClampedArray(picture.data), width, height);
  const pixels = wordsOf(out);
  const fill = wordsOf(filled);
  for (const [row, column, window] of boxes)
    for (let y = Math.max(0, row); y < Math.min(height, row + window); y++) {
      const from = y * width + Math.max(0, column);
      const to = y * width + Math.min(width, column + window);
      pixels.set(fill.subarray(from, to), from);
    }
  show(canvas, out);
}

/** Draws each pixel in the colour of its cell; what is not known stays transparent. */
export function drawCells(
  canvas: HTMLCanvasElement,
  cells: Int32Array,
  values: Float64Array,
  { low, high, table }: Scale,
  size: Size,
): void {
  const out = new ImageData(size.width, size.height);
  const pixels = wordsOf(out);
  const palette = colors(table);
  const gain = high > low ? 255 / (high - low) : 0;
  cells.forEach((cell, pixel) => {
    const value = cell < 0 ? Number.NaN : (values[cell] as number);
    if (Number.isFinite(value))
      pixels[pixel] = palette[gain ? Math.round((value - low) * gain) : 128] as number;
  });
  show(canvas, out);
}
