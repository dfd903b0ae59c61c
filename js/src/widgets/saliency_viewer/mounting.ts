// What the browser tests share: a widget on a page, with a mock kernel.
import { afterEach, expect } from "vitest";
import { page } from "vitest/browser";
import widget from "./index";
import { EDGE, MockKernel } from "./mock_kernel";

let stop = new AbortController();

export function mount(
  traits: object = {},
  { width = 1000, manager }: { width?: number; manager?: object } = {},
) {
  const kernel = new MockKernel({ ...traits });
  if (manager) kernel.widget_manager = manager;
  const el = document.createElement("div");
  el.style.width = `${width}px`;
  document.body.append(el);
  stop = new AbortController();
  stop.signal.addEventListener("abort", () => el.remove());
  widget.render({ model: kernel.model, el, signal: stop.signal });
  return kernel;
}

/** Takes the widget off the page. */
export const unmount = () => stop.abort();

afterEach(unmount);

export const find = <E extends HTMLElement = HTMLElement>(selector: string) =>
  document.querySelector<E>(selector) as E;
export const root = () => find(".cnnw-sv");
export const tile = (id: string) => find(`[data-id="${id}"]`);
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 5000 });
export const see = (text: string | RegExp) =>
  expect.element(page.getByText(text).first()).toBeVisible();
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
