// What the kernel says: the synced traits, the values of replies and of the stream.

export type Quantity = "weights" | "gradients" | "activations" | "biases" | "bias gradients";
export type Clock = "step" | "epoch" | "seconds";

/** The numbers of a recorded row, in the order of the table's last axis. */
export const FIELDS = ["norm", "mean", "std", "zeros", "nans", "infs", "update", "dead"] as const;
export type Field = (typeof FIELDS)[number];

/** Bins of a histogram; `cnnwidgets/training/bins.py` has their edges. */
export const BINS = 249;

export interface Finding {
  kind: string;
  severity: "error" | "warning" | "mark";
  step: number;
  layer: string | null;
  evidence: Record<string, number>;
  message: string;
}

export interface Snapshots {
  steps: number[];
  kind: "everything" | "weights" | "filters" | "maps" | null;
  /** Layer → shape of the weights that they hold of it; pages saved earlier do not say. */
  shapes?: Record<string, number[]>;
}

export interface Run {
  id: string;
  name: string;
  model: string;
  live: boolean;
  /** Was its training ended on purpose? */
  stopped?: boolean;
  /** What is said of a run that is silent: for how long, or that its process is gone. */
  silence?: string | null;
  paused: boolean;
  /** Does the kernel train it in the background, so that it can be paused? */
  controllable: boolean;
  /** The learning rate, where there is one. */
  rate: number | null;
  /** The one that the next step will have; pages saved earlier do not say. */
  pending_rate?: number | null;
  /** Steps it will have, where that is known. */
  total: number | null;
  layers: string[];
  /** (layer, quantity) of each column of the table. */
  keys: [layer: string, quantity: Quantity][];
  snapshots: Snapshots;
  /** Tag of logged pictures → their steps. */
  images?: Record<string, number[]>;
  findings: Finding[];
  notes: string[];
  /** Number of probe pictures. */
  probe: number;
  classes: string[];
  error: string | null;
}

/** Of a run as a whole. */
export interface Progress {
  /** Number of the frame, counted for each run. */
  seq: number;
  last_step: number;
  /** Samples per second. */
  speed: number | null;
  /** Seconds since it began. */
  elapsed: number;
}

export interface History extends Progress {
  curves: { name: string; points: number }[];
}

export interface News extends Progress {
  run: string;
  /** Is this everything, and what was before to be forgotten? */
  reset: boolean;
  curves: { name: string; from: number; points: number }[];
  rows_from: number;
  rows: number;
}

/** A logged scalar. */
export interface Curve {
  name: string;
  steps: Float32Array;
  values: Float32Array;
  seconds: Float32Array;
}

/** What was measured of one quantity of one layer, a row for each recorded step. */
export interface Series {
  steps: Float32Array;
  /** [rows, 249]: the share of a bin is (code / 254)²; 255: not measured. */
  codes: Uint8Array;
  /** NaN: not measured. */
  fields: Record<Field, Float32Array>;
}
