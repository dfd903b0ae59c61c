// The network as a strip of layers: blocks that fold, branches drawn beside, a search above.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../../shared/format";
import { handled, move, reveal } from "../../shared/keys";
import { useSize } from "../../shared/size";
import { isOpen, ROW_HEIGHT, type Row, rowTops, stripRows, visibleRows } from "./groups";
import { laneCount, lanes as lanesOf } from "./lanes";
import { SearchField } from "./search_field";
import { choose, type State, toggle, useBrowser } from "./state";
import { StripRow } from "./strip_row";

/** Pixels drawn beyond the visible part. */
const OVERSCAN = 800;
/** Pixels shown around the chosen layer. */
const AHEAD = 60;

function rowsOf(state: State): Row[] {
  const { found, groups, index, toggled, graph } = state;
  if (found.value) return found.value.map((at) => ({ type: "layer", index: at, nested: false }));
  const total = graph.value?.layers.length ?? 0;
  return stripRows(groups.value, (group) => isOpen(group, index.value, toggled.value, total));
}

export function Strip({ onChosen }: { onChosen: () => void }) {
  const state = useBrowser();
  const { graph, found, groups, index, toggled } = state;
  const layers = graph.value?.layers ?? [];
  const box = useRef<HTMLDivElement>(null);
  const { height } = useSize(box);
  const [scroll, setScroll] = useState(0);
  const focused = useRef(false);
  const rows = useMemo(
    () => rowsOf(state),
    [found.value, groups.value, toggled.value, index.value],
  );
  const lanes = useMemo(() => (found.value ? [] : lanesOf(rows, layers)), [rows]);
  const tops = useMemo(() => rowTops(rows), [rows]);
  const chosenRow = rows.findIndex((row) => row.type === "layer" && row.index === index.value);
  const active = useSignal(chosenRow);
  const [first, last] = visibleRows(tops, scroll - OVERSCAN, scroll + height + OVERSCAN);

  const show = (at: number) => {
    if (box.current && at >= 0)
      reveal(box.current, (tops[at] as number) - AHEAD, (tops[at + 1] as number) + AHEAD);
  };
  useLayoutEffect(() => {
    active.value = chosenRow;
    show(chosenRow);
  }, [index.value, found.value, !height]);
  useLayoutEffect(() => {
    if (focused.current)
      box.current
        ?.querySelector<HTMLElement>(`[data-row="${active.value}"]`)
        ?.focus({ preventScroll: true });
  });

  const activate = (at: number) => {
    const row = rows[at];
    active.value = at;
    if (row?.type === "layer") choose(state, row.index);
    else if (row?.type === "group") toggle(state, row.group);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[active.value];
    const folds = { ArrowLeft: true, ArrowRight: false }[event.key];
    if (folds !== undefined) {
      if (row?.type === "group" && row.open === folds) toggle(state, row.group);
    } else if (event.key === "Enter" || event.key === " ") {
      activate(active.value);
      if (row?.type === "layer") onChosen();
    } else {
      const to = move(event.key, active.value, rows.length);
      if (to === undefined) return;
      active.value = rows[to]?.type === "input" ? active.value : to;
      show(active.value);
      const next = rows[active.value];
      if (next?.type === "layer") choose(state, next.index);
    }
    handled(event);
  };
  return (
    <>
      <SearchField
        onDown={() => (box.current?.querySelector("[tabindex='0']") as HTMLElement | null)?.focus()}
      />
      <div
        ref={box}
        class="cnnw-lb-tree"
        role="tree"
        aria-label="Layers"
        tabIndex={-1}
        onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
        onFocusIn={() => (focused.current = true)}
        onFocusOut={({ relatedTarget }) =>
          (focused.current = !!box.current?.contains(relatedTarget as Node | null))
        }
      >
        <div style={{ height: `${tops.at(-1)}px` }}>
          {rows.slice(first, last).map((row, i) => {
            const at = first + i;
            return (
              <StripRow
                key={
                  row.type === "layer"
                    ? `l${row.index}`
                    : row.type === "group"
                      ? `g${row.group.first}`
                      : ""
                }
                {...{ row, at }}
                top={tops[at] as number}
                height={ROW_HEIGHT[row.type]}
                lanes={lanes[at]}
                width={laneCount(lanes)}
                focusable={at === active.value}
                onClick={() => {
                  activate(at);
                  if (row.type === "layer") onChosen();
                }}
              />
            );
          })}
        </div>
      </div>
      <p class="cnnw-note" aria-live="polite">
        {found.value &&
          (found.value.length
            ? `${count(found.value.length)} of ${count(layers.length)} layers`
            : "No layer matches.")}
      </p>
    </>
  );
}
