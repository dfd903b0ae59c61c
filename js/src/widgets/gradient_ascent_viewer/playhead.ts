// Which step is looked at: the newest, the one that the reader went to, or the next while it plays.
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Film } from "./film";

/** How long the kernel is not told where the reader is, while that changes (ms). */
const TOLD_EVERY = 100;
/** A film takes no longer to play (s), and shows at most so many pictures a second. */
const LONGEST = 10;
const PER_SECOND = 12;
/** For readers who want less motion. */
const CALM_PER_SECOND = 2;

interface Traits {
  step: Signal<number>;
  playing: Signal<boolean>;
  follow: Signal<boolean>;
}

export function playhead(
  { step, playing, follow }: Traits,
  film: ReadonlySignal<Film | undefined>,
  going: ReadonlySignal<boolean>,
  abort: AbortSignal,
) {
  const at = signal(step.peek());
  const last = computed(() => {
    film.value?.version.value;
    return film.value?.last ?? 0;
  });
  const shown = computed(() => (follow.value ? last.value : Math.min(at.value, last.value)));
  const { move, stop: stopTelling } = telling(step, at);
  /** Goes to a step. */
  const look = (to: number) => {
    const now = Math.min(Math.max(0, Math.round(to)), last.peek());
    follow.value = now === last.peek() && going.peek();
    move(now);
  };
  let watched: Film | undefined;
  const stopPlaying = effect(() => {
    if (!playing.value || !film.value) return;
    return play(film.value, shown.peek(), look, () => {
      playing.value = false;
      if (going.peek()) follow.value = true;
    });
  });
  const stopFollowing = effect(() => {
    const [before, now] = [watched, film.value];
    watched = now;
    if (before && now && before !== now && going.peek()) follow.value = true;
  });
  abort.addEventListener("abort", () => {
    stopTelling();
    stopPlaying();
    stopFollowing();
  });
  return {
    shown,
    last,
    /** Goes to a step, and stays there. */
    scrub: (to: number) => {
      playing.value = false;
      look(to);
    },
  };
}

/** Moves at once here, and tells the kernel now and then. */
function telling(step: Signal<number>, at: Signal<number>) {
  let told = step.peek();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    if (step.value !== told) at.value = told = step.value;
  });
  const tell = () => {
    timer = undefined;
    step.value = told = at.peek();
  };
  return {
    move: (to: number) => {
      at.value = to;
      timer ??= setTimeout(tell, TOLD_EVERY);
    },
    stop: () => {
      clearTimeout(timer);
      stop();
    },
  };
}

/** Plays on by the clock, so that slow pages skip pictures; returns how to stop. */
function play(film: Film, from: number, look: (to: number) => void, onEnd: () => void) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const rate = calm ? CALM_PER_SECOND : PER_SECOND;
  const pace = Math.max(rate, film.last / LONGEST); // steps a second
  const start = from >= film.last ? 0 : from;
  const began = performance.now();
  look(start);
  const timer = setInterval(() => {
    const to = start + ((performance.now() - began) / 1000) * pace;
    look(to);
    if (to >= film.last) onEnd();
  }, 1000 / rate);
  return () => clearInterval(timer);
}
