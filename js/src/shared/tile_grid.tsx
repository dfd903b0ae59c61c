// biome-ignore-all lint/a11y/useSemanticElements: a table cannot place its rows freely
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { gridMove, gridWindow, rowInSlot } from "./grid_window";
import { handled, reveal } from "./keys";
import { useSize } from "./size";
import { Row, type TileSource } from "./tile";
import "./tile_grid.css";

export interface TileGridProps extends TileSource {
  /** What the tiles are, for screen readers: "64 channels of conv1". */
  caption: string;
  count: number;
  /** Position → item; the items in their own order when absent. A new order starts at the top. */
  order?: ArrayLike<number> | undefined;
  /** Edge of a tile in CSS pixels. */
  tile: number;
  /** The selected item; it is brought into view when it changes. */
  selected: number | null;
  /** The positions [first, last) that are on screen or nearly so. */
  onVisible: (first: number, last: number) => void;
  onSelect: (item: number) => void;
  /** Enter, Space or a click. */
  onOpen: (item: number) => void;
}

/** Thousands of small maps; only the rows on screen exist, and their canvases are reused. */
export function TileGrid(p: TileGridProps) {
  const { count, order, tile, label, mark, draw, loaded, onVisible } = p;
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  const view = gridWindow(width, height, top, tile, count);
  const { columns, rows, pitch, from, to } = view;
  const selected = useMemo(() => positionOf(p.selected, order), [p.selected, order]);

  // A row at a time: within one, scrolling is the browser's own.
  const scrolled = () => setTop(Math.floor((box.current?.scrollTop ?? 0) / pitch) * pitch);
  const show = (position: number) => {
    setActive(position);
    const at = Math.floor(position / columns) * pitch;
    if (box.current) reveal(box.current, at, at + pitch);
    scrolled();
  };

  useEffect(() => {
    if (from < to) onVisible(from, to);
  }, [from, to, order, onVisible]);
  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = 0;
    setActive(Math.max(0, selected));
    scrolled();
  }, [order]);
  useLayoutEffect(() => {
    if (selected >= 0 && width) show(selected);
  }, [p.selected, columns, pitch, !width]);
  const focus = useFocus(box, active, setActive, `${from},${columns}`);

  const itemAt = (position: number) => order?.[position] ?? position;
  const choose = (position: number, open: boolean) => {
    show(position);
    p.onSelect(itemAt(position));
    if (open) p.onOpen(itemAt(position));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const open = event.key === "Enter" || event.key === " ";
    const next = open ? active : gridMove(event.key, active, columns, count);
    if (next === undefined || !count || event.altKey || event.ctrlKey || event.metaKey) return;
    handled(event);
    if (open || next !== active) choose(next, open);
  };
  const onClick = (event: MouseEvent) => {
    const tile = (event.target as Element).closest<HTMLElement>("[data-at]");
    if (tile) choose(Number(tile.dataset.at), true);
  };
  const inRow = (position: number, start: number) =>
    position >= start && position < start + columns ? position : -1;
  return (
    <div
      ref={box}
      class="cnnw-grid"
      role="grid"
      aria-label={p.caption}
      aria-rowcount={rows}
      aria-colcount={columns}
      tabIndex={active < from || active >= to ? 0 : -1}
      style={{ "--cnnw-tile": `${tile}px` }}
      onScroll={scrolled}
      {...{ onKeyDown, onClick, ...focus }}
    >
      <div style={{ height: `${rows * pitch}px` }}>
        {Array.from({ length: view.kept }, (_, slot) => {
          const row = rowInSlot(slot, view);
          const start = row * columns;
          return (
            <Row
              key={slot}
              {...{ row, order, label, mark, draw, loaded }}
              from={start}
              to={Math.min(start + columns, count)}
              top={row * pitch}
              selected={inRow(selected, start)}
              active={inRow(active, start)}
            />
          );
        })}
      </div>
    </div>
  );
}

function positionOf(item: number | null, order: ArrayLike<number> | undefined): number {
  if (item === null) return -1;
  return order ? Array.prototype.indexOf.call(order, item) : item;
}

/**
 * Keeps the focus on the active tile. A tile that is reused must not keep the focus of the item that
 * it showed before: when the active one is scrolled away, the grid itself holds the focus.
 */
function useFocus(
  box: { current: HTMLElement | null },
  active: number,
  setActive: (position: number) => void,
  shown: string,
) {
  const inside = useRef(false);
  const put = () => {
    const tile = box.current?.querySelector<HTMLElement>(`[data-at="${active}"]`);
    (tile ?? box.current)?.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    if (inside.current) put();
  }, [active, shown]);
  return {
    onFocusIn: (event: FocusEvent) => {
      const { at } = (event.target as HTMLElement).dataset;
      if (at !== undefined) setActive(Number(at));
      else if (!inside.current) put();
      inside.current = true;
    },
    onFocusOut: (event: FocusEvent) => {
      inside.current = !!box.current?.contains(event.relatedTarget as Node | null);
    },
  };
}
