// A kernel for tests: it has recorded made-up runs, and tells of what is new in them.
import { type Content, FakeModel } from "../../shared/fake_model";
import { pack } from "../../shared/packing";
import { codesAt, fieldsAt, type MockCurve, type MockRun, mockRun, noise } from "./mock_runs";
import { BINS, FIELDS } from "./types";

const STEP = 0.02;

/** What "history" and "news" carry: each curve from one of its points on, the table from a row on. */
export function tensorsOf(run: MockRun, from: number[], rowsFrom: number): DataView[] {
  const curves = run.curves.map(({ points }, i) => {
    const shown = points.slice(from[i] ?? 0);
    const flat = [0, 1, 2].flatMap((part) => shown.map((point) => point[part] as number));
    return pack(flat, [3, shown.length], 3);
  });
  const { keys } = run.about;
  const rows = run.rows.slice(rowsFrom);
  const times = pack([...rows, ...rows.map((step) => step * STEP)], [2, rows.length], 3);
  const cells = rows.flatMap((_, i) => keys.map((_, key) => [rowsFrom + i, key] as const));
  return [
    ...curves,
    times,
    pack(
      cells.flatMap(([row, key]) => fieldsAt(run, row, key)),
      [rows.length, keys.length, FIELDS.length],
      3,
    ),
    pack(
      cells.flatMap(([row, key]) => codesAt(run, row, key)),
      [rows.length, keys.length, BINS],
      0,
    ),
  ];
}

/** Of a good run. */
export const weightAt = (place: number, step: number): number =>
  0.05 * noise(place) + 0.0003 * step * noise(place, 1);

const progress = (run: MockRun) => {
  const [last_step = 0, , elapsed = 0] = run.curves[0]?.points.at(-1) ?? [];
  return { seq: run.seq, last_step, speed: 6400, elapsed };
};

export class MockKernel extends FakeModel {
  #frames = 0;

  constructor(
    readonly recorded: MockRun[],
    traits: Content = {},
  ) {
    super({
      ...{ step: 0, pinned: null, follow: true, run: 0, layer: "conv1", quantity: "weights" },
      ...{ smoothing: 0.6, log_y: false, x: "step", _error: null },
      _runs: recorded.map(({ about }) => about),
      ...traits,
    });
  }

  override send(content: Content, _?: unknown, buffers?: unknown): void {
    super.send(content, _, buffers);
    const run = this.recorded.find(({ about }) => about.id === content.args?.run);
    if (content.kind === "request" && run) setTimeout(() => this.#answer(content, run));
  }

  #answer(content: Content, run: MockRun): void {
    const { about, curves } = run;
    if (content.name === "history") {
      const told = curves.map(({ name, points }) => ({ name, points: points.length }));
      this.reply(content, { ...progress(run), curves: told }, tensorsOf(run, [], 0));
    } else if (content.name === "pictures") {
      const pixels = Array.from({ length: about.probe * 256 }, (_, i) => 128 + 100 * noise(i));
      this.reply(content, {}, [pack(pixels, [about.probe, 16, 16, 1], 0)]);
    } else if (content.name === "maps") this.#maps(content, run);
    else if (content.name === "weights") this.#weights(content, run);
    else if (content.name === "predictions") this.#predictions(content, run);
    else this.reply(content);
  }

  #maps(content: Content, { about }: MockRun): void {
    const { step, what, layer } = content.args;
    const maps = layer === "fc2" ? [3, 1, 1] : [8, 12, 12];
    const shape = what === "filters" ? [8, 3, 5, 5] : maps;
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: count }, (_, i) => noise(i, step));
    const taken = about.snapshots.steps.findLast((one) => one <= step) ?? 0;
    this.reply(content, { step: taken, channels: shape[0], shown: shape[0] }, [
      pack(values, shape, 1),
    ]);
  }

  /** Of all but fc2 every third weight. */
  #weights(content: Content, { about }: MockRun): void {
    const { steps, shapes = {} } = about.snapshots;
    const { layer, after } = content.args;
    const shape = shapes[layer] as number[];
    const size = shape.reduce((a, b) => a * b, 1);
    const apart = layer === "fc2" ? 1 : 3;
    const weights = Array.from({ length: size / apart }, (_, i) => i * apart);
    const filters = Array.from({ length: shape[0] as number }, (_, i) => i);
    const fresh = steps.filter((step) => step > after);
    const large = about.findings.length ? 2 : 1;
    const columns = (of: number[], value: (i: number, step: number) => number) =>
      pack(
        fresh.flatMap((step) => of.map((i) => large * value(i, step))),
        [fresh.length, of.length],
        3,
      );
    this.reply(content, { steps, new: fresh, shape, weights, filters }, [
      columns(weights, weightAt),
      columns(filters, (i, step) => Math.abs(weightAt(i, step))),
    ]);
  }

  #predictions(content: Content, { about }: MockRun): void {
    const { steps } = about.snapshots;
    const classes = about.classes.map((_, i) => i);
    const sure = (at: number) => 0.34 + (0.6 * at) / steps.length;
    const chances = steps.flatMap((_, at) =>
      Array.from({ length: about.probe }, (_, i) =>
        classes.map((c) => (c === i % 3 ? sure(at) : (1 - sure(at)) / 2)),
      ).flat(),
    );
    const predicted = steps.map(() => Array.from({ length: about.probe }, (_, i) => i % 3));
    this.reply(content, { steps, classes, names: about.classes, predicted }, [
      pack(chances, [steps.length, about.probe, classes.length], 3),
    ]);
  }

  /** Something of a run has changed. */
  tell(id: string, changes: Content): void {
    const runs = this.get("_runs").map((run: Content) =>
      run.id === id ? { ...run, ...changes } : run,
    );
    this.update("_runs", runs);
  }

  /** The run goes on: more points, more rows; the last `again` of what was there are told again. */
  train(run: MockRun, curves: MockCurve[], rows: number[] = [], { lost = false, again = 0 } = {}) {
    const from = run.curves.map(({ points }) => Math.max(0, points.length - again));
    const rowsFrom = Math.max(0, run.rows.length - again);
    for (const { name, points } of curves)
      run.curves.find((curve) => curve.name === name)?.points.push(...points);
    run.rows.push(...rows);
    run.seq++;
    if (lost) return;
    const told = run.curves.map(({ name, points }, i) => ({
      ...{ name, from: from[i] as number },
      points: points.length - (from[i] as number),
    }));
    const value = {
      ...{ run: run.about.id, reset: false, ...progress(run), curves: told },
      ...{ rows_from: rowsFrom, rows: run.rows.length - rowsFrom },
    };
    this.frame(value, tensorsOf(run, from, rowsFrom));
  }

  frame(value: Content, tensors: DataView[]): void {
    this.message({ kind: "frame", stream: "news", seq: ++this.#frames, value }, tensors);
  }
}

/** A good run and a bad one. */
export const pair = () => [mockRun("a"), mockRun("b", { bad: true })];
