// What the browser tests share: a widget on a page, with a mock kernel, and pointing at its charts.
import { find, place } from "../../shared/mounting";
import widget from "./index";
import { MockKernel, pair } from "./mock_kernel";
import type { MockRun } from "./mock_runs";

export { eventually, find, see, unmount } from "../../shared/mounting";

interface Mounted {
  runs?: MockRun[];
  width?: number;
  manager?: object;
  make?: (runs: MockRun[], traits: object) => MockKernel;
}

export function mount(traits: object = {}, given: Mounted = {}): MockKernel {
  const { runs = pair(), width = 1000, manager } = given;
  const make = given.make ?? ((...all) => new MockKernel(...all));
  const kernel = make(runs, { ...traits });
  if (manager) kernel.widget_manager = manager;
  place(widget.render, kernel.model, width);
  return kernel;
}

export const root = () => find(".cnnw-tm");
export const area = (title: string) => find(`[data-title="${title}"] [role="application"]`);

/** What a chart says of a curve. */
export const value = (title: string, run: string, curve: string) =>
  find(`[data-title="${title}"] [data-run="${run}"][data-curve="${curve}"] output`).textContent;

/** The pointer does something at a share of a chart's width. */
function point(type: string, title: string, share: number): void {
  const { left, top, width } = find(
    `[data-title="${title}"] .cnnw-tm-over`,
  ).getBoundingClientRect();
  const at = { clientX: left + share * width, clientY: top + 20, pointerId: 1 };
  area(title).dispatchEvent(new PointerEvent(type, { bubbles: true, ...at }));
}

export const hover = (title: string, share: number) => point("pointermove", title, share);

export function press(title: string, share: number): void {
  point("pointerdown", title, share);
  point("pointerup", title, share);
}

export function drag(title: string, from: number, to: number): void {
  point("pointerdown", title, from);
  point("pointermove", title, to);
  point("pointerup", title, to);
}
