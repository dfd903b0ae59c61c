// What the browser tests share: a widget on a page, with a mock kernel.
import { find, place } from "../../shared/mounting";
import widget from "./index";
import { MockKernel, pair } from "./mock_kernel";
import type { MockRun } from "./mock_runs";

export { eventually, find, see, unmount } from "../../shared/mounting";

interface Mounted {
  runs?: MockRun[];
  width?: number;
  manager?: object;
}

export function mount(traits: object = {}, { runs = pair(), width = 1000, manager }: Mounted = {}) {
  const kernel = new MockKernel(runs, { ...traits });
  if (manager) kernel.widget_manager = manager;
  place(widget.render, kernel.model, width);
  return kernel;
}

export const root = () => find(".cnnw-tm");
