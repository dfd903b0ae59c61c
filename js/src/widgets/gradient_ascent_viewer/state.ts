// What one view shows: the synced traits, what follows from them, and what is this view's own.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { lasting } from "../../shared/lasting";
import type { Bridge, RequestError } from "../../shared/model";
import { byName } from "../../shared/traits";
import type { Contrast } from "./contrast";
import { subjectOf } from "./describe";
import type { Film } from "./film";
import { Frames } from "./frames";
import { playhead } from "./playhead";
import type { Compare, Ended, Layer, Live, Measure, Panel } from "./types";

/** The traits that are written here. */
interface Written {
  objective: Signal<string>;
  measure: Signal<Measure>;
  direction: Signal<number>;
  steps: Signal<number>;
  lr: Signal<number>;
  tv: Signal<number | null>;
  l2: Signal<number>;
  p_norm: Signal<number>;
  blur_sigma: Signal<number>;
  clip: Signal<number>;
  jitter: Signal<number | null>;
  zoom: Signal<number | null>;
  rotation: Signal<number | null>;
  parametrization: Signal<string>;
  optimizer: Signal<string>;
  start_from: Signal<string>;
  seed: Signal<number>;
  size: Signal<number | null>;
  compare: Signal<Compare>;
  count: Signal<number>;
  step: Signal<number>;
  playing: Signal<boolean>;
  follow: Signal<boolean>;
}

/** Those that only the kernel writes. */
interface Told {
  running: ReadonlySignal<boolean>;
  target: ReadonlySignal<number | null>;
  classes: ReadonlySignal<string[]>;
  layers: ReadonlySignal<Layer[]>;
  network: ReadonlySignal<string>;
  shape: ReadonlySignal<number[]>;
  panels: ReadonlySignal<Panel[]>;
  generation: ReadonlySignal<number>;
  ended: ReadonlySignal<Ended | null>;
  error: ReadonlySignal<string | null>;
  formats: ReadonlySignal<string[]>;
}

/** A change of these begins anew. */
const ANEW = "objective measure parametrization optimizer start_from seed size compare count";
/** These act from the next step on. */
const LIVE = "direction lr tv l2 p_norm blur_sigma clip jitter zoom rotation";
const WRITTEN = `${ANEW} ${LIVE} steps step playing follow`;
const TOLD =
  "running target _classes _layers _network _shape _panels _generation _ended _error _formats";

export function createState(bridge: Bridge) {
  const t = {
    ...byName<Written>(WRITTEN, (name) => bridge.trait(name)),
    ...byName<Told>(TOLD, (name) => bridge.read(name)),
  };
  const frames = new Frames(bridge, t);
  const { film } = frames;
  const alone = computed(() => ["replay", "disconnected", "gone"].includes(bridge.status.value));
  const going = computed(() => t.running.value && !alone.value);
  const head = playhead(t, film, going, bridge.signal);
  return {
    ...t,
    ...head,
    bridge,
    frames,
    film,
    alone,
    going,
    /** What climbs next; what is shown may be another. */
    subject: computed(() => subjectOf(t.objective.value, t.classes.value, t.target.value)),
    changed: changes(t, frames, bridge.signal),
    turned: computed(() => turned(t, film.value)),
    /** How grey levels are shown; automatic: stretched where they are few. */
    contrast: signal<Contrast>("automatic"),
    /** The panel that is shown alone, and the one that is pointed at. */
    enlarged: signal<number | null>(null),
    pointed: signal<number | null>(null),
    helping: signal(false),
    failed: signal<string | undefined>(undefined),
  };
}

export type State = ReturnType<typeof createState>;

/** Were settings that begin anew changed since the ascent that is shown began? */
function changes(t: Written & Told, { film }: Frames, abort: AbortSignal): ReadonlySignal<boolean> {
  const now = computed(() =>
    JSON.stringify(byName(ANEW, (name) => t[name as keyof Written].value)),
  );
  const begun = signal<[number, string] | undefined>(undefined);
  lasting(abort, () => {
    const generation = film.value?.generation;
    if (generation !== undefined && generation !== begun.peek()?.[0])
      begun.value = [generation, now.peek()];
  });
  return computed(() => !!begun.value && begun.value[1] !== now.value);
}

/** The settings that act from the next step on and were others for the last one. */
function turned(t: Written, film: Film | undefined): Live {
  film?.version.value;
  const last = film?.live ?? {};
  const now = byName<Record<string, number | null>>(LIVE, (name) => t[name as keyof Written].value);
  return Object.fromEntries(
    Object.entries(now).filter(([name, value]) => name in last && last[name] !== value),
  );
}

export type Phase = "empty" | "loading" | "running" | "paused" | "ended";

/** What the ascent is doing. */
export function phaseOf({ film, panels, going, ended, frames }: State): Phase {
  if (going.value) return "running";
  if (!film.value && !panels.value.length) return "empty";
  if (!film.value) return frames.failed.value ? "empty" : "loading";
  return ended.value ? "ended" : "paused";
}

/** Asks the kernel to run, pause, resume, step or reset. */
export function control(state: State, name: "run" | "pause" | "resume" | "step" | "reset"): void {
  const { alone, failed, playing, follow, frames, bridge } = state;
  if (alone.peek()) return;
  frames.rest();
  failed.value = undefined;
  playing.value = false;
  if (name !== "pause") follow.value = true;
  bridge.request(name, {}, { signal: bridge.signal }).catch((error: RequestError) => {
    if (!error.cancelled) failed.value = error.message;
  });
}

/** What the main button does. */
export function nextOf(state: State): "pause" | "resume" | "run" {
  const phase = phaseOf(state);
  if (phase === "running") return "pause";
  return phase === "paused" && !state.changed.value ? "resume" : "run";
}

const Context = createContext<State | null>(null);
export const StateProvider = Context.Provider;
export const useAscent = (): State => useContext(Context) as State;
