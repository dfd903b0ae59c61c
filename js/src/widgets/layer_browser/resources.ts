// Tensors from the kernel: asked once, kept while there is room, dropped when nobody looks any more.
import { type Signal, signal } from "@preact/signals";
import { ByteCache } from "../../shared/cache";
import { lasting } from "../../shared/lasting";
import { type Bridge, type Reply, RequestError, type RequestOptions } from "../../shared/model";
import { type Tensor, unpack } from "../../shared/wire";
import type { Of, Slot } from "./types";

/** Maps and filters travel in aligned packets of this many. */
export const CHUNK = 64;

/** One picture's values at one layer. */
export interface Source {
  slot: Slot;
  key: number;
  layer: string;
  of: Of;
  /** The class whose logit the gradients are of. */
  target?: number | null;
}

/** The answer to a request that nobody has made yet. */
interface Foreseen {
  name: string;
  args: object;
  value: unknown;
  tensors: DataView[];
}

interface Running {
  abort: AbortController;
  /** How many wait for it. */
  waiting: number;
  reply: Promise<Reply<unknown>>;
}

export class Resources {
  readonly #cache = new ByteCache<string, Reply<unknown>>();
  readonly #running = new Map<string, Running>();

  constructor(
    readonly bridge: Bridge,
    /** What every reply depends on beyond its arguments: the weights. */
    readonly version: () => unknown = () => "",
  ) {
    const unasked = bridge.read<Foreseen[] | undefined>("_foreseen");
    lasting(bridge.signal, () => {
      for (const { name, args, value, tensors } of unasked.value ?? [])
        this.#keep(this.id(name, args), { value, tensors: tensors.map(unpack) });
    });
  }

  id(name: string, args: object): string {
    const sorted = Object.entries(args).sort();
    return JSON.stringify([name, sorted, "key" in args ? "" : this.version()]);
  }

  peek<V>(id: string): Reply<V> | undefined {
    return this.#cache.get(id) as Reply<V> | undefined;
  }

  /** Several that ask for the same share one request; it is cancelled when none of them waits any more. */
  fetch<V>(name: string, args: object, options: RequestOptions = {}): Promise<Reply<V>> {
    const id = this.id(name, args);
    const known = this.peek<V>(id);
    if (known) return Promise.resolve(known);
    const running = this.#running.get(id) ?? this.#start(id, name, args, options);
    running.waiting++;
    options.signal?.addEventListener("abort", () => {
      if (--running.waiting) return;
      this.#end(id, running);
      running.abort.abort();
    });
    return running.reply as Promise<Reply<V>>;
  }

  #start(id: string, name: string, args: object, options: RequestOptions): Running {
    const abort = new AbortController();
    const reply = this.bridge.request(name, args, { ...options, signal: abort.signal });
    const running = { abort, waiting: 0, reply };
    this.#running.set(id, running);
    reply.then(
      (answer) => {
        this.#keep(id, answer);
        this.#end(id, running);
      },
      () => this.#end(id, running),
    );
    return running;
  }

  #keep(id: string, reply: Reply<unknown>): void {
    this.#cache.set(id, reply, weight(reply.tensors));
  }

  #end(id: string, running: Running): void {
    if (this.#running.get(id) === running) this.#running.delete(id);
  }
}

const weight = (tensors: Tensor[]) => tensors.reduce((sum, t) => sum + t.data.byteLength, 64);

/** The sentence to show for a failed request; undefined where the reader has lost nothing. */
export function complaint(error: unknown): string | undefined {
  const { message } = error as Error;
  const stale = message.includes("the picture has changed");
  return stale || (error instanceof RequestError && error.cancelled) ? undefined : message;
}

/** The arguments that ask for the maps 64·chunk, … of so many. */
export function packet<S extends object>(source: S, chunk: number, count: number) {
  const first = chunk * CHUNK;
  return { ...source, first, last: Math.min(first + CHUNK, count) };
}

/** A long row of maps, for one or two pictures: loads the packets that are looked at, cancels those that no longer are. */
export class MapLoader<S extends object = Source> {
  readonly loaded = signal(0);
  readonly failed: Signal<string | undefined> = signal(undefined);
  readonly #running = new Map<string, AbortController>();
  /** The packets that were looked for and not there. */
  readonly #missed = new Set<string>();

  constructor(
    readonly resources: Resources,
    readonly request: "maps" | "filters",
    readonly sources: readonly S[],
    readonly count: number,
  ) {}

  #packet(source: S, chunk: number) {
    const args = packet(source, chunk, this.count);
    return { args, id: this.resources.id(this.request, args) };
  }

  /** The packet that holds a map, and the map's place in it. */
  find<V>(source: S, map: number): { reply: Reply<V>; tensor: Tensor; at: number } | undefined {
    const { id, args } = this.#packet(source, Math.floor(map / CHUNK));
    const reply = this.resources.peek<V>(id);
    const tensor = reply?.tensors[0];
    if (!tensor) this.#missed.add(id);
    return tensor && { reply, tensor, at: map - args.first };
  }

  /** Exactly these maps are looked at now. */
  want(maps: readonly number[]): void {
    const wanted = new Set<string>();
    for (const chunk of new Set(maps.map((map) => Math.floor(map / CHUNK))))
      for (const source of this.sources) {
        const { id, args } = this.#packet(source, chunk);
        if (this.resources.peek(id)) {
          // It may have come, for somebody else, after the maps were drawn without it.
          if (this.#missed.has(id)) this.#tell(id);
          continue;
        }
        wanted.add(id);
        if (!this.#running.has(id)) void this.#load(id, args);
      }
    for (const [id, running] of this.#running) {
      if (wanted.has(id)) continue;
      running.abort();
      this.#running.delete(id);
    }
  }

  async #load(id: string, args: object): Promise<void> {
    const running = new AbortController();
    this.#running.set(id, running);
    try {
      await this.resources.fetch(this.request, args, { signal: running.signal });
      this.failed.value = undefined;
    } catch (error) {
      this.failed.value = complaint(error);
    }
    if (this.#running.get(id) === running) this.#running.delete(id);
    this.#tell(id);
  }

  #tell(id: string): void {
    this.#missed.delete(id);
    this.loaded.value++;
  }

  stop(): void {
    for (const running of this.#running.values()) running.abort();
  }
}
