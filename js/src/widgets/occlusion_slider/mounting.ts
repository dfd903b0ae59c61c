// What the browser tests share: a widget on a page, with a mock kernel.
import { afterEach, expect } from "vitest";
import { page } from "vitest/browser";
import widget from "./index";
import { MockKernel } from "./mock_kernel";

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
export const root = () => find(".cnnw-os");
export const stage = () => find("[role=application]");
export const placed = () => [root().dataset.row, root().dataset.column].map(Number);
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 5000 });
export const see = (text: string | RegExp) =>
  expect.element(page.getByText(text).first()).toBeVisible();

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
