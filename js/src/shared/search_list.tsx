// biome-ignore-all lint/a11y/useSemanticElements: options and groups of a listbox
import type { ComponentChildren, Ref } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { PlainButton } from "./button";
import { count } from "./format";
import { Icon } from "./icon";
import { handled, move, reveal } from "./keys";
import "./search_list.css";

export interface SearchListProps<T> {
  /** What is listed: "layers". */
  label: string;
  items: readonly T[];
  /** Whether an item answers a query (lower case, trimmed, not empty). */
  filter: (item: T, query: string) => boolean;
  /** Index into `items`. */
  selected: number | null;
  onSelect: (index: number) => void;
  renderItem: (item: T, index: number) => ComponentChildren;
  /** Accessible name of a row, when what it renders does not read well. */
  text?: ((item: T) => string) | undefined;
  /** Heading above the first of a run of items with the same group. */
  group?: ((item: T) => string) | undefined;
  /** Groups folded away while nothing is searched for. */
  folded?: ReadonlySet<string> | undefined;
  onFold?: ((group: string) => void) | undefined;
  /** The search field, to focus it. */
  inputRef?: Ref<HTMLInputElement> | undefined;
}

interface Run {
  name: string;
  rows: number[];
}

/** A list to search and choose from; arrow keys choose, Enter in the field takes the first match. */
export function SearchList<T>(p: SearchListProps<T>) {
  const { label, items } = p;
  const list = useRef<HTMLDivElement>(null);
  const found = useSearch(p);
  const { query, setQuery, wanted, matches, runs, shown, isOpen } = found;
  useLayoutEffect(() => {
    const row = selectedRow(list.current);
    if (list.current && row) reveal(list.current, row.offsetTop, row.offsetTop + row.offsetHeight);
  }, [p.selected, wanted]);
  const note = matches.length
    ? `${count(matches.length)} of ${count(items.length)}`
    : `Nothing matches “${query}”.`;
  const reachable = shown.includes(p.selected ?? -1) ? p.selected : shown[0];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of what is inside
    <div class="cnnw-list" onKeyDown={(event) => onKey(event, p, found, list.current)}>
      <input
        ref={p.inputRef ?? null}
        type="search"
        value={query}
        placeholder={`Search ${label}`}
        aria-label={`Search ${label}`}
        onInput={(event) => setQuery(event.currentTarget.value)}
      />
      <div ref={list} role="listbox" aria-label={label}>
        {runs.map(({ name, rows }) => (
          <div key={rows[0]} role="group" aria-label={name}>
            {name && <Heading {...{ name, rows, onFold: p.onFold, open: isOpen(name) }} />}
            {isOpen(name) &&
              rows.map((i) => <Option key={i} {...p} index={i} reachable={i === reachable} />)}
          </div>
        ))}
      </div>
      <div aria-live="polite">{wanted && note}</div>
    </div>
  );
}

const selectedRow = (list: HTMLElement | null) =>
  list?.querySelector<HTMLElement>("[aria-selected=true]");

/** The rows that match, in runs of one group, and those of them that are not folded away. */
function useSearch<T>({ items, filter, group, folded }: SearchListProps<T>) {
  const [query, setQuery] = useState("");
  const wanted = query.trim().toLowerCase();
  const matches = items.flatMap((item, i) => (wanted && !filter(item, wanted) ? [] : i));
  const runs = runsOf(matches, (i) => group?.(items[i] as T) ?? "");
  const isOpen = (name: string) => !!wanted || !folded?.has(name);
  const shown = runs.flatMap(({ name, rows }) => (isOpen(name) ? rows : []));
  return { query, setQuery, wanted, matches, runs, shown, isOpen };
}

function onKey<T>(
  event: KeyboardEvent,
  { selected, onSelect }: SearchListProps<T>,
  { shown, query, setQuery }: ReturnType<typeof useSearch<T>>,
  list: HTMLElement | null,
): void {
  const { key } = event;
  const field = event.target instanceof HTMLInputElement;
  const at = shown.indexOf(selected ?? -1);
  if (field && key === "Escape" && query) setQuery("");
  else if (field && key !== "ArrowDown" && key !== "Enter") return;
  else {
    const to = field && (at < 0 || key === "Enter") ? 0 : move(key, at, shown.length);
    const index = shown[to ?? -1];
    if (index === undefined) return;
    onSelect(index);
    // The row can take the focus only once the choice is drawn.
    if (key !== "Enter") requestAnimationFrame(() => selectedRow(list)?.focus());
  }
  handled(event);
}

type OptionProps<T> = SearchListProps<T> & { index: number; reachable: boolean };

function Option<T>({
  items,
  index,
  selected,
  reachable,
  text,
  renderItem,
  onSelect,
}: OptionProps<T>) {
  const item = items[index] as T;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
    <div
      role="option"
      aria-selected={index === selected}
      aria-label={text?.(item)}
      tabIndex={reachable ? 0 : -1}
      onClick={() => onSelect(index)}
    >
      {renderItem(item, index)}
    </div>
  );
}

function Heading({
  name,
  rows,
  open,
  onFold,
}: Run & { open: boolean; onFold: ((group: string) => void) | undefined }) {
  if (!onFold) return <div class="cnnw-heading">{name}</div>;
  return (
    <PlainButton class="cnnw-heading" aria-expanded={open} onClick={() => onFold(name)}>
      <Icon icon="fold" />
      {name}
      <span>{count(rows.length)}</span>
    </PlainButton>
  );
}

/** Consecutive rows of one group; a group that comes back later starts a new run. */
function runsOf(rows: readonly number[], group: (row: number) => string): Run[] {
  const runs: Run[] = [];
  for (const row of rows) {
    const name = group(row);
    const last = runs.at(-1);
    if (last?.name === name) last.rows.push(row);
    else runs.push({ name, rows: [row] });
  }
  return runs;
}
