// What the browser tests share: a widget on a page, with a mock kernel.
import { find, mounter } from "../../shared/mounting";
import widget from "./index";
import { EDGE, MockKernel } from "./mock_kernel";

export { choose, eventually, find, see, unmount } from "../../shared/mounting";

export const mount = mounter(widget.render, MockKernel);

export const root = () => find(".cnnw-sv");
export const tile = (id: string) => find(`[data-id="${id}"]`);

/** The pointer is at a pixel of a map. */
export function point(id: string, row: number, column: number): void {
  const stage = tile(id).querySelector("[role=application]") as HTMLElement;
  const { x, y, width, height } = stage.getBoundingClientRect();
  const at = {
    clientX: x + ((column + 0.5) / EDGE) * width,
    clientY: y + ((row + 0.5) / EDGE) * height,
  };
  stage.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, ...at }));
}

export const colour = (id: string, row: number, column: number) => [
  ...(tile(id).querySelector("canvas")?.getContext("2d")?.getImageData(column, row, 1, 1).data ??
    []),
];

export const SALIENCY = "saliency:0:trained";
export const SMOOTH = "smoothgrad:0:trained";
export const CAM = "grad_cam:0:trained";
