// What one view shows: the synced traits, what follows from them, and what is this view's own.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { lasting } from "../../shared/lasting";
import type { Bridge } from "../../shared/model";
import { byName } from "../../shared/traits";
import type { Pixel } from "../../shared/viewport";
import { unpack } from "../../shared/wire";
import { complaint, HeldMaps } from "./held";
import type {
  Asked,
  Cut,
  Judged,
  Likely,
  Made,
  Method,
  NoiseMaps,
  Part,
  Picture,
  Reduction,
  Scaling,
} from "./types";
import { viewsOf } from "./views";

/** What maps of one pass wait for before they are computed anew, so that a choice may be passed over (ms). */
const SETTLED = 250;

const idOf = (method: string, target: number, randomised: boolean) =>
  `${method}:${target}:${randomised ? "random" : "trained"}`;

const matches = (made: Made, wanted: Partial<Asked>) =>
  Object.entries(wanted).every(([name, value]) => made[name as keyof Asked] === value);

/** The traits that are written here. */
interface Written {
  method: Signal<string>;
  compare: Signal<string[]>;
  target: Signal<number>;
  against: Signal<number | null>;
  randomised: Signal<boolean>;
  measure: Signal<string>;
  samples: Signal<number>;
  noise: Signal<number>;
  baseline: Signal<string | number>;
  cam_layer: Signal<string | null>;
  window: Signal<number>;
  stride: Signal<number>;
  fill: Signal<string | number>;
  reduction: Signal<Reduction>;
  part: Signal<Part>;
  percentile: Signal<number>;
  scale: Signal<Scaling>;
  overlay: Signal<number>;
}

/** Those that only the kernel writes. */
interface Told {
  progress: ReadonlySignal<number>;
  running: ReadonlySignal<boolean>;
  classes: ReadonlySignal<string[]>;
  likely: ReadonlySignal<Likely[]>;
  network: ReadonlySignal<string>;
  layers: ReadonlySignal<string[]>;
  methods: ReadonlySignal<Method[]>;
  /** Measure → what it is called. */
  words: ReadonlySignal<Record<string, string>>;
  maps: ReadonlySignal<Made[]>;
  curves: ReadonlySignal<Judged | null>;
  cut: ReadonlySignal<Cut | null>;
  sheet: ReadonlySignal<NoiseMaps | null>;
  error: ReadonlySignal<string | null>;
  picture: ReadonlySignal<Picture>;
}

const WRITTEN =
  "method compare target against randomised measure samples noise baseline cam_layer window stride fill reduction part percentile scale overlay";
const TOLD =
  "progress running _classes _likely _network _layers _methods _words _maps _curves _cut _sheet _error _picture";

export function createState(bridge: Bridge) {
  const t = {
    ...byName<Written>(WRITTEN, (name) => bridge.trait(name)),
    ...byName<Told>(TOLD, (name) => bridge.read(name)),
  };
  const pixels = computed(() => unpack(t.picture.value.picture));
  const asked = computed<Asked[]>(() => {
    const { value: target } = t.target;
    const { value: other } = t.against;
    return [...new Set([t.method.value, ...t.compare.value])].flatMap((method) => {
      const of = (index: number, randomised: boolean) => ({
        id: idOf(method, index, randomised),
        ...{ method, target: index, randomised },
      });
      const shown = [of(target, false)];
      if (other !== null && other !== target) shown.push(of(other, false));
      if (t.randomised.value) shown.push(of(target, true));
      return shown;
    });
  });
  const byId = computed(() => new Map(t.maps.value.map((one) => [one.id, one])));
  const held = new HeldMaps(bridge, t.maps, asked);
  const fresh = (made: Made) =>
    made.key === t.picture.value.key &&
    Object.entries(made.settings).every(
      ([name, value]) => JSON.stringify(settingOf(t, name)) === JSON.stringify(value),
    );
  const missing = computed(() =>
    asked.value.filter(({ id }) => {
      const made = byId.value.get(id);
      return !made || !fresh(made) || (!made.error && made.done < made.total);
    }),
  );
  /** Computed in vain with these settings. */
  const refused = computed(() =>
    asked.value.filter(({ id }) => {
      const made = byId.value.get(id);
      return made?.error && fresh(made);
    }),
  );
  const alone = computed(() => ["replay", "disconnected", "gone"].includes(bridge.status.value));
  const state = {
    ...t,
    bridge,
    pixels,
    size: computed(() => {
      const [height = 1, width = 1] = pixels.value.shape;
      return { height, width };
    }),
    asked,
    held,
    missing,
    refused,
    alone,
    /** Can it be shown? Without a kernel only what was computed can. */
    offers: (wanted: Partial<Asked>) =>
      !alone.value || t.maps.value.some((made) => !made.error && matches(made, wanted)),
    /** Whether the network gives a single number. */
    single: computed(() => t.classes.value.length === 1),
    views: computed(() =>
      viewsOf({
        asked: asked.value,
        made: (id) => byId.value.get(id),
        values: (id) => held.values(id),
        current: fresh,
        looks: {
          reduction: t.reduction.value,
          part: t.part.value,
          percentile: t.percentile.value,
          scale: t.scale.value,
          against: t.against.value === t.target.value ? null : t.against.value,
        },
      }),
    ),
    /** The pixel that is read in every map. */
    cursor: signal<Pixel | null>(null),
    failed: signal<string | undefined>(undefined),
  };
  computeCheap(state);
  return state;
}

export type State = ReturnType<typeof createState>;

export const settingOf = (t: object, name: string): unknown =>
  (t as Record<string, Signal<unknown>>)[name]?.value;

export const methodOf = ({ methods }: State, key: string): Method =>
  methods.value.find((one) => one.key === key) as Method;

export function run(state: State, ids?: string[]): void {
  state.failed.value = undefined;
  state.bridge
    .request("run", ids ? { ids } : {}, { signal: state.bridge.signal })
    .catch((error) => (state.failed.value = complaint(error)));
}

/** Maps of a single pass are computed without asking. */
function computeCheap(state: State): void {
  const { bridge, missing, running, alone, methods } = state;
  lasting(bridge.signal, () => {
    const cheap = methods.value.filter((one) => one.at_once).map(({ key }) => key);
    const ids = missing.value.filter(({ method }) => cheap.includes(method)).map(({ id }) => id);
    if (!ids.length || running.value || alone.value) return undefined;
    const timer = setTimeout(() => run(state, ids), SETTLED);
    return () => clearTimeout(timer);
  });
}

const Context = createContext<State | null>(null);
export const StateProvider = Context.Provider;
export const useViewer = (): State => useContext(Context) as State;
