// The picture in grey with a map over it; masks and cut-outs.
import { colors, paintPicture, type Scale } from "../../shared/color";
import { over } from "../../shared/mixing";
import type { Tensor } from "../../shared/wire";

interface Sheet {
  out: ImageData;
  pixels: Uint32Array;
}

function sheet(height: number, width: number): Sheet {
  const out = new ImageData(width, height);
  return { out, pixels: new Uint32Array(out.data.buffer) };
}

function show(canvas: HTMLCanvasElement, { out }: Sheet): void {
  canvas.width = out.width;
  canvas.height = out.height;
  canvas.getContext("2d")?.putImageData(out, 0, 0);
}

const pictured = (picture: Tensor): Sheet => {
  const made = sheet(picture.shape[0] as number, picture.shape[1] as number);
  paintPicture(picture, made.out);
  return made;
};

export const drawBare = (canvas: HTMLCanvasElement, picture: Tensor): void =>
  show(canvas, pictured(picture));

/** Value → packed colour; undefined for what was not measured. */
function colorist({ low, high, table }: Scale): (value: number) => number | undefined {
  const palette = colors(table);
  const gain = high > low ? 255 / (high - low) : 0;
  const middle = table === "activations" ? 128 : 0;
  return (value) =>
    Number.isNaN(value)
      ? undefined
      : palette[gain ? Math.min(255, Math.max(0, Math.round((value - low) * gain))) : middle];
}

/** Draws a map over the grey picture, which alone shows where nothing was measured. */
export function drawOver(
  canvas: HTMLCanvasElement,
  picture: Tensor,
  values: Float32Array,
  scale: Scale,
  opacity: number,
): void {
  const made = pictured(picture);
  const color = colorist(scale);
  values.forEach((value, i) => {
    const found = color(value);
    made.pixels[i] = over(found ?? 0, made.pixels[i] as number, found === undefined ? 0 : opacity);
  });
  show(canvas, made);
}

/** Draws a map alone, a canvas pixel per value. */
export function drawAlone(
  canvas: HTMLCanvasElement,
  values: Float32Array,
  width: number,
  scale: Scale,
): void {
  const made = sheet(values.length / width, width);
  const color = colorist(scale);
  values.forEach((value, i) => {
    made.pixels[i] = color(value) ?? 0;
  });
  show(canvas, made);
}

/** Draws what a mask leaves of the picture; the rest is transparent. */
export function drawCut(canvas: HTMLCanvasElement, picture: Tensor, mask: Tensor): void {
  const made = pictured(picture);
  mask.data.forEach((inside, i) => {
    if (!inside) made.pixels[i] = 0;
  });
  show(canvas, made);
}
