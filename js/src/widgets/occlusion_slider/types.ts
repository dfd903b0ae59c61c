// What the kernel says: the synced traits and the values of replies.

export type Fill = string | number;
export type Measure = "probability" | "logit" | "log-odds";

/** First row and column of the patch. */
export interface Place {
  row: number;
  column: number;
}

/** [row, column, window] of a patch that stays beside the one that is moved. */
export type Box = [row: number, column: number, window: number];

export interface Picture {
  /** Changes with the weights. */
  key: number;
  name: string;
  picture: DataView;
}

/** One class with the patch where it is; null: no finite number. */
export interface ClassRow {
  index: number;
  name: string;
  probability: number | null;
  change: number | null;
  logit: number | null;
  logit_change: number | null;
  log_odds: number | null;
  log_odds_change: number | null;
}

export interface Measures {
  logit: number | null;
  log_odds: number | null;
}

/** A class of a sweep, with its measures without the patch. */
export interface SweptClass extends Measures {
  index: number;
  name: string;
  /** Without the kept patches either. */
  bare: Measures;
}

/** What a sweep says besides its scores. */
export interface SweepValue {
  /** Of the picture and the weights that it was made of. */
  key: number;
  window: number;
  stride: number;
  fill: Fill;
  kept: Box[];
  rows: number[];
  columns: number[];
  classes: SweptClass[];
  done: number;
  total: number;
  method: string;
  reason: string | null;
  /** Of full passes' arithmetic. */
  share: number | null;
}

export interface PatchValue {
  rows: ClassRow[];
  /** How long the answer took. */
  milliseconds: number;
}

export interface Cost {
  rows: number;
  columns: number;
  seconds: number;
}

export interface LayerChange {
  name: string;
  /** Relative to the layer's size; null where that is zero. */
  change: number | null;
}
