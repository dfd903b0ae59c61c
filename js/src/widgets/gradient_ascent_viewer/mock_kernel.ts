// A kernel for tests: pictures are noise that gives way to stripes, scores rise, a class is found.
import { type Content, FakeModel } from "../../shared/fake_model";
import { pack } from "../../shared/packing";
import type { Answer, Layer, Measure, Note, Panel, Turn } from "./types";

export const CLASSES = ["cat", "<b>dog</b>", "zebra"];
export const LAYERS: Layer[] = [
  { name: "conv1", kind: "Conv2d", channels: 6, maps: [8, 8], jump: 1 },
  { name: "conv2", kind: "Conv2d", channels: 16, maps: [4, 6], jump: 2 },
  { name: "fc", kind: "Linear", channels: 3, maps: null, jump: null },
];

export const panel = (
  id: number,
  label: string,
  objective = label,
  measure: Measure | null = objective.startsWith("class:") ? "logit" : null,
): Panel => ({ id, label, objective, measure, smoothing: 1, field: null });

export const noteOf = (step: number, words: string, settled = false): Note => ({
  step,
  words,
  settled,
});

/** The score of a picture, and its gradient norm. */
export const scoreAt = (step: number, index = 0): number => (1 - 0.98 ** step) / (index + 1);
export const normAt = (step: number, index = 0): number => 0.5 * 0.98 ** step + index / 10;

/** Of the total variation. */
export const weightAt = (step: number, index = 0): number => (0.1 + step / 100) * (index + 1);

/** Of step 20 on zebra. */
export const answerAt = (step: number): Answer => ({
  index: step < 20 ? 0 : 2,
  name: CLASSES[step < 20 ? 0 : 2] as string,
  probability: 1 - 0.5 * 0.98 ** step,
});

const noise = (i: number) => (Math.imul(i + 1, 2654435761) >>> 24) / 255;

/** One picture: [edge, edge, 3]. */
function paint(out: Uint8Array, from: number, edge: number, step: number, index: number): void {
  const share = 1 - 0.97 ** step;
  for (let i = 0; i < edge * edge; i++) {
    const [x, y] = [(i % edge) / edge, Math.floor(i / edge) / edge];
    const wave = 0.5 + 0.5 * Math.sin(9 * x + (4 + 3 * index) * y + 6 * Math.sin(5 * x * y));
    for (let c = 0; c < 3; c++) {
      const value = (1 - share) * noise(3 * i + c) + share * (wave ** (1 + c / 3) || 0);
      out[from + 3 * i + c] = 255 * value;
    }
  }
}

/** [k, P, edge, edge, 3] of k steps. */
function paintAll(steps: readonly number[], count: number, edge: number): Uint8Array {
  const each = 3 * edge * edge;
  const bytes = new Uint8Array(steps.length * count * each);
  steps.forEach((step, k) => {
    for (let p = 0; p < count; p++) paint(bytes, (k * count + p) * each, edge, step, p);
  });
  return bytes;
}

/** Score and gradient norm of the steps [from, to]. */
export function numbersOf(from: number, to: number, count: number): DataView {
  const steps = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const of = (at: (step: number, index: number) => number) =>
    steps.flatMap((step) => Array.from({ length: count }, (_, p) => at(step, p)));
  return pack([...of(scoreAt), ...of(normAt), ...of(weightAt)], [3, steps.length, count], 3);
}

const USUAL = {
  objective: "conv2:5",
  layer: "conv2",
  channel: 5,
  unit: null,
  target: null,
  measure: "logit",
  direction: 1,
  steps: 64,
  lr: 0.05,
  tv: null,
  l2: 0,
  p_norm: 0,
  blur_sigma: 0,
  clip: 0,
  jitter: null,
  zoom: null,
  rotation: null,
  parametrization: "fourier",
  optimizer: "adam",
  start_from: "noise",
  seed: 0,
  size: null,
  compare: "none",
  count: 6,
  step: 0,
  playing: false,
  follow: true,
  running: false,
  progress: 0,
  _classes: CLASSES,
  _layers: LAYERS,
  _network: "Net",
  _shape: [3, 8, 8],
  _panels: [],
  _generation: 0,
  _ended: null,
  _error: null,
  _formats: ["gif", "webp", "png", "mp4"],
};

