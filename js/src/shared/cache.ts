import { CACHE_BYTES } from "./look";

/** A map that forgets what was not used for longest, once its entries weigh more than `limit` bytes. */
export class ByteCache<K, V = unknown> {
  #entries = new Map<K, { value: V; bytes: number }>();
  bytes = 0;

  constructor(readonly limit: number = CACHE_BYTES) {}

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps the newest entry even when it alone is over the limit. */
  set(key: K, value: V, bytes: number): void {
    this.delete(key);
    this.#entries.set(key, { value, bytes });
    this.bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.bytes <= this.limit || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    this.bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
