// The rows of the layer strip: blocks of layers, open or closed, or what a search found.
import { kindWord } from "./kinds";
import type { Layer } from "./types";

/** Networks up to this many layers start with every block open. */
const OPEN_BY_DEFAULT = 40;

/** A run of layers of one block, [first, last). */
export interface Group {
  name: string;
  first: number;
  last: number;
}

export type Row =
  | { type: "input" }
  | { type: "group"; group: Group; open: boolean }
  | { type: "layer"; index: number; nested: boolean };

export const ROW_HEIGHT = { input: 26, group: 28, layer: 40 } as const;

/** Consecutive layers of the same block; a reappearing block starts another group. */
export function groupLayers(layers: readonly Layer[]): Group[] {
  const groups: Group[] = [];
  layers.forEach(({ block }, index) => {
    const open = groups.at(-1);
    if (open && block && open.name === block) open.last = index + 1;
    else groups.push({ name: block, first: index, last: index + 1 });
  });
  return groups;
}

export function isOpen(
  group: Group,
  chosen: number,
  toggled: ReadonlyMap<number, boolean>,
  total: number,
): boolean {
  const holdsChosen = group.first <= chosen && chosen < group.last;
  return toggled.get(group.first) ?? (holdsChosen || total <= OPEN_BY_DEFAULT);
}

/** Indices of the layers whose name or kind holds every word of the query; null for an empty query. */
export function search(layers: readonly Layer[], query: string): number[] | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const texts = layers.map((l) =>
    `${l.name} ${l.kind} ${kindWord(l.kind)} ${l.detail}`.toLowerCase(),
  );
  return texts.flatMap((text, index) =>
    words.every((word) => text.includes(word)) ? [index] : [],
  );
}

export function stripRows(groups: readonly Group[], open: (group: Group) => boolean): Row[] {
  const rows: Row[] = [{ type: "input" }];
  for (const group of groups) {
    const header = group.last - group.first > 1;
    const shown = !header || open(group);
    if (header) rows.push({ type: "group", group, open: shown });
    if (!shown) continue;
    for (let index = group.first; index < group.last; index++)
      rows.push({ type: "layer", index, nested: header });
  }
  return rows;
}

/** Tops of the rows, and the total height last. */
export function rowTops(rows: readonly Row[]): number[] {
  const tops = [0];
  for (const row of rows) tops.push((tops.at(-1) as number) + ROW_HEIGHT[row.type]);
  return tops;
}

/** The rows that touch [from, to) pixels, as [first, last). */
export function visibleRows(tops: readonly number[], from: number, to: number): [number, number] {
  const count = tops.length - 1;
  let first = 0;
  while (first < count - 1 && (tops[first + 1] as number) <= from) first++;
  let last = first;
  while (last < count && (tops[last] as number) < to) last++;
  return [first, last];
}
