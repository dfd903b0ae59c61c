// What the kernel says: the synced traits and the values of replies.

export interface ReceptiveField {
  size: [number, number];
  jump: [number, number];
  start: [number, number];
}

export interface Layer {
  name: string;
  kind: string;
  /** Module path that the strip groups by. */
  block: string;
  shape: number[] | null;
  parameters: number;
  rf: ReceptiveField | null;
  /** Names of the layers it reads; "input" is the picture. */
  inputs: string[];
  detail: string;
  error: string | null;
  /** Shape of the filters, [K, C_in/groups, kh, kw]; null where there are none. */
  filters: number[] | null;
  receipt: boolean;
}

export interface Graph {
  layers: Layer[];
  error: string | null;
  input: number[];
  /** Did nothing tell the height and width of the input? */
  guessed?: boolean;
  total_parameters: number;
  name: string;
}

export const SLOTS = ["a", "b"] as const;
export type Slot = (typeof SLOTS)[number];
export type Of = "activations" | "gradients";
export type View = "maps" | "mean" | "filters" | "gradients";
export type ColorRange = "channel" | "layer" | "network";

export interface Picture {
  /** Changes with the picture and with the weights. */
  key: number;
  name: string;
  picture: DataView;
  /** Place among the pictures offered; null for any other. */
  choice?: number | null;
}

export interface Prediction {
  index: number;
  name: string;
  probability: number;
  logit: number;
}

export interface Predictions {
  rows: Prediction[] | null;
  note: string | null;
}

export interface Choice {
  name: string;
  thumbnail: DataView;
}

export interface LayerValue {
  shape: number[];
  low: number;
  high: number;
  network_low: number;
  network_high: number;
  mean_low: number;
  mean_high: number;
  /** "NaN", "Infinity", "-Infinity": what there is of them. */
  odd: string[];
}

export interface ReceiptValue {
  /** null: no finite number. */
  bias: number | null;
  result: number | null;
  /** Does the model itself compute the same, but for rounding? */
  equal: boolean;
  /** That in words. */
  check: string;
  /** Input channels read, half-open. */
  channels: [number, number];
  rows: number[];
  columns: number[];
  stride: [number, number];
  padding: [number, number] | string;
  dilation: [number, number];
  groups: number;
  code: string;
}

/** A rectangle in rows and columns, half-open. */
export interface Rect {
  top: number;
  left: number;
  bottom: number;
  right: number;
}
