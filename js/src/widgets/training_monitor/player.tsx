// The scrub bar's slider, which runs evenly over all steps, and playing them at an even pace.
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { count } from "../../shared/format";
import { Player } from "../../shared/player";
import type { Played } from "../../shared/playing";
import { type State, useMonitor } from "./state";

/** So many recorded rows are played in a second; a run takes at least so long if it has the steps, and at most (s). */
const [ROWS, LEAST, MOST] = [4, 15, 60];

type Gone = Pick<State, "span" | "stops" | "step" | "goNear">;

export function playedOf({ span, stops, step, goNear }: Gone): Played {
  const range = () => span.value ?? ([0, 0] as const);
  return {
    range,
    at: () => step.value,
    playing: signal(false),
    speed: signal(1),
    pace: () => {
      const [first, last] = range();
      const steps = last - first;
      const seconds = Math.min(MOST, stops.value.length / ROWS);
      return steps / Math.max(seconds, Math.min(LEAST, steps / ROWS));
    },
    go: goNear,
  };
}

export function ScrubBar() {
  const state = useMonitor();
  const played = useMemo(() => playedOf(state), [state]);
  return <Player label="Recorded step" played={played} format={count} />;
}
