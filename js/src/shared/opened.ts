// For tests of the bridge: a model, a page and a view's life of their own for each test.
import { afterEach, beforeEach, vi } from "vitest";
import { type Content, FakeModel } from "./fake_model";
import { connect, type RequestError } from "./model";

export let model: FakeModel;
export let abort: AbortController;
/** What the window's events are fired on. */
export let page: EventTarget;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel({ layer: "conv1", channel: 3, unit: null });
  abort = new AbortController();
  page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
});
afterEach(() => {
  abort.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

export const open = () => connect(model.model, abort.signal);
export const last = () => model.requests().at(-1) as Content;
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: RequestError) => error,
  );
