// What the browser holds of one ascent: scores and gradient norms of every step, and as many of the
// pictures as its budget has room for, evenly spread.
import { signal } from "@preact/signals";
import type { Tensor } from "../../shared/wire";
import type { Answer, Beside, Live, Note, Panel, Rival, Says, Turn } from "./types";

/** Of pictures (bytes). */
export const BUDGET = 96 * 2 ** 20;

/** The pictures of one step, uint8 [P, H, W, 1 | 3], and what the network says of them. */
export interface Still extends Says {
  step: number;
  pictures: Tensor;
}

/** What the network says of one picture. */
export interface Said {
  step: number;
  answer: Answer;
  rival: Rival | null;
}

export class Film {
  /** Rises with everything that comes in. */
  readonly version = signal(0);
  /** Ascending. */
  readonly stills: Still[] = [];
  bytes = 0;
  /** Steps measured: all before this one. */
  length = 0;
  /** Were numbers missed? */
  torn = false;
  speed: number | null = null;
  notes: readonly (Note | null)[] = [];
  /** Of each picture the first step at which its class is the network's answer. */
  first: readonly (number | null)[] = [];
  turns: readonly Turn[] = [];
  /** By step and panel; holes where nobody measured. */
  readonly #scores: number[] = [];
  readonly #norms: number[] = [];
  readonly #weights: number[] = [];

  constructor(
    readonly generation: number,
    readonly panels: readonly Panel[],
    readonly budget: number,
  ) {}

  tell({ notes, first, turns }: Beside): void {
    Object.assign(this, { notes, first, turns });
    this.version.value++;
  }

  /** What a picture of a step is called, by the settings that made it. */
  labelOf(panel: Panel, step: number): string {
    const turn = this.turns.findLast((one) => one.labels && one.step <= step);
    return turn?.labels?.[this.panels.indexOf(panel)] ?? panel.label;
  }

  /** When those settings began, if that was on the way. */
  turnOf(step: number): Turn | undefined {
    return this.turns.findLast((one) => one.step > 0 && one.step <= step);
  }

  /** The settings that made the pictures of the last step, or will make the next; none are known without turns. */
  get live(): Live {
    return Object.assign({}, ...this.turns.map(({ now }) => now));
  }

  /** Why a picture does not move at a step. */
  noteOf(step: number, panel: number): Note | null {
    const note = this.notes[panel] ?? null;
    return note && note.step <= step ? note : null;
  }

  /** The newest step that anything is known of. */
  get last(): number {
    return Math.max(0, this.length - 1, this.stills.at(-1)?.step ?? 0);
  }

  score = (step: number, panel: number): number =>
    this.#scores[step * this.panels.length + panel] ?? Number.NaN;
  norm = (step: number, panel: number): number =>
    this.#norms[step * this.panels.length + panel] ?? Number.NaN;

  /** The weight of the total variation that was gone by. */
  tv = (step: number, panel: number): number =>
    this.#weights[step * this.panels.length + panel] ?? Number.NaN;

  /** Takes score, gradient norm and weight of the total variation of steps from one on: float32 [3, n, P]. */
  measure(from: number, { shape, data }: Tensor): void {
    const [, steps = 0, pictures = 0] = shape;
    const count = this.panels.length;
    if (pictures !== count) return;
    this.torn = from > this.length || (this.torn && from > 0);
    const each = steps * count;
    [this.#scores, this.#norms, this.#weights].forEach((row, at) => {
      for (let i = 0; i < each; i++) row[from * count + i] = data[at * each + i] as number;
    });
    this.length = Math.max(this.length, from + steps);
    this.version.value++;
  }

  add(still: Still): void {
    const at = this.#after(still.step - 1);
    const same = this.stills[at]?.step === still.step;
    if (same) this.bytes -= (this.stills[at] as Still).pictures.data.length;
    this.stills.splice(at, same ? 1 : 0, still);
    this.bytes += still.pictures.data.length;
    while (this.bytes > this.budget && this.stills.length > 2) this.#thin();
    this.version.value++;
  }

  /** The pictures nearest to a step. */
  near(step: number): Still | undefined {
    const at = this.#after(step);
    const [before, after] = [this.stills[at - 1], this.stills[at]];
    if (!before || !after) return before ?? after;
    return step - before.step <= after.step - step ? before : after;
  }

  /** The last step up to one at which a picture was measured: one that has ended no longer is. */
  measuredAt(step: number, panel: number): number {
    let at = Math.min(step, this.length - 1);
    while (at > 0 && Number.isNaN(this.score(at, panel))) at--;
    return Math.max(0, at);
  }

  /** Takes what the network says of the pictures of a step. */
  answer(step: number, says: Says): void {
    const still = this.stills[this.#after(step) - 1];
    if (still?.step !== step) return;
    Object.assign(still, says);
    this.version.value++;
  }

  /** What it says of a picture, or of the last one before that it was asked about. */
  saidOf(step: number, panel: number): Said | undefined {
    for (let at = this.#after(step) - 1; at >= 0; at--) {
      const { predictions, complement, step: asked } = this.stills[at] as Still;
      const answer = predictions[panel];
      if (answer) return { step: asked, answer, rival: complement[panel] ?? null };
    }
    return undefined;
  }

  has = (step: number): boolean => this.stills[this.#after(step) - 1]?.step === step;

  /** Index of the first picture after a step. */
  #after(step: number): number {
    let [low, high] = [0, this.stills.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.stills[middle] as Still).step <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops the picture whose neighbours are nearest to each other; the first and the last stay. */
  #thin(): void {
    let [at, least] = [1, Number.POSITIVE_INFINITY];
    for (let i = 1; i < this.stills.length - 1; i++) {
      const gap = (this.stills[i + 1] as Still).step - (this.stills[i - 1] as Still).step;
      if (gap < least) [at, least] = [i, gap];
    }
    const [dropped] = this.stills.splice(at, 1);
    this.bytes -= (dropped as Still).pictures.data.length;
  }
}

/** One picture of a still. */
export function pictureOf({ pictures }: Still, panel: number): Tensor {
  const [, height = 1, width = 1, colours = 1] = pictures.shape;
  const size = height * width * colours;
  return {
    shape: [height, width, colours],
    encoding: "picture",
    data: pictures.data.subarray(panel * size, (panel + 1) * size),
  };
}

/** The same steps, the last and the first before those between, by halves. */
export function coarseToFine(steps: readonly number[]): number[] {
  const found = new Set<number>(steps.slice(-1));
  let apart = 1;
  while (apart < steps.length) apart *= 2;
  for (; apart >= 1; apart /= 2)
    for (let i = 0; i < steps.length; i += apart) found.add(steps[i] as number);
  return [...found];
}
