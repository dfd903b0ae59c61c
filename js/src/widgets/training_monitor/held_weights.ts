// Weights of layers over the runs, a column for each snapshot; of a run that goes on only what is new is asked for.
import { signal } from "@preact/signals";
import type { Bridge, RequestError } from "../../shared/model";

/** Numbers of the rows, a column for each step. */
export interface Matrix {
  /** What the rows are: weights by their place in C order, or filters. */
  of: readonly number[];
  /** [steps, rows] */
  values: Float32Array;
}

export interface Weights {
  /** Of the snapshots, ascending. */
  steps: readonly number[];
  /** Of all weights of the layer. */
  shape: readonly number[];
  weights: Matrix;
  norms: Matrix;
}

interface Entry {
  held: Weights | undefined;
  refusal: string | undefined;
  asking: boolean;
  /** The last step that was asked for. */
  asked: number;
  /** The last snapshot that there is. */
  last: number;
}

interface Told {
  /** Of all snapshots, and of those that came. */
  steps: number[];
  new: number[];
  shape: number[];
  weights: number[];
  filters: number[];
}

const keyOf = (run: string, layer: string): string => JSON.stringify([run, layer]);

/** What was held of steps that there still are, and what came of them. */
function joined(
  held: Matrix | undefined,
  keep: readonly number[],
  of: number[],
  came: Float32Array,
) {
  const values = new Float32Array(keep.length * of.length + came.length);
  for (const [i, column] of keep.entries())
    values.set(
      (held as Matrix).values.subarray(column * of.length, (column + 1) * of.length),
      i * of.length,
    );
  values.set(came, keep.length * of.length);
  return { of, values };
}

/** What is held once more came. */
export function append(
  held: Weights | undefined,
  told: Told,
  came: readonly Float32Array[],
): Weights {
  const { steps, shape } = told.new.length || !held ? told : { ...told, shape: held.shape };
  const same = held && shape.join() === held.shape.join();
  const keep = same
    ? [...held.steps.keys()].filter((i) => steps.includes(held.steps[i] as number))
    : [];
  const [weights, filters] = same
    ? [[...held.weights.of], [...held.norms.of]]
    : [told.weights, told.filters];
  return {
    steps: [...keep.map((i) => held?.steps[i] as number), ...told.new],
    shape,
    weights: joined(held?.weights, keep, weights, came[0] as Float32Array),
    norms: joined(held?.norms, keep, filters, came[1] as Float32Array),
  };
}

export class HeldWeights {
  readonly #entries = new Map<string, Entry>();
  readonly #arrived = signal(0);

  constructor(readonly bridge: Bridge) {}

  /** What is held of a layer. Read in a component, it follows what arrives. */
  get(run: string, layer: string): Weights | undefined {
    this.#arrived.value;
    return this.#entries.get(keyOf(run, layer))?.held;
  }

  /** Why there is nothing. */
  refusal(run: string, layer: string): string | undefined {
    this.#arrived.value;
    return this.#entries.get(keyOf(run, layer))?.refusal;
  }

  /** Asks for what there is more of than what is held. */
  fetch(run: string, layer: string, last: number): void {
    const key = keyOf(run, layer);
    const entry = this.#entries.get(key) ?? {
      ...{ held: undefined, refusal: undefined, asking: false, asked: -1, last },
    };
    this.#entries.set(key, entry);
    entry.last = last;
    if (!entry.asking && entry.asked < last) void this.#ask(run, layer, entry);
  }

  async #ask(run: string, layer: string, entry: Entry): Promise<void> {
    const { held, last, asked } = entry;
    entry.asking = true;
    entry.asked = last;
    try {
      const args = { run, layer, after: held?.steps.at(-1) ?? -1 };
      const options = { signal: this.bridge.signal, lane: `weights ${run}` };
      const { value, tensors } = await this.bridge.request<Told>("weights", args, options);
      const came = tensors.map(({ data }) => data as Float32Array);
      entry.held = append(held, value, came);
      entry.refusal = undefined;
    } catch (error) {
      const { message, cancelled } = error as RequestError;
      entry.asked = asked; // whoever looks again asks again
      if (!cancelled) entry.refusal = message;
    }
    entry.asking = false;
    this.#arrived.value++;
    if (!entry.refusal && entry.last > entry.asked && entry.asked > asked)
      this.fetch(run, layer, entry.last);
  }
}
