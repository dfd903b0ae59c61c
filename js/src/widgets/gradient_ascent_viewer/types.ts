// What the kernel says: the synced traits, frames and the values of replies.

export type Compare = "none" | "sad" | "seeds" | "tv" | "channels";
export type Measure = "log-odds" | "logit" | "probability";

export interface Layer {
  name: string;
  kind: string;
  channels: number;
  /** Does a channel have rows and columns? */
  maps: boolean;
}

/** One of the pictures that climb together. */
export interface Panel {
  id: number;
  label: string;
  objective: string;
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

export interface FrameValue extends Says {
  generation: number;
  step: number;
  /** The step that its numbers begin with. */
  from: number;
  /** Steps a second. */
  speed: number | null;
  notes: (string | null)[];
  /** As in `CurveValue`. */
  first: (number | null)[];
}

export interface FramesValue {
  steps: number[];
  predictions: Says["predictions"][];
  complement: Says["complement"][];
}

export interface CurveValue {
  /** The steps whose pictures the kernel has kept. */
  steps_kept: number[];
  /** Of each picture the first step at which its class is the network's answer. */
  first: (number | null)[];
}

export interface Ended {
  /** Why each picture moves no longer, where it ended before its last step. */
  notes: (string | null)[];
  first: (number | null)[];
}
