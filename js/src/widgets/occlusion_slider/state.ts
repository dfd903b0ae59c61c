// What one view shows: the synced traits, what follows from them, and what is this view's own.
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { lasting } from "../../shared/lasting";
import type { Bridge } from "../../shared/model";
import { type Tensor, unpack } from "../../shared/wire";
import { Probe, type Question, same } from "./probe";
import { cellAt, rowsAt, type Shows, type Size, type Sweep } from "./sweep";
import type { Box, ClassRow, Fill, Measure, Picture, Place, SweepValue } from "./types";

export interface State {
  bridge: Bridge;
  window: Signal<number>;
  stride: Signal<number>;
  fill: Signal<Fill>;
  target: Signal<number>;
  measure: Signal<Measure>;
  /** What of a class may be followed. */
  measures: ReadonlySignal<readonly Measure[]>;
  /** What a reader must know of the network's outputs; may be empty. */
  note: ReadonlySignal<string>;
  progress: ReadonlySignal<number>;
  running: ReadonlySignal<boolean>;
  classes: ReadonlySignal<string[]>;
  network: ReadonlySignal<string>;
  error: ReadonlySignal<string | null>;
  name: ReadonlySignal<string>;
  picture: ReadonlySignal<Tensor>;
  /** What the patch shows, as a whole picture, and what it is called. */
  filled: ReadonlySignal<Tensor>;
  filledWith: ReadonlySignal<Fill>;
  size: ReadonlySignal<Size>;
  /** Where the reader put the patch, and where it is while a cell is pointed at. */
  home: Signal<Place>;
  peek: Signal<Place | null>;
  place: ReadonlySignal<Place>;
  probe: Probe;
  sweep: ReadonlySignal<Sweep | null>;
  /** Whether the sweep is of the patch, the picture and the weights shown. */
  live: ReadonlySignal<boolean>;
  shows: Signal<Shows>;
  opacity: Signal<number>;
  /** Patches that stay, beside the one that is moved. */
  kept: Signal<readonly Box[]>;
  /** Whether nobody answers: then the sweep does. */
  alone: ReadonlySignal<boolean>;
  /** Whether the network gives a single number, which is no probability. */
  single: ReadonlySignal<boolean>;
  failed: Signal<string | undefined>;
}

export function createState(bridge: Bridge): State {
  const shown = bridge.read<Picture>("_picture");
  const fillings = bridge.read<{ fill: Fill; picture: DataView }>("_filled");
  const window = bridge.trait<number>("window");
  const fill = bridge.trait<Fill>("fill");
  const kept = bridge.trait<readonly Box[]>("kept");
  const target = bridge.trait<number>("target");
  const classes = bridge.read<string[]>("_classes");
  const picture = computed(() => unpack(shown.value.picture));
  const size = computed(() => {
    const [height = 1, width = 1] = picture.value.shape;
    return { height, width };
  });
  const { home, move } = homeOf(bridge);
  const peek = signal<Place | null>(null);
  const place = computed(() => peek.value ?? home.value);
  const question = computed<Question>(() => ({
    key: shown.value.key,
    row: place.value.row,
    column: place.value.column,
    window: window.value,
    fill: fill.value,
    kept: kept.value,
    target: target.value,
  }));
  const rows = bridge.read<ClassRow[]>("probabilities");
  const probe = new Probe(bridge, { question: question.peek(), rows: rows.peek() }, move);
  const sweep = sweepOf(bridge);
  const live = computed(() => {
    const { key, window: edge, fill: of, kept: beside } = sweep.value ?? {};
    const { value: now } = question;
    const alike = key === now.key && edge === now.window && of === now.fill;
    return alike && `${beside}` === `${now.kept}`;
  });
  const alone = computed(() => ["replay", "disconnected", "gone"].includes(bridge.status.value));
  lasting(bridge.signal, () => {
    const now = question.value;
    if (same(now, probe.answer.peek().question)) return;
    const cell = sweep.value && live.value ? cellAt(sweep.value, now) : -1;
    if (!alone.value) probe.want(now);
    else if (sweep.value && cell >= 0) {
      probe.know({ question: now, rows: rowsAt(sweep.value, cell) });
      move(now, 0);
    }
  });
  return {
    bridge,
    window,
    stride: bridge.trait("stride"),
    fill,
    target,
    measure: bridge.trait("measure"),
    measures: bridge.read("_measures"),
    note: bridge.read("_note"),
    progress: bridge.read("progress"),
    running: bridge.read("running"),
    classes,
    network: bridge.read("_network"),
    error: bridge.read("_error"),
    name: computed(() => shown.value.name),
    picture,
    filled: computed(() => unpack(fillings.value.picture)),
    filledWith: computed(() => fillings.value.fill),
    size,
    home,
    peek,
    place,
    probe,
    sweep,
    live,
    shows: signal<Shows>("score"),
    opacity: signal(0.75),
    kept,
    alone,
    single: computed(() => classes.value.length === 1),
    failed: signal(undefined),
  };
}

