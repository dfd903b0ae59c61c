// What the browser holds of one run: its curves and its table of recorded steps, as far as they came.
import type { Tensor } from "../../shared/wire";
import { bytes, floats, type Growing } from "./growing";
import {
  BINS,
  type Curve,
  FIELDS,
  type Field,
  type News,
  type Progress,
  type Series,
} from "./types";

type Floats = Growing<Float32Array>;

/** One (layer, quantity). */
interface Column {
  codes: Growing<Uint8Array>;
  fields: Floats[];
  series: Series | undefined;
}

interface Line {
  /** Step, value, seconds. */
  parts: [Floats, Floats, Floats];
  curve: Curve | undefined;
}

const column = (): Column => ({
  codes: bytes(),
  fields: FIELDS.map(floats),
  series: undefined,
});

export class HeldRun {
  progress: Progress = { seq: 0, last_step: 0, speed: null, elapsed: 0 };
  readonly #lines = new Map<string, Line>();
  readonly #rows: [Floats, Floats] = [floats(), floats()];
  #columns: Column[] = [];

  get curves(): Curve[] {
    return [...this.#lines].map(([name, line]) => {
      const [steps, values, seconds] = line.parts;
      line.curve ??= { name, steps: steps.view, values: values.view, seconds: seconds.view };
      return line.curve;
    });
  }

  /** The recorded steps, ascending. */
  get steps(): Float32Array {
    return this.#rows[0].view;
  }

  /** Of the recorded steps, since the run began. */
  get seconds(): Float32Array {
    return this.#rows[1].view;
  }

  /** One column of the table; the same object until more comes. */
  series(index: number): Series | undefined {
    const found = this.#columns[index];
    if (!found) return undefined;
    found.series ??= {
      steps: this.steps,
      codes: found.codes.view,
      fields: Object.fromEntries(FIELDS.map((name, i) => [name, found.fields[i]?.view])) as Record<
        Field,
        Float32Array
      >,
    };
    return found.series;
  }

  /** Does what came continue what is there, with nothing missing in between? */
  fits(news: News, tensors: readonly Tensor[]): boolean {
    if (news.reset) return true;
    const keys = tensors[news.curves.length + 1]?.shape[1] ?? 0;
    return (
      news.seq === this.progress.seq + 1 &&
      news.rows_from <= this.steps.length &&
      (!this.#columns.length || !news.rows || keys === this.#columns.length) &&
      news.curves.every(({ name, from }) => from <= (this.#lines.get(name)?.parts[0].length ?? 0))
    );
  }

  /** Replaces everything from where the news begin. */
  apply(news: News, tensors: readonly Tensor[]): void {
    const { curves, rows_from, rows, seq, last_step, speed, elapsed } = news;
    this.progress = { seq, last_step, speed, elapsed };
    if (news.reset) {
      this.#lines.clear();
      this.#columns = [];
    }
    for (const [i, { name, from, points }] of curves.entries())
      this.#draw(name, from, points, tensors[i] as Tensor);
    const [times, fields, codes] = tensors.slice(curves.length) as [Tensor, Tensor, Tensor];
    if (rows || news.reset) this.#fill(rows_from, rows, times, fields, codes);
  }

  #draw(name: string, from: number, points: number, { data }: Tensor): void {
    const line = this.#lines.get(name) ?? {
      parts: [floats(), floats(), floats()],
      curve: undefined,
    };
    for (const [i, part] of line.parts.entries())
      part.extend(from, points).set(data.subarray(i * points, (i + 1) * points));
    line.curve = undefined;
    this.#lines.set(name, line);
  }

  #fill(from: number, rows: number, times: Tensor, fields: Tensor, codes: Tensor): void {
    for (const [i, part] of this.#rows.entries())
      part.extend(from, rows).set(times.data.subarray(i * rows, (i + 1) * rows));
    const keys = fields.shape[1] ?? 0;
    while (this.#columns.length < keys) this.#columns.push(column());
    for (const [key, one] of this.#columns.entries()) {
      one.series = undefined;
      const into = one.codes.extend(from * BINS, rows * BINS);
      for (let row = 0; row < rows; row++) {
        const at = (row * keys + key) * BINS;
        into.set(codes.data.subarray(at, at + BINS), row * BINS);
      }
      for (const [i, field] of one.fields.entries()) {
        const out = field.extend(from, rows);
        for (let row = 0; row < rows; row++)
          out[row] = fields.data[(row * keys + key) * FIELDS.length + i] as number;
      }
    }
  }
}
