// What one view shows: the synced traits, what is held of the runs, and what is this view's own.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { RUNS } from "../../shared/look";
import type { Bridge } from "../../shared/model";
import { charting } from "./charting";
import { longest } from "./clock";
import { HeldMaps } from "./held_maps";
import { KeptReplies } from "./kept_replies";
import { createLooks } from "./looks";
import { nearest, union } from "./sorted";
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

const WRITTEN = "run layer quantity pinned follow smoothing log_y x".split(" ");
const ALONE = ["replay", "disconnected", "gone"];

export function createState(bridge: Bridge) {
  const t = Object.fromEntries(
    WRITTEN.map((name) => [name, bridge.trait(name)]),
  ) as never as Written;
  const runs = bridge.read<Run[]>("_runs");
  const chosen = bridge.trait<number>("step");
  const store = new Store(bridge, runs);
  const run = computed(() => runs.value[t.run.value] ?? runs.value[0]);
  const stops = computed(() => stopsOf(store, run.value));
  const step = computed(() =>
    t.follow.value ? (stops.value.at(-1) ?? chosen.value) : chosen.value,
  );
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
    /** Everything that can be scrubbed to: recorded steps and snapshots of the chosen run, ascending. */
    stops,
    step: step as ReadonlySignal<number>,
    go,
    /** Goes to the recorded step nearest to a place on the horizontal axis. */
    goTo(x: number): void {
      const to = stops.value[nearest(stops.value, charts.hands.value?.step(x) ?? x)];
      if (to !== undefined) go(to);
    },
    /** Goes to where a finding is. */
    visit({ id }: Run, { step: to, layer }: Finding): void {
      t.run.value = runs.value.findIndex((one) => one.id === id);
      if (layer !== null) t.layer.value = layer;
      go(to);
    },
    looks: createLooks(),
    maps: new HeldMaps(bridge),
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

/** Recorded rows and snapshots; of a run that has neither, the points of its longest curve. */
function stopsOf(store: Store, run: Run | undefined): number[] {
  const held = run && store.of(run.id);
  const recorded = union(held?.steps ?? [], run?.snapshots.steps ?? []);
  if (recorded.length || !held) return recorded;
  return [...(longest(held.curves)?.steps ?? [])];
}

export type State = ReturnType<typeof createState>;

const Context = createContext<State | null>(null);
export const StateProvider = Context.Provider;
export const useMonitor = (): State => useContext(Context) as State;
