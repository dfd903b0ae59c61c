// What the browser holds of every run, and how it gets it: all of it once, then what is new of it.
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { lasting } from "../../shared/lasting";
import type { Bridge, RequestError } from "../../shared/model";
import type { Tensor } from "../../shared/wire";
import { HeldRun } from "./history";
import type { History, News, Run } from "./types";

/** Frames that wait for what is before them; a kernel may answer only when its cell has ended. */
const MOST_EARLY = 25;

interface Entry {
  held: HeldRun;
  /** Is anything there yet? */
  loaded: boolean;
  asked: boolean;
  asking: boolean;
  /** News that came before what they continue. */
  early: [News, Tensor[]][];
  /** Counts what came, so that what reads it is computed anew. */
  version: Signal<number>;
}

export class Store {
  readonly #entries = new Map<string, Entry>();
  readonly failed: Signal<string | undefined> = signal(undefined);

  constructor(
    readonly bridge: Bridge,
    readonly runs: ReadonlySignal<readonly Run[]>,
  ) {
    bridge.frames("news", (value, tensors) => this.#hear(value as News, tensors));
    lasting(bridge.signal, () => {
      const ids = runs.value.map(({ id }) => id);
      for (const id of this.#entries.keys()) if (!ids.includes(id)) this.#entries.delete(id);
      for (const id of ids) if (!this.#entry(id).asked) void this.#ask(id);
    });
    lasting(bridge.signal, () => {
      // Once more when somebody answers again: news may have been missed.
      if (bridge.status.value === "connected")
        for (const { id, live } of runs.peek()) if (live) void this.#ask(id);
    });
  }

  /** What is held of a run; undefined before anything came. Read in a component, it follows the news. */
  of(id: string): HeldRun | undefined {
    const { held, loaded, version } = this.#entry(id);
    version.value;
    return loaded ? held : undefined;
  }

  #entry(id: string): Entry {
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = {
        held: new HeldRun(),
        loaded: false,
        asked: false,
        asking: false,
        early: [],
        version: signal(0),
      };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #hear(news: News, tensors: Tensor[]): void {
    const entry = this.#entry(news.run);
    if (news.seq <= entry.held.progress.seq && !news.reset) return;
    if (entry.held.fits(news, tensors)) {
      if (news.reset) entry.early = [];
      this.#apply(entry, news, tensors);
    } else {
      if (entry.early.length === MOST_EARLY) entry.early.shift();
      entry.early.push([news, tensors]);
      void this.#ask(news.run);
    }
  }

  #apply(entry: Entry, news: News, tensors: Tensor[]): void {
    entry.held.apply(news, tensors);
    entry.loaded = true;
    entry.version.value++;
  }

  async #ask(id: string): Promise<void> {
    const entry = this.#entry(id);
    if (entry.asking) return;
    entry.asked = entry.asking = true;
    try {
      const options = { signal: this.bridge.signal };
      const { value, tensors } = await this.bridge.request<History>(
        "history",
        { run: id },
        options,
      );
      entry.asking = false;
      this.#begin(entry, id, value, tensors);
      this.failed.value = undefined;
    } catch (error) {
      entry.asking = false;
      const { message, cancelled } = error as RequestError;
      if (!cancelled) this.failed.value = message;
    }
  }

  /** All of a run, and what came of it meanwhile. */
  #begin(entry: Entry, id: string, history: History, tensors: Tensor[]): void {
    const early = entry.early.splice(0);
    if (!entry.loaded || history.seq >= entry.held.progress.seq) {
      const curves = history.curves.map((curve) => ({ ...curve, from: 0 }));
      const rows = tensors[curves.length]?.shape[1] ?? 0;
      const all = { ...history, run: id, reset: true, curves, rows_from: 0, rows };
      this.#apply(entry, all, tensors);
    }
    for (const [news, more] of early) this.#hear(news, more);
  }
}
