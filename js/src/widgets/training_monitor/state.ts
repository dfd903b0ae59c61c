// What one view shows: the synced traits, what is held of the runs, and what is this view's own.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { RUNS } from "../../shared/look";
import type { Bridge } from "../../shared/model";
import { byName } from "../../shared/traits";
import { charting } from "./charting";
import { longest } from "./clock";
import { HeldMaps } from "./held_maps";
import { HeldWeights } from "./held_weights";
import { KeptReplies } from "./kept_replies";
import { createLooks } from "./looks";
import { lastUntil, lowerBound, nearest, union } from "./sorted";
import { Store } from "./store";
import type { Clock, Finding, Quantity, Run, Series } from "./types";

/** The traits that are written here. */
interface Written {
  /** Index of the run whose layers and snapshots are looked at. */
  run: Signal<number>;
  layer: Signal<string>;
  quantity: Signal<Quantity>;
  pinned: Signal<number | null>;
  follow: Signal<boolean>;
  smoothing: Signal<number>;
  log_y: Signal<boolean>;
  x: Signal<Clock>;
}

const WRITTEN = "run layer quantity pinned follow smoothing log_y x";
const ALONE = ["replay", "disconnected", "gone"];

export function createState(bridge: Bridge) {
  const t = byName<Written>(WRITTEN, (name) => bridge.trait(name));
  const runs = bridge.read<Run[]>("_runs");
  const chosen = bridge.trait<number>("step");
  const store = new Store(bridge, runs);
  const run = computed(() => runs.value[t.run.value] ?? runs.value[0]);
  const stops = computed(() => stopsOf(store, run.value));
  const paths = computed(() => pathsOf(store, run.value, stops.value));
  const span = computed(() => spanOf(paths.value));
  const step = computed(() => (t.follow.value && span.value ? span.value[1] : chosen.value));
  const indices = computed(() => new Map(runs.value.map(({ id }, i) => [id, i])));
  const columns = computed(() => columnsOf(runs));
  const colorOf = (id: string): string =>
    RUNS[(indices.value.get(id) ?? 0) % RUNS.length] as string;
  const charts = charting({ store, runs, run, x: t.x, colorOf });
  /** Goes to a step, and stays there. */
  const go = (to: number): void => {
    t.follow.value = false;
    chosen.value = to;
  };
  /** Goes to the nearest step of which anything is held. */
  const goNear = (to: number): void => {
    const near = paths.value.map((steps) => steps[nearest(steps, to)] as number);
    near.sort((a, b) => Math.abs(a - to) - Math.abs(b - to));
    if (near[0] !== undefined) go(near[0]);
  };
  return {
    ...t,
    ...charts,
    bridge,
    store,
    runs,
    /** The chosen run; undefined where there is none. */
    run,
    /** Chooses a run by its place. */
    choose: (index: number) => {
      t.run.value = index;
    },
    /** Where keys stop: recorded steps of the layers and snapshots of the chosen run, ascending. */
    stops,
    /** First and last step of all that is held of the chosen run; undefined where nothing is. */
    span,
    step: step as ReadonlySignal<number>,
    go,
    goNear,
    /** The same by a place on the horizontal axis. */
    goTo: (x: number) => goNear(charts.hands.value?.step(x) ?? x),
    /** Goes on by so many of these steps, or back; by stops, if none are given. */
    leap(by: number, all: readonly number[] = stops.value): void {
      const at = step.value;
      const next = by > 0 ? lastUntil(all, at) + by : lowerBound(all, at) + by;
      const to = all[Math.min(all.length - 1, Math.max(0, next))] as number;
      if (by > 0 ? to > at : to < at) go(to);
    },
    /** The first step from `at` on of which anything is held; the last one at most. */
    stepAfter: (at: number): number =>
      Math.min(
        ...paths.value.map((steps) => steps[lowerBound(steps, at)] ?? Number.POSITIVE_INFINITY),
        span.value?.[1] ?? at,
      ),
    /** Goes to where a finding is. */
    visit({ id }: Run, { step: to, layer }: Finding): void {
      t.run.value = runs.value.findIndex((one) => one.id === id);
      if (layer !== null) t.layer.value = layer;
      go(to);
    },
    looks: createLooks(),
    maps: new HeldMaps(bridge),
    weights: new HeldWeights(bridge),
    replies: new KeptReplies(bridge),
    /** Without a kernel nothing can be controlled, and only what is held can be seen. */
    alone: computed(() => ALONE.includes(bridge.status.value)),
    failed: signal<string | undefined>(undefined),
    error: bridge.read<string | null>("_error"),
    /** One quantity of one layer of a run; follows the news where it is read in a component. */
    series(id: string, layer: string, quantity: Quantity): Series | undefined {
      const index = columns.value.get(`${id} ${quantity} ${layer}`);
      return index === undefined ? undefined : store.of(id)?.series(index);
    },
    /** The nearest recorded row to a step; −1 where none is. */
    rowAt: (id: string, to: number): number => nearest(store.of(id)?.steps ?? [], to),
    colorOf,
  };
}

/** "run quantity layer" → its column in the run's table. */
function columnsOf(runs: ReadonlySignal<readonly Run[]>): Map<string, number> {
  return new Map(
    runs.value.flatMap(({ id, keys }) =>
      keys.map(([layer, quantity], i) => [`${id} ${quantity} ${layer}`, i] as const),
    ),
  );
}

/** Recorded rows, snapshots and logged pictures; of a run that has none, the points of its longest curve. */
function stopsOf(store: Store, run: Run | undefined): number[] {
  const held = run && store.of(run.id);
  const pictures = Object.values(run?.images ?? {}).flat();
  const taken = new Set([...(run?.snapshots.steps ?? []), ...pictures].sort((a, b) => a - b));
  const recorded = union(held?.steps ?? [], [...taken]);
  if (recorded.length || !held) return recorded;
  return [...(longest(held.curves)?.steps ?? [])];
}

/** The steps of which something is held: of the longest curve, and the stops. */
function pathsOf(store: Store, run: Run | undefined, stops: readonly number[]) {
  const curve = longest((run && store.of(run.id)?.curves) ?? []);
  return [curve?.steps ?? [], stops].filter(({ length }) => length);
}

function spanOf(paths: readonly ArrayLike<number>[]): readonly [number, number] | undefined {
  if (!paths.length) return undefined;
  const firsts = paths.map((steps) => steps[0] as number);
  const lasts = paths.map((steps) => steps[steps.length - 1] as number);
  return [Math.min(...firsts), Math.max(...lasts)];
}

export type State = ReturnType<typeof createState>;

const Context = createContext<State | null>(null);
export const StateProvider = Context.Provider;
export const useMonitor = (): State => useContext(Context) as State;
