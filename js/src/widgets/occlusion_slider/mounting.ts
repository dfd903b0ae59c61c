// What the browser tests share: a widget on a page, with a mock kernel.
import { page } from "vitest/browser";
import { eventually, find, mounter } from "../../shared/mounting";
import widget from "./index";
import { MockKernel } from "./mock_kernel";

export { eventually, find, see, unmount } from "../../shared/mounting";

export const mount = mounter(widget.render, MockKernel);

export const root = () => find(".cnnw-os");
export const stage = () => find("[role=application]");
export const placed = () => [root().dataset.row, root().dataset.column].map(Number);

export const gone = (text: RegExp) =>
  eventually(() => page.getByText(text).elements().length).toBe(0);

/** The pointer does something at a pixel of the picture. */
export function pointer(type: string, row: number, column: number, more: object = {}): void {
  const { x, y, width, height } = stage().getBoundingClientRect();
  stage().setPointerCapture = () => {};
  const at = {
    clientX: x + ((column + 0.5) / 16) * width,
    clientY: y + ((row + 0.5) / 16) * height,
  };
  stage().dispatchEvent(
    new PointerEvent(type, { bubbles: true, pointerId: 1, button: 0, ...at, ...more }),
  );
}

/** The colour of a pixel of the picture, or of the map over it. */
export const colour = (view: string, row: number, column: number) => [
  ...(find<HTMLCanvasElement>(`[data-view=${view}]`)
    .getContext("2d")
    ?.getImageData(column, row, 1, 1).data ?? []),
];
