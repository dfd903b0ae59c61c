// Asking what the network says with the patch somewhere: one question at a time, and the newest waits.
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Bridge, RequestError } from "../../shared/model";
import type { Box, ClassRow, Fill, PatchValue, Place } from "./types";

export interface Question extends Place {
  /** Of the picture and the weights. */
  key: number;
  window: number;
  fill: Fill;
  kept: readonly Box[];
  target: number;
}

export interface Answer {
  question: Question;
  rows: ClassRow[];
}

export const same = (a: Question | undefined, b: Question | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

export class Probe {
  readonly #answer: Signal<Answer>;
  readonly failed = signal<string | undefined>(undefined);
  #asking: Question | undefined;
  #newest: Question | undefined;
  #takes = 0;

  constructor(
    readonly bridge: Bridge,
    first: Answer,
    /** Called with each question that is really asked, and how long the kernel took for the last (ms). */
    readonly onAsk: (question: Question, takes: number) => void,
  ) {
    this.#answer = signal(first);
  }

  get answer(): ReadonlySignal<Answer> {
    return this.#answer;
  }

  /** An answer that came without asking. */
  know(answer: Answer): void {
    this.#newest = undefined;
    this.#answer.value = answer;
  }

  want(question: Question): void {
    this.#newest = question;
    if (!this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    for (;;) {
      const question = this.#newest;
      this.#newest = undefined;
      if (!question || same(question, this.#answer.peek().question)) break;
      this.#asking = question;
      this.onAsk(question, this.#takes);
      try {
        const { value } = await this.bridge.request<PatchValue>("patch", question, {
          lane: "patch",
          signal: this.bridge.signal,
        });
        this.#takes = value.milliseconds;
        this.failed.value = undefined;
        this.#answer.value = { question, rows: value.rows };
      } catch (error) {
        this.failed.value = complaint(error);
      }
    }
    this.#asking = undefined;
  }
}

/** The sentence to show for a failed request; undefined where the reader has lost nothing. */
export function complaint(error: unknown): string | undefined {
  const { message } = error as Error;
  const lost = error instanceof RequestError && error.cancelled;
  return lost || message.includes("the picture has changed") ? undefined : message;
}
