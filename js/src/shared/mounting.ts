// What browser tests of widgets share: a widget on a page, and looking at it.
import { afterEach, expect } from "vitest";
import { page } from "vitest/browser";
import type { FakeModel } from "./fake_model";

interface Rendered {
  model: never;
  el: HTMLElement;
  signal: AbortSignal;
}

let stop = new AbortController();

/** Puts a widget on the page, in a column of `width` pixels. */
export function place(render: (given: Rendered) => unknown, model: object, width: number): void {
  const el = document.createElement("div");
  el.style.width = `${width}px`;
  document.body.append(el);
  stop = new AbortController();
  stop.signal.addEventListener("abort", () => el.remove());
  render({ model: model as never, el, signal: stop.signal });
}

interface Mounted {
  /** Of the column, in pixels. */
  width?: number;
  manager?: object;
}

/** Makes what puts a widget on the page, with a mock kernel that has the given traits. */
export const mounter =
  <K extends FakeModel>(render: (given: Rendered) => unknown, Kernel: new (traits: object) => K) =>
  (traits: object = {}, { width = 1000, manager }: Mounted = {}): K => {
    const kernel = new Kernel(traits);
    if (manager) kernel.widget_manager = manager;
    place(render, kernel.model, width);
    return kernel;
  };

/** Takes the widget off the page. */
export const unmount = () => stop.abort();

afterEach(unmount);

export const find = <E extends HTMLElement = HTMLElement>(selector: string) =>
  document.querySelector<E>(selector) as E;
export const eventually = <T>(look: () => T, timeout = 5000) => expect.poll(look, { timeout });
export const see = (text: string | RegExp) =>
  expect.element(page.getByText(text).first()).toBeVisible();
export const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
export const choose = (label: string, option: string) =>
  page.getByRole("combobox", { name: label, exact: true }).selectOptions(option);
export const slider = (name: string) =>
  page.getByRole("slider", { name, exact: true }).element() as HTMLInputElement;

/** Moves a slider, as a hand does. */
export function slide(name: string, to: number): void {
  const input = slider(name);
  input.value = String(to);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}
