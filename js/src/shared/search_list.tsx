import type { ComponentChildren, Ref } from "preact";
export interface SearchListProps<T> {
  /** What is listed: "Layers". */
  label: string;
  items: readonly T[];
  /** Whether an item answers a query (lower case, trimmed, not empty). */
  filter: (item: T, query: string) => boolean;
  /** Index into `items`. */
  selected: number | null;
  onSelect: (index: number) => void;
  renderItem: (item: T, index: number) => ComponentChildren;
  /** Accessible name of a row, when what it renders does not read well. */
  text?: (item: T) => string;
  /** Heading above the first of a run of items with the same group. */
  group?: (item: T) => string;
  /** Groups folded away while nothing is searched for. */
  folded?: ReadonlySet<string>;
  onFold?: (group: string) => void;
  /** The search field, to focus it. */
  inputRef?: Ref<HTMLInputElement>;
}
export function SearchList<T>(p: SearchListProps<T>) {
  return <div class="cnnw-list">{p.label}</div>;
}
