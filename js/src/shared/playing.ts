// Playing through a range by the clock: a slow page skips pictures, and does not lag behind.
import { computed, effect, type Signal, untracked } from "@preact/signals";
import { CALM_PER_SECOND, DRAWN_PER_SECOND } from "./look";

/** What is played; what the functions read of signals is followed. */
export interface Played {
  range: () => readonly [first: number, last: number];
  at: () => number;
  playing: Signal<boolean>;
  /** Times the usual speed. */
  speed?: Signal<number> | undefined;
  /** How far a second leads at the usual speed. */
  pace: () => number;
  /** Goes there, or to the nearest place that there is. */
  go: (to: number) => void;
}

/** Whether it plays, which it cannot where there is but one place. */
export const isPlaying = ({ range, playing }: Played): boolean => {
  const [first, last] = range();
  return first < last && playing.value;
};

/** Plays whenever it is to, and from the start if it is at the end; returns how to stop that. */
export function play(played: Played): () => void {
  const plays = computed(() => isPlaying(played));
  return effect(() => (plays.value ? untracked(() => run(played)) : undefined));
}

/** Goes on while the page can be seen; returns how to stop. */
function run({ range, at, playing, speed, pace, go }: Played): () => void {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let timer: ReturnType<typeof setInterval> | undefined;
  let [place, seen, before] = [0, 0, 0];
  const reach = (to: number) => {
    place = to;
    go(to);
    seen = at();
  };
  const tick = () => {
    const [now, last] = [performance.now(), range()[1]];
    if (at() !== seen) place = at(); // the reader went elsewhere
    reach(Math.min(last, place + ((now - before) / 1000) * pace() * (speed?.value ?? 1)));
    before = now;
    if (place >= last) playing.value = false;
  };
  const turn = () => {
    clearInterval(timer);
    before = performance.now();
    if (!document.hidden)
      timer = setInterval(tick, 1000 / (calm ? CALM_PER_SECOND : DRAWN_PER_SECOND));
  };
  const [first, last] = range();
  reach(at() < last ? at() : first);
  turn();
  document.addEventListener("visibilitychange", turn);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", turn);
  };
}
