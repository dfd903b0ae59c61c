// What is looked at, and how the keys lead to something else.
import { handled } from "../../shared/keys";
import type { State } from "./state";
import type { Quantity, Run } from "./types";

/** How figures are used, in which up and down lead through these. */
export const hint = (rows: string): string =>
  `The line is the step, a dashed one the pinned step. Point at a figure to read it, press to go to a step; arrow keys in it lead through steps and ${rows}.`;
export const HINT = hint("layers");

/** Steps that the Shift key leaps over. */
const LEAP = 10;

/** The layers that have something of a quantity. */
export function layersWith(run: Run | undefined, quantity: Quantity): string[] {
  const having = new Set(run?.keys.flatMap(([layer, q]) => (q === quantity ? layer : [])));
  return run?.layers.filter((name) => having.has(name)) ?? [];
}

/** The layer that is looked at: the chosen one, or the first that the run has. */
export function layerOf({ run, layer, quantity }: State): string {
  const names = run.value?.layers ?? [];
  if (names.includes(layer.value)) return layer.value;
  return layersWith(run.value, quantity.value)[0] ?? names[0] ?? "";
}

/** Arrow keys in a figure: left and right lead through its steps, or all, up and down through the layers. */
export function walk(
  state: State,
  event: KeyboardEvent,
  layers: readonly string[] = [],
  steps: readonly number[] = state.stops.value,
): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const by = event.shiftKey ? LEAP : 1;
  const all = steps.length;
  const along = { ArrowLeft: -by, ArrowRight: by, Home: -all, End: all }[event.key];
  const down = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (along) state.leap(along, steps);
  else if (down !== undefined && layers.length) {
    const to = layers.indexOf(layerOf(state)) + down;
    state.layer.value = layers[Math.min(layers.length - 1, Math.max(0, to))] as string;
  } else return;
  handled(event);
}
