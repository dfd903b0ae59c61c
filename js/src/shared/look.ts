// Every colour, size and duration that scripts need; what CSS alone needs is in theme.css.

/** Control points of the colour tables, sRGB, low to high. Diverging tables are neutral in the middle. */
export const STOPS = {
  activations: ["#08306b", "#2f6fb7", "#92bce0", "#efeeeb", "#eba184", "#c24a3a", "#67000f"],
  weights: ["#481467", "#8452a8", "#c0a4d5", "#efeeeb", "#93c79a", "#2b844b", "#003a1b"],
  sequential: ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"],
} as const;

/** Colours of values that are no numbers; outside every table. */
export const NAN = "#f03cd2";
export const POSITIVE_INFINITY = "#ff9d00";
export const NEGATIVE_INFINITY = "#00d5f5";

/** What layers do, by families: tell-apart colours of Okabe and Ito, and grey for the rest. */
export const MARKS = ["#0072b2", "#d55e00", "#009e73", "#e6a400", "#cc79a7", "#56b4e9", "#8a8f98"];

/** Runs of a training, in the order given: of the same palette, the strongest on both grounds first. */
export const RUNS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e6a400", "#56b4e9", "#8a8f98"];

/** Steps of a quantised map: codes 0 … 252; 253 −Inf, 254 +Inf, 255 NaN. */
export const LEVELS = 252;

export const TILE = { gap: 6, caption: 15, overscan: 1 };
export const ZOOM = { max: 64, step: 1.25 };

/** A request unanswered for this long, the kernel running a cell, may have to wait for that to end (ms). */
export const LATE = 1500;

/** A request unanswered for this long, the kernel being idle, means that nobody answers (ms). */
export const UNANSWERED = 10_000;
export const CACHE_BYTES = 128 * 2 ** 20;

/** Pictures that are drawn in a second while something plays, and for readers who want less motion. */
export const [DRAWN_PER_SECOND, CALM_PER_SECOND] = [20, 2];
