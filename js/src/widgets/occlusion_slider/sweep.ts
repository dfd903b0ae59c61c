// The numbers of a sweep: cells, their scores, and where they lie on the picture.
import type { Tensor } from "../../shared/wire";
import type { ClassRow, Measure, Measures, Place, SweepValue, SweptClass } from "./types";

export interface Sweep extends SweepValue {
  /** [2, classes, rows, columns]: logit and log-odds; NaN where nothing was tried yet. */
  scores: Tensor;
}

/** "score": the measure with the patch there; "drop": how much lower it is than without. */
export type Shows = "score" | "drop";

export interface Size {
  height: number;
  width: number;
}

const chance = (odds: number): number => 1 / (1 + Math.exp(-odds));
const orNaN = (x: number | null): number => x ?? Number.NaN;

/** The places that a patch has along an axis, as the kernel lays them. */
export const steps = (length: number, window: number, stride: number): number =>
  Math.ceil((length - window) / stride) + 1;

export const classAt = ({ classes }: SweepValue, index: number): number =>
  classes.findIndex((one) => one.index === index);

/** A class's measure in each cell, in C order. */
export function scoresOf(sweep: Sweep, at: number, measure: Measure): Float64Array {
  const cells = sweep.rows.length * sweep.columns.length;
  const plane = measure === "logit" ? at : sweep.classes.length + at;
  const values = sweep.scores.data.subarray(plane * cells, (plane + 1) * cells);
  return Float64Array.from(values, measure === "probability" ? chance : (x) => x);
}

/** The same without a patch. */
export function baseline({ logit, log_odds }: Measures, measure: Measure): number {
  if (measure === "logit") return orNaN(logit);
  return measure === "log-odds" ? orNaN(log_odds) : chance(orNaN(log_odds));
}

/** What the map shows of a class in each cell. */
export function shownOf(sweep: Sweep, at: number, measure: Measure, shows: Shows): Float64Array {
  const scores = scoresOf(sweep, at, measure);
  if (shows === "score") return scores;
  const base = baseline(sweep.classes[at] as SweptClass, measure);
  return scores.map((score) => base - score);
}

/** Lowest and highest finite value; undefined where there is none. */
export function range(values: ArrayLike<number>): [number, number] | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of Array.from(values)) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}

/** The cell of a place; −1 if the sweep did not try it. */
export function cellAt(sweep: Sweep, { row, column }: Place): number {
  const i = sweep.rows.indexOf(row);
  const j = sweep.columns.indexOf(column);
  if (i < 0 || j < 0) return -1;
  const cell = i * sweep.columns.length + j;
  return Number.isNaN(sweep.scores.data[cell]) ? -1 : cell;
}

export function placeOf({ rows, columns }: SweepValue, cell: number): Place {
  const [row = 0, column = 0] = [
    rows[Math.floor(cell / columns.length)],
    columns[cell % columns.length],
  ];
  return { row, column };
}

/** What the network says with the patch in a cell, of the classes that the sweep has. */
export function rowsAt(sweep: Sweep, cell: number): ClassRow[] {
  return sweep.classes.map(({ index, name, bare }, at) => {
    const value = (measure: Measure) => {
      const score = scoresOf(sweep, at, measure)[cell] as number;
      const change = score - baseline(bare, measure);
      return [score, change].map((x) => (Number.isFinite(x) ? x : null)) as [number, number];
    };
    const [probability, change] = value("probability");
    const [logit, logit_change] = value("logit");
    const [log_odds, log_odds_change] = value("log-odds");
    return { index, name, probability, change, logit, logit_change, log_odds, log_odds_change };
  });
}

/**
 * The cell of each pixel, −1 for none. A cell is drawn in the middle of its patch, a stride wide,
 * so that neighbours touch; no wider than the patch, so that what no patch covered stays bare.
 */
export function cellsOf(sweep: SweepValue, { height, width }: Size): Int32Array {
  const down = owners(sweep.rows, sweep, height);
  const across = owners(sweep.columns, sweep, width);
  const cells = new Int32Array(height * width).fill(-1);
  for (let y = 0; y < height; y++) {
    const i = down[y] as number;
    for (let x = 0; i >= 0 && x < width; x++) {
      const j = across[x] as number;
      if (j >= 0) cells[y * width + x] = i * sweep.columns.length + j;
    }
  }
  return cells;
}

function owners(starts: number[], { window, stride }: SweepValue, length: number): Int32Array {
  const owner = new Int32Array(length).fill(-1);
  const wide = Math.min(window, stride);
  starts.forEach((start, index) => {
    const first = start + Math.floor((window - wide) / 2);
    owner.fill(index, Math.max(0, first), Math.min(length, first + wide));
  });
  return owner;
}
