// The maps that this page holds: as they come in, exactly when they are whole, and their stages.
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { lasting } from "../../shared/lasting";
import type { Bridge, RequestError } from "../../shared/model";
import type { Tensor } from "../../shared/wire";
import type { Asked, Made } from "./types";
import type { Values } from "./views";

interface Held {
  version: number;
  tensor: Tensor;
  /** A map on its way travels as one byte a value. */
  exact: boolean;
}

export interface Stages {
  version: number;
  /** Passes up to each stage. */
  done: number[];
  tensors: Tensor[];
}

export class HeldMaps {
  readonly #maps = signal<ReadonlyMap<string, Held>>(new Map());
  readonly #stages = signal<ReadonlyMap<string, Stages>>(new Map());
  /** Map → the stage that is looked at; of none the whole. */
  readonly #at = signal<ReadonlyMap<string, number>>(new Map());
  readonly #asked = new Set<string>();
  readonly failed: Signal<string | undefined> = signal(undefined);

  constructor(
    readonly bridge: Bridge,
    made: ReadonlySignal<readonly Made[]>,
    asked: ReadonlySignal<readonly Asked[]>,
  ) {
    bridge.frames("map", (value, [tensor]) => {
      const { id, version } = value as { id: string; version: number };
      const held = this.#maps.peek().get(id);
      if (tensor && !(held && held.version >= version))
        this.#put(id, { version, tensor, exact: false });
    });
    lasting(bridge.signal, () => {
      const ids = asked.value.map(({ id }) => id);
      for (const one of made.value)
        if (ids.includes(one.id) && !one.active && !one.error) void this.#fetch(one);
    });
  }

  /** The values of a map, and of the stage of it that is looked at. */
  values(id: string): Values | undefined {
    const whole = this.#maps.value.get(id)?.tensor;
    const stage = this.#at.value.get(id);
    const now = stage === undefined ? undefined : this.#stages.value.get(id)?.tensors[stage];
    return whole && { whole, now: now ?? whole };
  }

  stages(made: Made): Stages | undefined {
    const found = this.#stages.value.get(made.id);
    return found?.version === made.version ? found : undefined;
  }

  /** The stage that is looked at; the last one by default. */
  at(id: string): number | undefined {
    return this.#at.value.get(id);
  }

  look(id: string, stage: number | undefined): void {
    const at = new Map(this.#at.peek());
    if (stage === undefined) at.delete(id);
    else at.set(id, stage);
    this.#at.value = at;
  }

  #put(id: string, held: Held): void {
    this.#maps.value = new Map(this.#maps.peek()).set(id, held);
    this.look(id, undefined);
  }

  async #fetch({ id, version, stages }: Made): Promise<void> {
    const key = `${id} ${version}`;
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    const options = { signal: this.bridge.signal };
    try {
      const { tensors } = await this.bridge.request("map", { id, version }, options);
      this.#put(id, { version, tensor: tensors[0] as Tensor, exact: true });
      if (stages < 2) return;
      const kept = await this.bridge.request<{ done: number[] }>(
        "stages",
        { id, version },
        options,
      );
      const found = { version, done: kept.value.done, tensors: kept.tensors };
      this.#stages.value = new Map(this.#stages.peek()).set(id, found);
    } catch (error) {
      this.#asked.delete(key);
      this.failed.value = complaint(error);
    }
  }
}

/** The sentence to show for a failed request; undefined where the reader has lost nothing. */
export function complaint(error: unknown): string | undefined {
  const { message, cancelled } = error as RequestError;
  return cancelled || message.includes("the map has changed") ? undefined : message;
}
