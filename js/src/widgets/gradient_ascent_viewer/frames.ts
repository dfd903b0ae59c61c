// Where films come from: frames as they are made, and what was missed of them once it is quiet.
import { computed, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals";
import { lasting, onAbort } from "../../shared/lasting";
import type { Bridge, RequestError } from "../../shared/model";
import type { Tensor } from "../../shared/wire";
import { BUDGET, coarseToFine, Film } from "./film";
import type { CurveValue, Ended, FramesValue, FrameValue, Panel, Says } from "./types";

/** Steps asked for at once: their pictures, and what the network says of them, which is computed then. */
const BATCH = 32;
const ANSWERS = 8;
/** Of so many steps it is asked, unless it was while they were made. */
const MOST_ANSWERS = 64;

interface Told {
  generation: ReadonlySignal<number>;
  panels: ReadonlySignal<readonly Panel[]>;
  classes: ReadonlySignal<readonly string[]>;
  running: ReadonlySignal<boolean>;
  ended: ReadonlySignal<Ended | null>;
}

export class Frames {
  /** The newest ascent of which there is a picture or a number. */
  readonly film: Signal<Film | undefined> = signal(undefined);
  readonly failed: Signal<string | undefined> = signal(undefined);
  /** Pictures that an exported page was saved without. */
  readonly missing: Signal<number> = signal(0);
  #filling = new AbortController();
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly bridge: Bridge,
    readonly told: Told,
    readonly budget = BUDGET,
  ) {
    bridge.frames("frame", (value, [pictures, numbers]) => {
      if (pictures && numbers) this.#take(value as FrameValue, pictures, numbers);
    });
    const lost = computed(() => ["gone", "disconnected"].includes(bridge.status.value));
    lasting(bridge.signal, () => {
      const { generation, panels, running, ended } = told;
      const given = [panels.value.length, lost.value, generation.value, running.value, ended.value];
      untracked(() => {
        this.rest();
        if (!given[0]) this.film.value = undefined;
        else if (!given[1]) this.#soon = setTimeout(() => this.#fill()); // traits change together
      });
    });
    onAbort(bridge.signal, () => this.rest());
  }

  /** Asks for nothing more, so that the kernel has time. */
  rest(): void {
    clearTimeout(this.#soon);
    this.#filling.abort();
  }

  /** The film of a generation; undefined if there is a newer one. */
  #filmOf(generation: number): Film | undefined {
    const now = this.film.peek();
    if (now && now.generation >= generation) return now.generation === generation ? now : undefined;
    return new Film(generation, this.told.panels.peek(), this.budget);
  }

  #take(value: FrameValue, pictures: Tensor, numbers: Tensor): void {
    const film = this.#filmOf(value.generation);
    if (!film || pictures.shape[0] !== film.panels.length) return;
    film.speed = value.speed;
    film.tell(value);
    film.measure(value.from, numbers);
    film.add(stillOf(value.step, pictures, 0, value));
    this.film.value = film;
    this.failed.value = undefined;
  }

  /** Asks for all numbers, and for pictures that are not here; of an ascent that runs for what is missing. */
  async #fill(): Promise<void> {
    this.#filling = new AbortController();
    const { signal: stop } = this.#filling;
    const generation = this.told.generation.peek();
    const film = this.#filmOf(generation);
    const running = this.told.running.peek();
    if (!film || (running && film.length && !film.torn)) return;
    try {
      const reply = await this.bridge.request<CurveValue>(
        "curve",
        { generation },
        { signal: stop },
      );
      const [numbers] = reply.tensors;
      if (!numbers || stop.aborted) return;
      film.measure(0, numbers);
      if (running) return;
      film.tell(reply.value);
      await this.#fetch(film, reply.value.steps_kept, stop);
      if (this.bridge.status.peek() !== "replay") await this.#ask(film, stop);
    } catch (error) {
      const { cancelled, message } = error as RequestError;
      if (!cancelled && !stop.aborted && generation === this.told.generation.peek())
        this.failed.value = message;
    }
  }

  /** Pictures, the last one first, as long as there is room. */
  async #fetch(film: Film, kept: readonly number[], stop: AbortSignal): Promise<void> {
    const { generation } = film;
    const replay = this.bridge.status.peek() === "replay";
    let wanted = coarseToFine(kept).filter((step) => !film.has(step));
    while (wanted.length) {
      const each = film.stills[0]?.pictures.data.length;
      const steps = wanted.slice(0, each && !replay ? BATCH : 1);
      if (each && film.bytes + each * steps.length > film.budget) return;
      try {
        const options = { signal: stop, lane: "frames" };
        const reply = await this.bridge.request<FramesValue>(
          "frames",
          { generation, steps },
          options,
        );
        this.#keep(film, reply.value, reply.tensors[0]);
      } catch (error) {
        if (!replay) throw error;
        this.missing.value = wanted.length;
        return;
      }
      wanted = wanted.filter((step) => step !== steps[0] && !film.has(step));
    }
  }

  /** What the network says where it was not asked, since that takes time while it climbs. */
  async #ask(film: Film, stop: AbortSignal): Promise<void> {
    const { generation, stills } = film;
    const silent = stills.filter(({ predictions }) => !predictions.some(Boolean));
    const wanted = coarseToFine(silent.map(({ step }) => step)).slice(0, MOST_ANSWERS);
    const options = { signal: stop, lane: "answers" };
    while (wanted.length && this.told.classes.peek().length) {
      const steps = wanted.splice(0, ANSWERS);
      const { value } = await this.bridge.request<FramesValue>(
        "answers",
        { generation, steps },
        options,
      );
      value.steps.forEach((step, i) => {
        const [predictions = [], complement = []] = [value.predictions[i], value.complement[i]];
        film.answer(step, { predictions, complement });
      });
    }
  }

  #keep(film: Film, { steps, predictions, complement }: FramesValue, all: Tensor | undefined) {
    steps.forEach((step, i) => {
      const says = { predictions: predictions[i] ?? [], complement: complement?.[i] ?? [] };
      if (all) film.add(stillOf(step, { ...all, shape: all.shape.slice(1) }, i, says));
    });
    this.film.value = film;
  }
}

/** A copy, so that what it came with can be forgotten. */
function stillOf(step: number, { shape, data }: Tensor, at: number, says: Says) {
  const size = shape.reduce((a, b) => a * b, 1);
  const pictures: Tensor = {
    ...{ shape, encoding: "picture" },
    data: data.slice(at * size, (at + 1) * size),
  };
  return { step, pictures, predictions: says.predictions, complement: says.complement };
}
