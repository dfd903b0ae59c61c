// What one view of the browser shows: the synced traits, what follows from them, and what is this view's own.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useLayoutEffect } from "preact/hooks";
import { lasting } from "../../shared/lasting";
import type { Bridge } from "../../shared/model";
import { byName } from "../../shared/traits";
import { type Tensor, unpack } from "../../shared/wire";
import { nextRange, type Order } from "./channels";
import { type Group, groupLayers, isOpen, search } from "./groups";
import { Resources, type Source } from "./resources";
import {
  type Choice,
  type ColorRange,
  type Graph,
  type Layer,
  type Of,
  type Picture,
  type Predictions,
  SLOTS,
  type Slot,
  type View,
} from "./types";

export interface Shown extends Omit<Picture, "picture"> {
  slot: Slot;
  picture: Tensor;
}

export interface Pin {
  source: Source;
  channel: number;
  /** Name of the picture it was pinned with. */
  picture: string;
  map: Tensor;
}

export const viewsOf = (layer: Layer): View[] => {
  const spatial = layer.shape && layer.shape.length > 1;
  return [
    "maps",
    ...(spatial ? (["mean"] as const) : []),
    ...(layer.filters ? (["filters"] as const) : []),
    "gradients",
  ];
};

type Slots<T> = Partial<Record<Slot, T | null>> | null;

/** The traits that only the kernel writes. */
interface Told {
  graph: ReadonlySignal<Graph | null>;
  pictures: ReadonlySignal<Slots<Picture>>;
  predictions: ReadonlySignal<Slots<Predictions>>;
  choices: ReadonlySignal<Choice[] | null>;
  classes: ReadonlySignal<string[] | null>;
  error: ReadonlySignal<string | null>;
}

/** The traits that are written here under their own names. */
interface Written {
  channel: Signal<number>;
  view: Signal<View>;
  unit: Signal<[number, number] | null>;
  target: Signal<number | null>;
}

const WRITTEN = "channel view unit target";
const TOLD = "_graph _pictures _predictions _choices _classes _error";

/** What the kernel and all views of the widget know. */
const synced = (bridge: Bridge) => ({
  ...byName<Written>(WRITTEN, (name) => bridge.trait(name)),
  ...byName<Told>(TOLD, (name) => bridge.read(name)),
  layerName: bridge.trait<string | null>("layer"),
  colorRange: bridge.trait<ColorRange>("color_range"),
});

/** What is this view's own. */
const own = () => ({
  order: signal<Order>("index"),
  /** Edge of a tile, CSS pixels. */
  tile: signal(88),
  enlarged: signal(false),
  query: signal(""),
  root: { current: null as HTMLElement | null },
  searchField: { current: null as HTMLInputElement | null },
  toggled: signal<ReadonlyMap<number, boolean>>(new Map()),
  pins: signal<readonly Pin[]>([]),
  /** The picture that choosing and dropping replace. */
  slot: signal<Slot>("a"),
  helping: signal(false),
  notice: signal<string | undefined>(undefined),
  /** The open view's order of channels, for the arrow keys. */
  channels: signal<readonly number[]>([]),
});

type Held = ReturnType<typeof synced> & ReturnType<typeof own>;

/** What follows of the layers: which is chosen, how they are listed. */
function listed({ graph, layerName, view, query }: Held) {
  const layers = computed(() => graph.value?.layers ?? []);
  const index = computed(() => {
    const at = layers.value.findIndex(({ name }) => name === layerName.value);
    return at < 0 && layers.value.length ? 0 : at;
  });
  const layer = computed(() => layers.value[index.value]);
  return {
    layers,
    /** Place of the chosen layer in the graph; −1 when there is none. */
    index,
    layer,
    groups: computed(() => groupLayers(layers.value)),
    found: computed(() => search(layers.value, query.value)),
    /** The view that this layer can show. */
    actualView: computed<View>(() =>
      layer.value && viewsOf(layer.value).includes(view.value) ? view.value : "maps",
    ),
  };
}

/** What follows of the pictures: whose values are looked at. */
function looked({ pictures, target }: Held, { layer, actualView }: ReturnType<typeof listed>) {
  const of = computed<Of>(() => (actualView.value === "gradients" ? "gradients" : "activations"));
  const shown = computed(() =>
    SLOTS.flatMap((slot): Shown[] => {
      const picture = pictures.value?.[slot];
      return picture ? [{ ...picture, slot, picture: unpack(picture.picture) }] : [];
    }),
  );
  const sources = computed(() =>
    shown.value.map(
      ({ slot, key }): Source => ({
        slot,
        key,
        layer: layer.value?.name ?? "",
        of: of.value,
        ...(of.value === "gradients" && { target: target.value }),
      }),
    ),
  );
  return { of, shown, sources };
}