/** How long a message is on its way to the kernel and back, about (ms). */
const ON_ITS_WAY = 8;

/**
 * Where the patch stands: of the kernel's making, or of the reader's. Of the reader's steps the kernel
 * is told when the answer about one should be on its way: a server that waits for an acknowledgement
 * before it sends a second small packet (Nagle, 40 ms) gets it with this message.
 */
function homeOf(bridge: Bridge) {
  const row = bridge.trait<number>("row");
  const column = bridge.trait<number>("column");
  const home = signal<Place>({ row: row.peek(), column: column.peek() });
  let told = home.peek();
  lasting(bridge.signal, () => {
    const place = { row: row.value, column: column.value };
    if (place.row !== told.row || place.column !== told.column) home.value = place;
  });
  let telling = false;
  const tell = () => {
    telling = false;
    batch(() => {
      row.value = told.row;
      column.value = told.column;
    });
  };
  const move = (to: Place, wait: number) => {
    told = to;
    if (!telling) setTimeout(tell, wait + ON_ITS_WAY);
    telling = true;
  };
  return { home, move };
}

/** The last sweep: as the kernel left it, or as it comes in. */
function sweepOf(bridge: Bridge): ReadonlySignal<Sweep | null> {
  const left = bridge.read<(SweepValue & { scores: DataView }) | null>("_sweep");
  const running = bridge.read<boolean>("running");
  const sweep = signal<Sweep | null>(null);
  lasting(bridge.signal, () => {
    const { value } = left;
    sweep.value = value && { ...value, scores: unpack(value.scores) };
  });
  bridge.frames("sweep", (value, [scores]) => {
    // A frame that was held up may come after the end.
    if (scores && running.peek()) sweep.value = { ...(value as SweepValue), scores };
  });
  return sweep;
}

/** Leaves a patch where the one that is moved is; where nobody can tell what that does, just stays there. */
export function keep(state: State): void {
  const { kept, place, window, alone } = state;
  const { row, column } = place.peek();
  const box: Box = [row, column, window.peek()];
  if (alone.peek()) put(state, place.peek(), window.peek());
  else kept.value = [...without(kept.peek(), box), box];
}

/** Takes a kept patch away. */
export function drop({ kept, alone }: State, box: Box | undefined): void {
  if (box && !alone.peek()) kept.value = without(kept.peek(), box);
}

const without = (boxes: readonly Box[], box: Box) => boxes.filter((one) => `${one}` !== `${box}`);

/** Puts the patch somewhere, as near as it may stand. */
export function put({ home, peek, size }: State, { row, column }: Place, edge: number): void {
  const within = (to: number, length: number) =>
    Math.min(Math.max(0, Math.round(to)), Math.max(0, length - edge));
  peek.value = null;
  home.value = {
    row: within(row, size.value.height),
    column: within(column, size.value.width),
  };
}

const Context = createContext<State | null>(null);
export const StateProvider = Context.Provider;
export const useSlider = (): State => useContext(Context) as State;
