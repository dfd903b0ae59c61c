// Filters, feature maps and gradients of the snapshots: what was fetched stays, and what may be
// scrubbed to is fetched ahead.
import { signal } from "@preact/signals";
import { ByteCache } from "../../shared/cache";
import { lasting, onAbort } from "../../shared/lasting";
import { CACHE_BYTES } from "../../shared/look";
import type { Bridge, RequestError } from "../../shared/model";
import type { Tensor } from "../../shared/wire";

export type What = "filters" | "maps" | "gradients" | "images";

export interface Wanted {
  run: string;
  /** Of images their tag. */
  layer: string;
  what: What;
  /** Of the probe; filters and images are the same for all. */
  picture: number;
}

/** Of a layer at a snapshot. */
export interface Held {
  tensor: Tensor;
  /** How many filters or channels there are; the tensor may have fewer. */
  channels: number;
  /** Width and height that an image has; the tensor's may be less. */
  size: [number, number];
}

interface Job {
  wanted: Wanted;
  key: string;
  /** Steps of the snapshots, ascending. */
  steps: readonly number[];
  /** Those that are looked at. */
  first: readonly number[];
  coming: Set<number>;
  /** Came, and may have been forgotten again. */
  came: Set<number>;
  /** Step → why there is nothing. */
  refused: Map<number, string>;
  bytes: number;
  stop: AbortController;
}

/** Requests under way at a time: the answer to one travels while the next is computed. */
const AT_ONCE = 2;

const keyOf = (wanted: Wanted): string => JSON.stringify(Object.values(named(wanted)));

/** As the kernel is asked for it: what is of no picture is that of the first. */
const named = ({ run, layer, what, picture }: Wanted): Wanted => ({
  ...{ run, layer, what },
  picture: what === "filters" || what === "images" ? 0 : picture,
});

const bytesOf = ({ data, low }: Tensor): number => data.byteLength + 2 * (low?.byteLength ?? 0);

export class HeldMaps {
  readonly #cache: ByteCache<string, Held>;
  readonly #arrived = signal(0);
  #job: Job | undefined;

  constructor(
    readonly bridge: Bridge,
    readonly limit = CACHE_BYTES,
  ) {
    this.#cache = new ByteCache(limit);
    lasting(bridge.signal, () => {
      if (bridge.status.value === "connected") this.#again();
    });
    onAbort(bridge.signal, () => this.#job?.stop.abort());
  }

  /** What is held of a snapshot. Read in a component, it follows what arrives. */
  get(wanted: Wanted, step: number): Held | undefined {
    this.#arrived.value;
    return this.#cache.get(`${keyOf(wanted)} ${step}`);
  }

  /** Why there is nothing of a snapshot; undefined while it may still come. */
  refusal(wanted: Wanted, step: number): string | undefined {
    this.#arrived.value;
    return this.#job?.key === keyOf(wanted) ? this.#job.refused.get(step) : undefined;
  }

  /**
   * Fetches all snapshots of what is looked at, the steps in `first` before all others, then the
   * newest; what was asked for of anything else is cancelled.
   */
  fetch(wanted: Wanted, steps: readonly number[], first: readonly number[]): void {
    const key = keyOf(wanted);
    if (this.#job?.key === key) Object.assign(this.#job, { steps, first });
    else {
      this.#job?.stop.abort();
      this.#job = {
        ...{ wanted: named(wanted), key, steps, first, bytes: 0 },
        ...{ coming: new Set(), came: new Set(), refused: new Map(), stop: new AbortController() },
      };
    }
    this.#go(this.#job);
  }

  /** Somebody answers again. */
  #again(): void {
    const job = this.#job;
    if (!job?.refused.size) return;
    job.refused.clear();
    this.#go(job);
  }

  #go(job: Job): void {
    while (job.coming.size < AT_ONCE) {
      const step = this.#next(job);
      if (step === undefined) return;
      void this.#ask(job, step);
    }
  }

  #next({ key, steps, first, coming, came, refused, bytes }: Job): number | undefined {
    const open = (step: number) =>
      !coming.has(step) && !refused.has(step) && !this.#cache.get(`${key} ${step}`);
    const wanted = first.find(open);
    const usual = came.size && bytes / came.size;
    const full = bytes + (coming.size + 1) * usual > this.limit;
    if (wanted !== undefined || refused.size || full) return wanted;
    return steps.findLast((step) => !came.has(step) && open(step));
  }

  async #ask(job: Job, step: number): Promise<void> {
    const { wanted, key, coming, came, refused, stop } = job;
    coming.add(step);
    try {
      const options = { signal: stop.signal };
      const args = { ...wanted, step };
      const { value, tensors } = await this.bridge.request<Omit<Held, "tensor">>(
        "maps",
        args,
        options,
      );
      const [tensor] = tensors as [Tensor];
      const held = { ...value, tensor };
      this.#cache.set(`${key} ${step}`, held, bytesOf(tensor));
      if (!came.has(step)) job.bytes += bytesOf(tensor);
      came.add(step);
    } catch (error) {
      const { message, cancelled } = error as RequestError;
      if (cancelled) return;
      refused.set(step, message);
    }
    coming.delete(step);
    this.#arrived.value++;
    this.#go(job);
  }
}
