// What browser tests of widgets share: a widget on a page, and looking at it.
import { afterEach, expect } from "vitest";
import { page } from "vitest/browser";

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

/** Takes the widget off the page. */
export const unmount = () => stop.abort();

afterEach(unmount);

export const find = <E extends HTMLElement = HTMLElement>(selector: string) =>
  document.querySelector<E>(selector) as E;
export const eventually = <T>(look: () => T, timeout = 5000) => expect.poll(look, { timeout });
export const see = (text: string | RegExp) =>
  expect.element(page.getByText(text).first()).toBeVisible();
