// From tensors to canvases.
import { paint, paintPicture, type Scale } from "./color";
import type { Tensor } from "./wire";

let shared: HTMLCanvasElement | undefined;

/** Draws what `fill` makes of an empty picture, a canvas pixel per pixel. */
export function put(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  fill: (out: ImageData) => void,
): void {
  const out = new ImageData(width, height);
  fill(out);
  resize(canvas, width, height).putImageData(out, 0, 0);
}

function resize(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return canvas.getContext("2d") as CanvasRenderingContext2D;
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

/**
 * Draws one map to be shown `edge` CSS pixels wide and high at most: a map with more units than the
 * screen has pixels there is averaged down, since CSS alone would drop rows and columns of it.
 */
export function drawTile(
  canvas: HTMLCanvasElement,
  t: Tensor,
  map: number,
  scale: Scale,
  edge: number,
): void {
  const [height, width] = [1, 1, ...t.shape].slice(-2) as [number, number];
  const shrink = (edge * devicePixelRatio) / Math.max(width, height);
  if (shrink >= 1) {
    drawMap(canvas, t, map, scale);
    return;
  }
  shared ??= document.createElement("canvas");
  drawMap(shared, t, map, scale);
  const [w, h] = [width, height].map((n) => Math.max(1, Math.round(n * shrink))) as [
    number,
    number,
  ];
  const context = resize(canvas, w, h);
  context.imageSmoothingQuality = "medium";
  context.drawImage(shared, 0, 0, w, h);
}
