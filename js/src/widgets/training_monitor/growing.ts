// Numbers to which more are added at the end, without copying what is there each time.

type Numbers = Float32Array | Uint8Array;

export class Growing<T extends Numbers> {
  #room: T;
  #length = 0;

  constructor(readonly make: (length: number) => T) {
    this.#room = make(64);
  }

  get length(): number {
    return this.#length;
  }

  /** What is there: a view that later changes show in. */
  get view(): T {
    return this.#room.subarray(0, this.#length) as T;
  }

  /** Forgets what is from `from` on and makes room for `count` more, which are returned to be filled. */
  extend(from: number, count: number): T {
    this.#length = from + count;
    if (this.#length > this.#room.length) {
      const larger = this.make(Math.max(this.#length, 2 * this.#room.length));
      larger.set(this.#room.subarray(0, from));
      this.#room = larger;
    }
    return this.#room.subarray(from, this.#length) as T;
  }
}

export const floats = () => new Growing((length) => new Float32Array(length));
export const bytes = () => new Growing((length) => new Uint8Array(length));
