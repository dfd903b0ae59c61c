// What the browser tests share: a widget on a page, with a mock kernel.
import { page } from "vitest/browser";
import { find, place } from "../../shared/mounting";
import widget from "./index";
import { EDGE, MockKernel } from "./mock_kernel";

export { eventually, find, see, unmount } from "../../shared/mounting";

export function mount(
  traits: object = {},
  { width = 1000, manager }: { width?: number; manager?: object } = {},
) {
  const kernel = new MockKernel({ ...traits });
  if (manager) kernel.widget_manager = manager;
  place(widget.render, kernel.model, width);
  return kernel;
}

export const root = () => find(".cnnw-sv");
export const tile = (id: string) => find(`[data-id="${id}"]`);
export const choose = (label: string, option: string) =>
  page.getByRole("combobox", { name: label, exact: true }).selectOptions(option);

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
