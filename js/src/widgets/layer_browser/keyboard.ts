// The keys of the whole widget. Grids and pictures have arrow keys of their own.

export type Action =
  | "previousChannel"
  | "nextChannel"
  | "previousLayer"
  | "nextLayer"
  | "enlarge"
  | "back"
  | "search"
  | "pin"
  | "range"
  | "help";

const KEYS: Record<string, Action> = {
  ArrowLeft: "previousChannel",
  ArrowRight: "nextChannel",
  PageUp: "previousLayer",
  PageDown: "nextLayer",
  Enter: "enlarge",
  Escape: "back",
  "/": "search",
  p: "pin",
  c: "range",
  "?": "help",
};

export const HELP: readonly [string, string][] = [
  ["← → ↑ ↓", "Choose another channel; in an enlarged map, move over its units"],
  ["Page Up, Page Down", "Previous and next layer"],
  ["Enter", "Enlarge the chosen channel; in an enlarged map, open the unit's receipt"],
  ["Esc", "Back"],
  ["/", "Search the layers by name or kind"],
  ["p", "Pin the chosen channel: keep it beside whatever you look at next; again lets it go"],
  ["c", "Colour range: per channel, per layer, whole network"],
  ["?", "This list"],
];

export interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** What a key press means, where the focus being in `tag` (upper case) leaves it a meaning. */
export function actionOf(event: Key, tag: string): Action | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const action = KEYS[event.key];
  const writes = tag === "INPUT" || tag === "TEXTAREA" || tag === "SELECT";
  if (writes && action !== "back") return undefined;
  if (action === "enlarge" && (tag === "BUTTON" || tag === "SUMMARY")) return undefined;
  return action;
}
