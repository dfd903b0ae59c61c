// The keys of the whole widget.
import { control, nextOf, type State } from "./state";

export const HELP: readonly [string, string][] = [
  ["Space", "Run, pause, resume"],
  ["s", "One step of the ascent, while it does not run"],
  ["← →", "Look a step back or on, with Shift ten"],
  ["Page Up, Page Down", "Ten steps on or back"],
  ["Home, End", "The start picture, the newest"],
  ["p", "Play, or stop playing"],
  ["Enter", "On one of several pictures: show it large"],
  ["Esc", "All pictures again"],
  ["?", "This list"],
];

/** Steps that a key goes back or on. */
const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -1e9,
  End: 1e9,
};

const ACTIONS: Record<string, (state: State) => void> = {
  " ": (state) => control(state, nextOf(state)),
  s: (state) => !state.going.peek() && control(state, "step"),
  p: ({ playing }) => (playing.value = !playing.peek()),
  Escape: ({ enlarged }) => (enlarged.value = null),
  "?": ({ helping }) => (helping.value = true),
};

/** Elements that understand keys themselves. */
const WRITES = "input:not([type=range], [type=checkbox]), select, textarea, [role=listbox] *";
const PRESSED = "button, summary, [type=checkbox], [role=option]";

/** Does what a key says; returns whether it says something. */
export function press(event: KeyboardEvent, state: State): boolean {
  const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
  const on = event.target as Element;
  if (ctrlKey || metaKey || altKey || state.helping.peek() || on.closest(WRITES)) return false;
  const by = STEPS[key];
  if (by !== undefined && !on.closest("input")) {
    state.scrub(state.shown.peek() + by * (shiftKey ? 10 : 1));
    return true;
  }
  const action = key === " " && on.closest(PRESSED) ? undefined : ACTIONS[key];
  action?.(state);
  return !!action;
}
