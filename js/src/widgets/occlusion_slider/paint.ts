// The picture with its patch, and the map over it.
import type { Scale } from "../../shared/color";
import { colors, paintPicture } from "../../shared/color";
import type { Tensor } from "../../shared/wire";
import type { Size } from "./sweep";
import type { Place } from "./types";

function image({ height, width }: Size): { out: ImageData; pixels: Uint32Array } {
  const out = new ImageData(width, height);
  return { out, pixels: new Uint32Array(out.data.buffer) };
}

function show(canvas: HTMLCanvasElement, out: ImageData): void {
  canvas.width = out.width;
  canvas.height = out.height;
  canvas.getContext("2d")?.putImageData(out, 0, 0);
}

/** Draws the picture, and over it the part of what the patch shows that lies under it. */
export function drawPatched(
  canvas: HTMLCanvasElement,
  picture: Tensor,
  filled: Tensor,
  { row, column }: Place,
  window: number,
  size: Size,
): void {
  const bare = image(size);
  const fill = image(size);
  paintPicture(picture, bare.out);
  paintPicture(filled, fill.out);
  for (let y = Math.max(0, row); y < Math.min(size.height, row + window); y++) {
    const from = y * size.width + Math.max(0, column);
    const to = y * size.width + Math.min(size.width, column + window);
    bare.pixels.set(fill.pixels.subarray(from, to), from);
  }
  show(canvas, bare.out);
}

/** Draws each pixel in the colour of its cell; what is not known stays transparent. */
export function drawCells(
  canvas: HTMLCanvasElement,
  cells: Int32Array,
  values: Float64Array,
  { low, high, table }: Scale,
  size: Size,
): void {
  const { out, pixels } = image(size);
  const palette = colors(table);
  const gain = high > low ? 255 / (high - low) : 0;
  cells.forEach((cell, pixel) => {
    const value = cell < 0 ? Number.NaN : (values[cell] as number);
    if (Number.isFinite(value))
      pixels[pixel] = palette[gain ? Math.round((value - low) * gain) : 128] as number;
  });
  show(canvas, out);
}
