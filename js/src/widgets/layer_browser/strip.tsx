// The network as a strip of layers: blocks that fold, branches drawn beside, a search above.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../../shared/format";
import { handled, move, reveal } from "../../shared/keys";
import { useSize } from "../../shared/size";
import { isOpen, type Row, rowTops, stripRows, visibleRows } from "./groups";
import { laneCount, lanes as lanesOf } from "./lanes";
import { SearchField } from "./search_field";
import { choose, type State, toggle, useBrowser } from "./state";
import { StripRow } from "./strip_row";

/** Pixels drawn beyond the visible part. */
const OVERSCAN = 240;
/** Pixels shown around the chosen layer. */
const AHEAD = 60;

type Box = { current: HTMLElement | null };

export function Strip({ onChosen }: { onChosen: () => void }) {
  const state = useBrowser();
  const { graph, found } = state;
  const box = useRef<HTMLDivElement>(null);
  const strip = useStrip(state, box);
  const { rows, lanes, tops, active, first, last } = strip;
  const { activate, onKeyDown } = stripInput(state, strip, onChosen);
  const focus = useFocus(box, active.value);
  return (
    <>
      <SearchField
        onDown={() => box.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus()}
      />
      <div
        ref={box}
        role="tree"
        aria-label="Layers"
        tabIndex={-1}
        onScroll={strip.scrolled}
        {...{ onKeyDown, ...focus }}
      >
        <div style={{ height: `${tops.at(-1)}px` }}>
          {rows.slice(first, last).map((row, i) => {
            const at = first + i;
            return (
              <StripRow
                key={keyOf(row)}
                {...{ row, at }}
                top={tops[at] as number}
                lanes={lanes[at]}
                width={laneCount(lanes)}
                focusable={at === active.value}
                onClick={() => activate(at)}
              />
            );
          })}
        </div>
      </div>
      <p aria-live="polite">{foundWords(found.value, graph.value?.layers.length ?? 0)}</p>
    </>
  );
}

const foundWords = (found: number[] | null, total: number) =>
  found &&
  (found.length ? `${count(found.length)} of ${count(total)} layers` : "No layer matches.");

const keyOf = (row: Row) =>
  row.type === "layer" ? row.index : row.type === "group" ? `block ${row.group.first}` : row.type;

function rowsOf({ found, groups, index, toggled, graph }: State): Row[] {
  if (found.value) return found.value.map((at) => ({ type: "layer", index: at, nested: false }));
  const total = graph.value?.layers.length ?? 0;
  return stripRows(groups.value, (group) => isOpen(group, index.value, toggled.value, total));
}

/** The rows, which of them are drawn, and which the keyboard is at. */
function useStrip(state: State, box: Box) {
  const { graph, found, groups, index, toggled } = state;
  const { height } = useSize(box);
  const [scroll, setScroll] = useState(0);
  const rows = useMemo(
    () => rowsOf(state),
    [found.value, groups.value, toggled.value, index.value],
  );
  const lanes = useMemo(
    () => (found.value ? [] : lanesOf(rows, graph.value?.layers ?? [])),
    [rows],
  );
  const tops = useMemo(() => rowTops(rows), [rows]);
  const chosen = rows.findIndex((row) => row.type === "layer" && row.index === index.value);
  const active = useSignal(chosen);
  const [first, last] = visibleRows(tops, scroll - OVERSCAN, scroll + height + OVERSCAN);
  const show = (at: number) => {
    if (box.current && at >= 0)
      reveal(box.current, (tops[at] as number) - AHEAD, (tops[at + 1] as number) + AHEAD);
  };
  const scrolled = () => setScroll(box.current?.scrollTop ?? 0);
  useLayoutEffect(() => {
    active.value = chosen;
    show(chosen);
  }, [index.value, found.value, !height]);
  return { rows, lanes, tops, active, first, last, show, scrolled };
}

/** Arrows choose layers and fold blocks; Enter, Space and a click also leave the strip for the layer. */
function stripInput(
  state: State,
  { rows, active, show }: ReturnType<typeof useStrip>,
  onChosen: () => void,
) {
  const activate = (at: number) => {
    const row = rows[at];
    active.value = at;
    if (row?.type === "group") toggle(state, row.group);
    else if (row?.type === "layer") {
      choose(state, row.index);
      onChosen();
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[active.value];
    const folds = { ArrowLeft: true, ArrowRight: false }[event.key];
    if (folds !== undefined) {
      if (row?.type === "group" && row.open === folds) toggle(state, row.group);
    } else if (event.key === "Enter" || event.key === " ") activate(active.value);
    else {
      const to = move(event.key, active.value, rows.length);
      if (to === undefined) return;
      const next = rows[to];
      if (next?.type !== "input") active.value = to;
      show(active.value);
      if (next?.type === "layer") choose(state, next.index);
    }
    handled(event);
  };
  return { activate, onKeyDown };
}

/** While the focus is in the strip, it is on the active row. */
function useFocus(box: Box, active: number) {
  const inside = useRef(false);
  useLayoutEffect(() => {
    if (inside.current)
      box.current
        ?.querySelector<HTMLElement>(`[data-row="${active}"]`)
        ?.focus({ preventScroll: true });
  });
  return {
    onFocusIn: () => {
      inside.current = true;
    },
    onFocusOut: ({ relatedTarget }: FocusEvent) => {
      inside.current = !!box.current?.contains(relatedTarget as Node | null);
    },
  };
}
