// What the kernel says: the synced traits, frames and the values of replies.

export type Compare = "none" | "sad" | "seeds" | "tv" | "channels";
export type Measure = "log-odds" | "logit" | "probability";

/** Along rows and columns. */
export type Place = [row: number, column: number];

export interface Layer {
  name: string;
  kind: string;
  channels: number;
  /** Rows and columns of a channel, if it has them, of a picture of the usual size. */
  maps: Place | null;
  /** Pixels between what neighbouring units see; null where they have no places. */
  jump: number | null;
}

/** One of the pictures that climb together. */
export interface Panel {
  id: number;
  label: string;
  objective: string;
  /** Of a class, what was to rise, whatever is chosen since. */
  measure: Measure | null;
  /** Times the weight of the total variation. */
  smoothing: number;
  /** Top, left, height and width of what a neuron sees, in pixels. */
  field: [number, number, number, number] | null;
}

/** How channels answer a picture. */
export interface MapsValue {
  /** Which: "the picture of conv2:5 at step 12". */
  of: string;
}

/** Settings that act from the next step on. */
export type Live = Readonly<Record<string, number | null>>;

/** From a step on, pictures were made by other settings. */
export interface Turn {
  step: number;
  /** Those that changed; of the first turn all. */
  now: Live;
  /** What the pictures are called from here on, if it is something else. */
  labels: string[] | null;
}

/** Why a picture does not move, from a step on; `settled` where that is as it should be. */
export interface Note {
  step: number;
  words: string;
  settled: boolean;
}

/** What is said of an ascent beside its numbers. */
export interface Beside {
  notes: (Note | null)[];
  /** Of each picture the first step at which its class is the network's answer. */
  first: (number | null)[];
  turns: Turn[];
}

export interface Answer {
  index: number;
  name: string;
  probability: number | null;
}

/** The class that is likeliest next to the answer. */
export type Rival = Omit<Answer, "index">;

/** What the network says of each picture of a step. */
export interface Says {
  predictions: readonly (Answer | null)[];
  complement: readonly (Rival | null)[];
}

export interface FrameValue extends Says, Beside {
  generation: number;
  step: number;
  /** The step that its numbers begin with. */
  from: number;
  /** Steps a second. */
  speed: number | null;
}

export interface FramesValue {
  steps: number[];
  predictions: Says["predictions"][];
  complement: Says["complement"][];
}

export interface CurveValue extends Beside {
  /** The steps whose pictures the kernel has kept. */
  steps_kept: number[];
}

export type Ended = Pick<Beside, "notes" | "first">;