export function createState(bridge: Bridge) {
  const held = { ...synced(bridge), ...own() };
  const layers = listed(held);
  const pictures = looked(held, layers);
  lasting(bridge.signal, () => {
    if (held.unit.value) held.enlarged.value = true;
  });
  return {
    ...held,
    ...layers,
    ...pictures,
    bridge,
    resources: new Resources(bridge, () => pictures.shown.value[0]?.key),
  };
}

export type State = ReturnType<typeof createState>;

const Context = createContext<State | null>(null);
export const StateProvider = Context.Provider;
export const useBrowser = (): State => useContext(Context) as State;

/** What had the focus goes with the view: what comes in its place takes it over. */
export function useKeptFocus(): void {
  const { root } = useBrowser();
  useLayoutEffect(() => {
    if (root.current?.matches(":focus")) focusView(root);
    return () => {
      // :scope, since hosts have tab panels around the widget.
      if (root.current?.querySelector(":scope [role=tabpanel] :focus")) focusRoot(root);
    };
  }, []);
}

export const focusRoot = ({ current }: State["root"]): void =>
  current?.focus({ preventScroll: true });

/** The keys go to the grid or the map that is shown. */
export const focusView = ({ current }: State["root"]): void =>
  current
    ?.querySelector<HTMLElement>("[role=grid], [data-view=map] [role=application]")
    ?.focus({ preventScroll: true });

/** Are the units of the layer at a place in the graph the classes? Nothing is learned after them. */
export function areClasses({ graph }: State, at: number): boolean {
  const [layer, ...later] = graph.value?.layers.slice(at) ?? [];
  return layer?.shape?.length === 1 && later.every(({ parameters }) => !parameters);
}

/** What one number of a layer is: a class score has a name of its own. */
export function unitWord(state: State, layer: Layer | undefined): string {
  const at = layer ? state.layers.value.indexOf(layer) : -1;
  const scores = layer?.kind !== "softmax" && areClasses(state, at);
  return scores && state.predictions.value?.a?.rows ? "logit" : "unit";
}

/** Whose score the gradients are of. */
export const targetOf = ({ target, predictions }: State): number =>
  target.value ?? predictions.value?.a?.rows?.[0]?.index ?? 0;

/** Shows the layer at a place in the graph; of class scores the predicted one, else the same channel if it has it. */
export function choose(state: State, at: number): void {
  const { graph, layer: now, channel, unit, layerName, predictions } = state;
  const layer = graph.value?.layers[at];
  if (!layer || layer.name === now.value?.name) return;
  const [predicted] = (areClasses(state, at) && predictions.value?.a?.rows) || [];
  const wanted = predicted?.index ?? channel.value;
  channel.value = wanted < (layer.shape?.[0] ?? 1) ? wanted : 0;
  unit.value = null;
  layerName.value = layer.name;
}

/** The next layer in the strip's order, within what a search found. */
export function step(state: State, by: 1 | -1): void {
  const found = state.found.value;
  const at = state.index.value;
  const next = !found
    ? at + by
    : by > 0
      ? found.find((i) => i > at)
      : found.findLast((i) => i < at);
  if (next !== undefined) choose(state, next);
}

/** The channel `by` places further in the order shown; stays at the ends. */
export function stepChannel(state: State, by: number): void {
  const channels = state.channels.value;
  const next = channels[channels.indexOf(state.channel.value) + by];
  if (next !== undefined) state.channel.value = next;
}

/** Shows the chosen channel large. */
export function enlarge({ layer, view, actualView, enlarged }: State): void {
  if ((layer.value?.shape?.length ?? 0) < 2) return;
  if (actualView.value !== "gradients") view.value = "maps";
  enlarged.value = true;
}

export function toggle(state: State, group: Group): void {
  const total = state.graph.value?.layers.length ?? 0;
  const open = isOpen(group, state.index.value, state.toggled.value, total);
  state.toggled.value = new Map(state.toggled.value).set(group.first, !open);
}

export function back(state: State): void {
  if (state.helping.value) state.helping.value = false;
  else if (state.unit.value) state.unit.value = null;
  else if (state.enlarged.value) state.enlarged.value = false;
  else state.query.value = "";
}

export function cycleRange({ actualView, colorRange }: State): void {
  colorRange.value = nextRange(actualView.value, colorRange.value);
}
