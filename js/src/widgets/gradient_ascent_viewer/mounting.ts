// What the browser tests share: a widget on a page, with a mock kernel.
import { page } from "vitest/browser";
import { find, mounter } from "../../shared/mounting";
import widget from "./index";
import { MockKernel, panel } from "./mock_kernel";

export { button, choose, eventually, find, see, slide, unmount } from "../../shared/mounting";

export const mount = mounter(widget.render, MockKernel);

export const root = () => find(".cnnw-ga");

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
