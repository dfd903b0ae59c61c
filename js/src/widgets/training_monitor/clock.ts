// What the horizontal axis counts: steps, epochs or seconds.
import type { HeldRun } from "./history";
import { lowerBound } from "./sorted";
import type { Clock, Curve } from "./types";

/** The clock of one run. */
export interface Hands {
  /** Where the points of a curve are. */
  of: (curve: Curve) => ArrayLike<number>;
  at: (step: number) => number;
  /** Back to steps. */
  step: (x: number) => number;
}

const same = (x: number) => x;
const STEPS: Hands = { of: ({ steps }) => steps, at: same, step: same };

/** Straight lines between points, and on beyond the ends; through the origin where there is but one. */
export function interpolate(xs: ArrayLike<number>, ys: ArrayLike<number>, x: number): number {
  const last = xs.length - 1;
  if (last < 1) return (x / (xs[0] || 1)) * (ys[0] ?? 0);
  const i = Math.min(Math.max(lowerBound(xs, x), 1), last);
  const [x0, x1] = [xs[i - 1] as number, xs[i] as number];
  const [y0, y1] = [ys[i - 1] as number, ys[i] as number];
  return x1 > x0 ? y0 + ((x - x0) / (x1 - x0)) * (y1 - y0) : y1;
}

/** Where an epoch is logged at every step, only those at which it changes tell how far it is in between. */
function knots({ steps, values }: Curve): { steps: number[]; epochs: number[] } {
  const out = { steps: [] as number[], epochs: [] as number[] };
  for (const [i, epoch] of values.entries())
    if (epoch > (out.epochs.at(-1) ?? Number.NEGATIVE_INFINITY)) {
      out.steps.push(steps[i] as number);
      out.epochs.push(epoch);
    }
  return out;
}

export const longest = (curves: readonly Curve[]): Curve | undefined =>
  curves.reduce<Curve | undefined>(
    (best, curve) => (curve.steps.length > (best?.steps.length ?? 0) ? curve : best),
    undefined,
  );

/** The clock of a run; undefined where it was not logged. */
export function handsOf({ curves }: HeldRun, clock: Clock): Hands | undefined {
  if (clock === "step") return STEPS;
  if (clock === "seconds") {
    const { steps, seconds } = longest(curves) ?? { steps: [], seconds: [] };
    return {
      of: (curve) => curve.seconds,
      at: (step) => interpolate(steps, seconds, step),
      step: (x) => interpolate(seconds, steps, x),
    };
  }
  const logged = curves.find(({ name }) => name === "epoch");
  if (!logged) return undefined;
  const { steps, epochs } = knots(logged);
  const at = (step: number) => interpolate(steps, epochs, step);
  return {
    of: (curve) => Float64Array.from(curve.steps, at),
    at,
    step: (x) => interpolate(epochs, steps, x),
  };
}

/** 8 s, 3 min 20 s, 1 h 5 min */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
