// From tensors to canvases.
import { paint, paintPicture, type Scale } from "./color";
import type { Tensor } from "./wire";

function put(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  fill: (out: ImageData) => void,
): void {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const out = context.createImageData(width, height);
  fill(out);
  context.putImageData(out, 0, 0);
}

/** Draws one map, a canvas pixel per unit. */
export function drawMap(canvas: HTMLCanvasElement, t: Tensor, map: number, scale: Scale): void {
  const [height, width] = [1, 1, ...t.shape].slice(-2) as [number, number];
  put(canvas, width, height, (out) => paint(t, map, scale, out));
}

/** Draws a picture ([H, W, 3] or [H, W], uint8), a canvas pixel per pixel. */
export function drawPicture(canvas: HTMLCanvasElement, t: Tensor): void {
  put(canvas, t.shape[1] as number, t.shape[0] as number, (out) => paintPicture(t, out));
}
