// Which step is looked at: the newest, or the one that the reader, or playing, went to.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { lasting, onAbort } from "../../shared/lasting";
import type { Played } from "../../shared/playing";
import type { Film } from "./film";

/** How long the kernel is not told where the reader is, while that changes (ms). */
const TOLD_EVERY = 100;
/** So many steps are played in a second; a film takes no longer (s). */
const [PER_SECOND, LONGEST] = [12, 10];

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
  const move = telling(step, at, abort);
  /** Goes to a step. */
  const look = (to: number) => {
    const now = Math.min(Math.max(0, Math.round(to)), last.peek());
    follow.value = now === last.peek() && going.peek();
    move(now);
  };
  let watched: Film | undefined;
  lasting(abort, () => {
    const [before, now] = [watched, film.value];
    watched = now;
    if (before && now && before !== now && going.peek()) follow.value = true;
  });
  const played: Played = {
    range: () => [0, last.value],
    at: () => shown.value,
    playing,
    speed: signal(1),
    pace: () => Math.max(PER_SECOND, last.value / LONGEST),
    go: look,
  };
  return {
    shown,
    last,
    played,
    /** Goes to a step, and stays there. */
    scrub: (to: number) => {
      playing.value = false;
      look(to);
    },
  };
}

/** Moves at once here, and tells the kernel now and then. */
function telling(step: Signal<number>, at: Signal<number>, abort: AbortSignal) {
  let told = step.peek();
  let timer: ReturnType<typeof setTimeout> | undefined;
  lasting(abort, () => {
    if (step.value !== told) at.value = told = step.value;
  });
  const tell = () => {
    timer = undefined;
    step.value = told = at.peek();
  };
  onAbort(abort, () => clearTimeout(timer));
  return (to: number) => {
    at.value = to;
    timer ??= setTimeout(tell, TOLD_EVERY);
  };
}
