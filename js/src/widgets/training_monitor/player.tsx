// The scrub bar's slider, which runs evenly over all steps, and playing them at an even pace.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { count } from "../../shared/format";
import { IconButton } from "../../shared/icon";
import { Slider } from "../../shared/slider";
import "../../shared/scrubber.css";
import { type State, useMonitor } from "./state";

/** A run is played in about so many seconds, a short one faster; so many pictures a second are drawn. */
const [PLAYED, SLOWEST, DRAWN] = [15, 4, 30];

/** Which step is next while a run plays, and in how many milliseconds. */
export function nextOf({ step, span, stepAfter, stops }: State): [step: number, wait: number] {
  const [first, last] = span.value ?? [0, 0];
  const at = step.value;
  const seconds = Math.min(PLAYED, Math.max(stops.value.length, last - first) / SLOWEST);
  const pace = (last - first) / seconds;
  const next = stepAfter(at + Math.max(1, pace / DRAWN));
  return [next, (1000 * (next - at)) / pace];
}

export function Player() {
  const state = useMonitor();
  const { step, span, go } = state;
  const playing = useSignal(false);
  const [first, last] = span.value ?? [0, 0];
  const [at, on] = [step.value, playing.value];
  useEffect(() => {
    if (!on) return;
    if (at >= last) {
      playing.value = false;
      return;
    }
    const [next, wait] = nextOf(state);
    const timer = setTimeout(() => go(next), wait);
    return () => clearTimeout(timer);
  }, [on, at, last]);
  const toggle = () => {
    if (!on && at >= last) go(first);
    playing.value = !on;
  };
  return (
    <div class="cnnw-scrubber">
      <IconButton
        icon={on ? "pause" : "play"}
        label={on ? "Pause" : "Play"}
        disabled={first === last}
        onClick={toggle}
      />
      <Slider
        label="Recorded step"
        value={at}
        min={first}
        max={last}
        disabled={first === last}
        format={count}
        onInput={(to) => {
          playing.value = false;
          state.goNear(to);
        }}
      />
    </div>
  );
}
