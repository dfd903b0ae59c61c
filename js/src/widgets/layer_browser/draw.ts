// Several maps on one canvas, and filters in colour.
import { drawTile } from "../../shared/canvas";
import { paintPicture, type Scale } from "../../shared/color";
import type { Tensor } from "../../shared/wire";

export interface MapPart {
  tensor: Tensor;
  /** Number of the map in the tensor. */
  at: number;
}

/** Draws the maps side by side, each at most `edge` CSS pixels, with a gap that shows the page. */
export function drawBeside(
  canvas: HTMLCanvasElement,
  parts: readonly MapPart[],
  scale: Scale,
  edge: number,
): void {
  const drawn = parts.map(({ tensor, at }, i) => {
    const one = i || parts.length > 1 ? document.createElement("canvas") : canvas;
    drawTile(one, tensor, at, scale, edge);
    return one;
  });
  const [first] = drawn as [HTMLCanvasElement];
  if (first === canvas) return;
  const pitch = first.width + Math.max(1, Math.round(first.width / 16));
  canvas.width = parts.length * pitch - (pitch - first.width);
  canvas.height = first.height;
  for (const [i, one] of drawn.entries()) canvas.getContext("2d")?.drawImage(one, i * pitch, 0);
}

/** Draws filter number `at` of [n, 3, kh, kw] as a colour picture: mid grey is zero, ±limit the ends. */
export function drawColorFilter(
  canvas: HTMLCanvasElement,
  { shape, data }: Tensor,
  at: number,
  limit: number,
): void {
  const [, , height, width] = shape as [number, number, number, number];
  const size = height * width;
  const bytes = new Uint8Array(3 * size);
  for (let i = 0; i < size; i++)
    for (let c = 0; c < 3; c++) {
      const weight = data[(3 * at + c) * size + i] as number;
      bytes[3 * i + c] = Math.min(255, Math.max(0, 127.5 * (1 + weight / (limit || 1))));
    }
  const out = new ImageData(width, height);
  paintPicture({ shape: [height, width, 3], encoding: "picture", data: bytes }, out);
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(out, 0, 0);
}
