// Answers that say the same until the run has more snapshots: probe pictures, predictions.
import { type Signal, signal } from "@preact/signals";
import type { Bridge, Reply, RequestError } from "../../shared/model";

interface Kept {
  version: number;
  reply: Signal<Reply<unknown> | undefined>;
  refusal: Signal<string | undefined>;
}

export class KeptReplies {
  readonly #kept = new Map<string, Kept>();

  constructor(readonly bridge: Bridge) {}

  /** The newest answer, and why there is none; asks again when the version is another one. */
  get<V>(name: string, run: string, version: number): { reply?: Reply<V>; refusal?: string } {
    const key = `${name} ${run}`;
    const kept = this.#kept.get(key) ?? {
      ...{ version: -1, reply: signal(undefined), refusal: signal(undefined) },
    };
    this.#kept.set(key, kept);
    if (kept.version !== version) {
      kept.version = version;
      void this.#ask(name, run, kept);
    }
    const [reply, refusal] = [kept.reply.value, kept.refusal.value];
    return { ...(reply && { reply: reply as Reply<V> }), ...(refusal && { refusal }) };
  }

  async #ask(name: string, run: string, kept: Kept): Promise<void> {
    const options = { signal: this.bridge.signal, lane: `${name} ${run}` };
    try {
      kept.reply.value = await this.bridge.request(name, { run }, options);
      kept.refusal.value = undefined;
    } catch (error) {
      const { message, cancelled } = error as RequestError;
      if (cancelled) return;
      kept.version = -1; // whoever looks again asks again
      kept.refusal.value = message;
    }
  }
}
