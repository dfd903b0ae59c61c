// What the browser tests share: a widget on a page, with a mock kernel.
import { afterEach, expect } from "vitest";
import { page, userEvent } from "vitest/browser";
import widget from "./index";
import { small } from "./mock_graphs";
import { MockKernel } from "./mock_kernel";
import type { Graph } from "./types";

let stop = new AbortController();

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

export const root = () => document.querySelector<HTMLElement>(".cnnw-lb") as HTMLElement;
export const tile = (channel: number) =>
  page.getByRole("gridcell", { name: `${channel}`, exact: true });
export const asked = (kernel: MockKernel, name: string) =>
  kernel.requests.filter((r) => r.name === name);
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 });
export const press = (keys: string) => userEvent.keyboard(keys);
export const see = (text: string | RegExp) =>
  expect.element(page.getByText(text).first()).toBeVisible();
