// What one view of the browser shows: the synced traits, what follows from them, and what is this view's own.
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useLayoutEffect } from "preact/hooks";
import type { Bridge } from "../../shared/model";
import { type Tensor, unpack } from "../../shared/wire";
import { nextRange, type Order } from "./channels";
import { type Group, groupLayers, isOpen, search } from "./groups";
import { Resources, type Source } from "./resources";
import type {
  Choice,
  ColorRange,
  Graph,
  Layer,
  Of,
  Picture,
  Predictions,
  Slot,
  View,
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

export interface State {
  bridge: Bridge;
  resources: Resources;
  graph: ReadonlySignal<Graph | null>;
  predictions: ReadonlySignal<Partial<Record<Slot, Predictions | null>> | null>;
  choices: ReadonlySignal<Choice[] | null>;
  classes: ReadonlySignal<string[] | null>;
  error: ReadonlySignal<string | null>;
  layerName: Signal<string | null>;
  channel: Signal<number>;
  view: Signal<View>;
  colorRange: Signal<ColorRange>;
  unit: Signal<[number, number] | null>;
  target: Signal<number | null>;
  /** Place of the chosen layer in the graph; −1 when there is none. */
  index: ReadonlySignal<number>;
  layer: ReadonlySignal<Layer | undefined>;
  groups: ReadonlySignal<Group[]>;
  found: ReadonlySignal<number[] | null>;
  /** The view that this layer can show. */
  actualView: ReadonlySignal<View>;
  of: ReadonlySignal<Of>;
  shown: ReadonlySignal<Shown[]>;
  sources: ReadonlySignal<Source[]>;
  order: Signal<Order>;
  /** Edge of a tile, CSS pixels. */
  tile: Signal<number>;
  enlarged: Signal<boolean>;
  query: Signal<string>;
  root: { current: HTMLElement | null };
  searchField: { current: HTMLInputElement | null };
  toggled: Signal<ReadonlyMap<number, boolean>>;
  pins: Signal<readonly Pin[]>;
  /** The picture that choosing and dropping replace. */
  slot: Signal<Slot>;
  helping: Signal<boolean>;
  notice: Signal<string | undefined>;
  /** Maps the open view's order of channels, for the arrow keys. */
  channels: Signal<readonly number[]>;
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

export function createState(bridge: Bridge): State {
  const graph = bridge.read<Graph | null>("_graph");
  const pictures = bridge.read<Partial<Record<Slot, Picture | null>> | null>("_pictures");
  const layerName = bridge.trait<string | null>("layer");
  const view = bridge.trait<View>("view");
  const target = bridge.trait<number | null>("target");
  const unit = bridge.trait<[number, number] | null>("unit");
  const query = signal("");
  const toggled = signal<ReadonlyMap<number, boolean>>(new Map());
  const layers = computed(() => graph.value?.layers ?? []);
  const index = computed(() => {
    const at = layers.value.findIndex(({ name }) => name === layerName.value);
    return at < 0 && layers.value.length ? 0 : at;
  });
  const layer = computed(() => layers.value[index.value]);
  const actualView = computed<View>(() =>
    layer.value && viewsOf(layer.value).includes(view.value) ? view.value : "maps",
  );
  const of = computed<Of>(() => (actualView.value === "gradients" ? "gradients" : "activations"));
  const shown = computed(() =>
    (["a", "b"] as const).flatMap((slot): Shown[] => {
      const picture = pictures.value?.[slot];
      return picture ? [{ ...picture, slot, picture: unpack(picture.picture) }] : [];
    }),
  );
  const enlarged = signal(unit.peek() !== null);
  const stop = effect(() => {
    if (unit.value) enlarged.value = true;
  });
  bridge.signal.addEventListener("abort", stop);
  return {
    bridge,
    resources: new Resources(bridge, () => shown.value[0]?.key),
    graph,
    predictions: bridge.read("_predictions"),
    choices: bridge.read("_choices"),
    classes: bridge.read("_classes"),
    error: bridge.read("_error"),
    layerName,
    channel: bridge.trait("channel"),
    view,
    colorRange: bridge.trait("color_range"),
    unit,
    target,
    index,
    layer,
    groups: computed(() => groupLayers(layers.value)),
    found: computed(() => search(layers.value, query.value)),
    actualView,
    of,
    shown,
    sources: computed(() =>
      shown.value.map(({ slot, key }) => ({
        slot,
        key,
        layer: layer.value?.name ?? "",
        of: of.value,
        ...(of.value === "gradients" && { target: target.value }),
      })),
    ),
    order: signal<Order>("index"),
    tile: signal(88),
    enlarged,
    query,
    root: { current: null },
    searchField: { current: null },
    toggled,
    pins: signal<readonly Pin[]>([]),
    slot: signal<Slot>("a"),
    helping: signal(false),
    notice: signal<string | undefined>(undefined),
    channels: signal<readonly number[]>([]),
  };
}

const Context = createContext<State | null>(null);
export const StateProvider = Context.Provider;
export const useBrowser = (): State => useContext(Context) as State;

/** What had the focus goes with the view: the keys must go on working. */
export function useKeptFocus(): void {
  const { root } = useBrowser();
  useLayoutEffect(
    () => () => {
      if (root.current?.querySelector(".cnnw-lb-panel :focus")) focusRoot(root);
    },
    [],
  );
}

export const focusRoot = ({ current }: State["root"]): void =>
  current?.focus({ preventScroll: true });

/** Are the units of the layer at a place in the graph the classes? Nothing is learned after them. */
export function areClasses({ graph }: State, at: number): boolean {
  const [layer, ...later] = graph.value?.layers.slice(at) ?? [];
  return layer?.shape?.length === 1 && later.every(({ parameters }) => !parameters);
}

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

export function cycleRange(state: State): void {
  state.colorRange.value = nextRange(state.colorRange.value);
}
