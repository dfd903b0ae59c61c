// What the browser tests share: a widget on a page, with a mock kernel.
import { page } from "vitest/browser";
import { find, place } from "../../shared/mounting";
import widget from "./index";
import { MockKernel, panel } from "./mock_kernel";

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

export const root = () => find(".cnnw-ga");
export const button = (name: string) => page.getByRole("button", { name, exact: true });
export const choose = (label: string, option: string) =>
  page.getByRole("combobox", { name: label, exact: true }).selectOptions(option);

/** Moves a slider, as a hand does. */
export function slide(label: string, value: number): void {
  const input = page.getByRole("slider", { name: label, exact: true }).element();
  (input as HTMLInputElement).value = String(value);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The middle pixel of a picture. */
export const colour = (id: number) => {
  const canvas = find<HTMLCanvasElement>(`[data-panel="${id}"] canvas`);
  return [...(canvas.getContext("2d")?.getImageData(4, 4, 1, 1).data ?? [])];
};

export const ZEBRA = { objective: "class:2", target: 2 };
export const HAPPY = [panel(0, "zebra", "class:zebra"), panel(1, "less of zebra", "class:zebra")];
export const step = () => page.getByRole("slider", { name: "Step", exact: true });
export const tile = (id: number) => find(`[data-panel="${id}"]`);
export const axis = () =>
  [...find(".cnnw-ga-curves svg").children].findLast((one) => one.tagName === "text")?.textContent;
export const state = () => root().dataset.state;
