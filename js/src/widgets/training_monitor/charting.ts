// What the charts have in common: the runs drawn, their clock, the stretch shown, where is pointed at.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Hands, handsOf } from "./clock";
import { groupsOf } from "./groups";
import type { Source } from "./lines";
import type { Store } from "./store";
import type { Clock, Run } from "./types";

const CLOCKS: Clock[] = ["step", "epoch", "seconds"];

interface Given {
  store: Store;
  runs: ReadonlySignal<readonly Run[]>;
  run: ReadonlySignal<Run | undefined>;
  x: Signal<Clock>;
  colorOf: (id: string) => string;
}

export function charting({ store, runs, run, x, colorOf }: Given) {
  const hidden = signal<ReadonlySet<string>>(new Set());
  const shown = computed(() => runs.value.filter(({ id }) => !hidden.value.has(id)));
  const handsOfRun = (id: string | undefined): Hands | undefined => {
    const held = id === undefined ? undefined : store.of(id);
    return held && handsOf(held, x.value);
  };
  const sources = computed(() =>
    shown.value.flatMap((one): (Source & { name: string })[] => {
      const hands = handsOfRun(one.id);
      const curves = store.of(one.id)?.curves ?? [];
      if (!hands) return [];
      const color = colorOf(one.id);
      return curves.map((curve) => ({ name: curve.name, run: one, color, hands, curve }));
    }),
  );
  return {
    /** Runs that are not drawn. */
    hidden,
    shown,
    toggle(id: string): void {
      const now = new Set(hidden.peek());
      if (!now.delete(id)) now.add(id);
      hidden.value = now;
    },
    /** Every curve drawn, of every run shown. */
    sources,
    /** Titles of the charts. */
    charts: computed(() => groupsOf(sources.value).map(({ title }) => title.toLowerCase())),
    /** The clock of a run, and that of the chosen one. */
    handsOf: handsOfRun,
    hands: computed(() => handsOfRun(run.value?.id)),
    /** The clocks that some run has. */
    clocks: computed(() =>
      CLOCKS.filter((clock) =>
        runs.value.some(({ id }) => {
          const held = store.of(id);
          return held && handsOf(held, clock);
        }),
      ),
    ),
    /** Runs shown that lack the chosen clock. */
    clockless: computed(() =>
      shown.value.filter(({ id }) => store.of(id) && !handsOfRun(id)).map(({ name }) => name),
    ),
    /** The stretch of the horizontal axis that is shown; null: all of it. */
    zoom: signal<readonly [number, number] | null>(null),
    /** Where on the horizontal axis is pointed at. */
    hover: signal<number | null>(null),
  };
}
