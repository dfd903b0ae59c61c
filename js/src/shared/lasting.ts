// What lasts until a signal aborts: a view's life.
import { effect } from "@preact/signals";

export const onAbort = (signal: AbortSignal, stop: () => void): void =>
  signal.addEventListener("abort", stop);

/** Runs an effect, and again whenever what it read changes, until the signal aborts. */
export const lasting = (signal: AbortSignal, run: () => unknown): void =>
  onAbort(signal, effect(run as () => void));
