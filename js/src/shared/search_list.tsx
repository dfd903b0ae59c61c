// biome-ignore-all lint/a11y/useSemanticElements: options and groups of a listbox
import type { ComponentChildren, Ref } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
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
  const { label, items, selected, onSelect, folded } = p;
  const [query, setQuery] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const wanted = query.trim().toLowerCase();
  const matches = items.flatMap((item, i) => (wanted && !p.filter(item, wanted) ? [] : i));
  const runs = runsOf(matches, (i) => p.group?.(items[i] as T) ?? "");
  const shown = runs.flatMap(({ name, rows }) => (!wanted && folded?.has(name) ? [] : rows));

  useLayoutEffect(() => {
    const row = list.current?.querySelector<HTMLElement>("[aria-selected=true]");
    if (list.current && row) reveal(list.current, row.offsetTop, row.offsetTop + row.offsetHeight);
  }, [selected, wanted]);

  const choose = (index: number | undefined, focus: boolean) => {
    if (index === undefined) return;
    onSelect(index);
    // The row may only exist, or be reachable, after the choice is drawn.
    if (focus)
      requestAnimationFrame(() =>
        list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus(),
      );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const field = event.target instanceof HTMLInputElement;
    if (field && event.key === "Enter") return choose(shown[0], false);
    if (field && event.key === "Escape" && query) setQuery("");
    else if (field && event.key !== "ArrowDown") return;
    else {
      const at = shown.indexOf(selected ?? -1);
      const to = field && at < 0 ? 0 : move(event.key, at, shown.length);
      if (to === undefined) return;
      choose(shown[to], true);
    }
    handled(event);
  };
  const first = shown.includes(selected ?? -1) ? selected : shown[0];
  const row = (i: number) => (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
    <div
      key={i}
      role="option"
      aria-selected={i === selected}
      aria-label={p.text?.(items[i] as T)}
      tabIndex={i === first ? 0 : -1}
      onClick={() => onSelect(i)}
    >
      {p.renderItem(items[i] as T, i)}
    </div>
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of what is inside
    <div class="cnnw-list" onKeyDown={onKeyDown}>
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
            {name && (
              <Heading
                {...{ name, rows, onFold: p.onFold, open: !!wanted || !folded?.has(name) }}
              />
            )}
            {(wanted || !folded?.has(name)) && rows.map(row)}
          </div>
        ))}
      </div>
      <div aria-live="polite">
        {wanted &&
          (matches.length
            ? `${count(matches.length)} of ${count(items.length)}`
            : `Nothing matches “${query}”.`)}
      </div>
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
    <button type="button" class="cnnw-heading" aria-expanded={open} onClick={() => onFold(name)}>
      <Icon icon="fold" />
      {name}
      <span>{count(rows.length)}</span>
    </button>
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
