// What the browser tests share: a widget on a page, with a mock kernel.
import { page, userEvent } from "vitest/browser";
import * as shared from "../../shared/mounting";
import widget from "./index";
import { small } from "./mock_graphs";
import { MockKernel } from "./mock_kernel";
import type { Graph } from "./types";

export { see, unmount } from "../../shared/mounting";

interface Given {
  graph?: Graph;
  width?: number;
  traits?: Record<string, unknown>;
  answers?: MockKernel["answers"];
  manager?: object;
}

export function mount({
  graph = small,
  width = 1200,
  traits = {},
  answers = {},
  manager = {},
}: Given = {}): MockKernel {
  const kernel = new MockKernel(graph, traits, manager);
  kernel.answers = answers;
  shared.place(widget.render, kernel.model, width);
  return kernel;
}

export const root = () => shared.find(".cnnw-lb");
export const tile = (channel: number) =>
  page.getByRole("gridcell", { name: `${channel}`, exact: true });
export const asked = (kernel: MockKernel, name: string) =>
  kernel.requests.filter((r) => r.name === name);
export const eventually = <T>(look: () => T) => shared.eventually(look, 10_000);
export const press = (keys: string) => userEvent.keyboard(keys);
