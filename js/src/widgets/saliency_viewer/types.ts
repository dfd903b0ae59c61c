// What the kernel says: the synced traits and the values of replies.

export type Reduction = "max_abs" | "mean_abs" | "l2" | "sum" | "mean";
export type Part = "all" | "absolute" | "positive" | "negative";
export type Scaling = "each" | "unit";

export interface Picture {
  /** Changes with the weights. */
  key: number;
  name: string;
  picture: DataView;
}

export interface Method {
  key: string;
  label: string;
  about: string;
  /** Traits that its map depends on, besides class and measure. */
  settings: string[];
  /** Does a single pass give the whole map? */
  at_once: boolean;
}

export interface Likely {
  index: number;
  name: string;
  probability: number | null;
}

/** What a map explains. */
export interface Asked {
  id: string;
  method: string;
  target: number;
  randomised: boolean;
}

/** What the kernel says of a map, besides its values. */
export interface Made extends Asked {
  /** Of the class. */
  name: string;
  unit: string;
  signed: boolean;
  /** One value for all channels: nothing to reduce. */
  flat: boolean;
  settings: Record<string, unknown>;
  key: number;
  version: number;
  done: number;
  total: number;
  note: string;
  error: string | null;
  /** Is it being summed up? */
  active: boolean;
  /** Of its stages so many are kept. */
  stages: number;
}

export interface Curve {
  scores: (number | null)[];
  area: number | null;
}

export interface Judged {
  target: string;
  measure: string;
  fractions: number[];
  maps: { id: string; version: number; deletion: Curve; insertion: Curve }[];
  reduction: Reduction;
  part: Part;
}

export interface Cut {
  id: string;
  version: number;
  mask: DataView;
  share: number;
  reduction: Reduction;
  part: Part;
}

export interface NoiseMaps {
  target: string;
  key: number;
  noises: number[];
  samples: number[];
  /** Every so many-th row and column was kept. */
  apart: number;
  maps: DataView;
}