export class MockKernel extends FakeModel {
  /** Whether it answers by itself. */
  answering = true;
  /** The steps whose pictures it has kept. */
  kept: number[] = [];
  edge = 8;
  /** Of the pictures of frames, 0 to 1. */
  light = 1;
  turns: Turn[] = [];
  #frames = 0;

  constructor(traits: Content = {}) {
    super({ ...USUAL, ...traits });
  }

  get count(): number {
    return this.get("_panels").length;
  }

  override send(content: Content, _: unknown, buffers?: unknown): void {
    super.send(content, _, buffers);
    if (content.kind === "request" && this.answering) setTimeout(() => this.answer(content));
  }

  answer(content: Content): void {
    const { name, args } = content;
    if (name === "curve") this.#curve(content);
    else if (name === "frames") this.#stills(content, args.steps);
    else if (name === "answers") this.reply(content, this.#answers(args.steps));
    else if (name === "maps") this.#maps(content, args.layer);
    else if (name === "save") this.reply(content, { name: "a.gif" }, [pack([71, 73, 70], [3], 0)]);
    else this.reply(content);
  }

  /** A new ascent begins. */
  begin(panels = [panel(0, this.get("objective"))]): void {
    this.kept = [];
    this.update("_ended", null);
    this.update("_panels", panels);
    this.update("_generation", this.get("_generation") + 1);
    this.update("running", true);
  }

  /** What is new from a step on, with the picture of the last. */
  frame(from: number, step: number, changes: Content = {}): void {
    const notes = Array(this.count).fill(null);
    const says = this.#says(step);
    const value = {
      generation: this.get("_generation"),
      step,
      from,
      speed: 40,
      notes,
      first: notes,
      turns: this.turns,
      ...says,
    };
    const { count, edge } = this;
    const painted = paintAll([step], count, edge).map((value) => value * this.light);
    const pictures = pack(painted, [count, edge, edge, 3], 0);
    this.kept.push(step);
    this.message(
      { kind: "frame", stream: "frame", seq: ++this.#frames, value: { ...value, ...changes } },
      [pictures, numbersOf(from, step, count)],
    );
  }

  finish(changes: Content = {}): void {
    const none = Array(this.count).fill(null);
    this.update("running", false);
    this.update("_ended", { notes: none, first: none, ...changes });
  }

  #says(step: number) {
    const all = <T>(of: T) => Array<T>(this.count).fill(of);
    const rival = { name: CLASSES[1], probability: 0.5 * 0.98 ** step };
    return { predictions: all(answerAt(step)), complement: all(rival) };
  }

  #curve(content: Content): void {
    const last = Math.max(0, ...this.kept);
    const none = Array(this.count).fill(null);
    const said = { notes: none, first: none, turns: this.turns, ...this.get("_ended") };
    this.reply(content, { steps_kept: this.kept, ...said }, [numbersOf(0, last, this.count)]);
  }

  #stills(content: Content, steps: number[]): void {
    const { count, edge } = this;
    const shape = [steps.length, count, edge, edge, 3];
    const pictures = pack(paintAll(steps, count, edge), shape, 0);
    this.reply(content, this.#answers(steps), [pictures]);
  }

  #maps(content: Content, layer: string): void {
    const { channels = 0, maps = null } = LAYERS.find(({ name }) => name === layer) ?? {};
    const edge = maps ? 2 : 1;
    const newest = `the picture of ascent ${this.get("_generation")} at step ${this.kept.at(-1) ?? 0}`;
    const of = this.count ? newest : "noise";
    const bytes = Uint8Array.from(
      { length: channels * edge ** 2 },
      (_, i) => 10 * Math.floor(i / edge ** 2),
    );
    this.reply(content, { of }, [pack(bytes, [channels, edge, edge], 0)]);
  }

  #answers(steps: number[]) {
    const says = steps.map((step) => this.#says(step));
    return {
      steps,
      predictions: says.map(({ predictions }) => predictions),
      complement: says.map(({ complement }) => complement),
    };
  }
}
