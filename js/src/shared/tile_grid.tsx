// biome-ignore-all lint/a11y/useSemanticElements: a table cannot place its rows freely
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { gridMove, gridWindow, rowInSlot } from "./grid_window";
import { handled, reveal } from "./keys";
import { useSize } from "./size";
import { Row, type TileSource } from "./tile";
import { times } from "./times";
import "./tile_grid.css";

export interface TileGridProps extends TileSource {
  /** What the tiles are, for screen readers: "64 channels of conv1". */
  caption: string;
  count: number;
  /** Position → item; the items in their own order when absent. A new order starts at the top. */
  order?: ArrayLike<number> | undefined;
  /** Width of a tile in CSS pixels. */
  tile: number;
  /** Its height without the caption; as wide when absent. */
  tileHeight?: number | undefined;
  /** The selected item; it is brought into view when it changes. */
  selected: number | null;
  /** The positions [first, last) that are on screen or nearly so. */
  onVisible: (first: number, last: number) => void;
  onSelect: (item: number) => void;
  /** Enter, Space or a click; without it a click only selects. */
  onOpen?: (item: number) => void;
}

/** Thousands of small maps; only the rows on screen exist, and their canvases are reused. */
export function TileGrid(p: TileGridProps) {
  const box = useRef<HTMLDivElement>(null);
  const grid = useGrid(p, box);
  const { view, active, selected } = grid;
  const focus = useFocus(box, active, grid.setActive, `${view.from},${view.columns}`);
  const keys = gridInput(p, grid);
  const inRow = (position: number, start: number) =>
    position >= start && position < start + view.columns ? position : -1;
  const { order, label, mark, draw, loaded } = p;
  return (
    <div
      ref={box}
      class="cnnw-grid"
      role="grid"
      aria-label={p.caption}
      aria-rowcount={view.rows}
      aria-colcount={view.columns}
      tabIndex={active < view.from || active >= view.to ? 0 : -1}
      style={{ "--cnnw-tile": `${p.tile}px`, "--cnnw-tile-height": `${p.tileHeight ?? p.tile}px` }}
      onScroll={grid.scrolled}
      {...keys}
      {...focus}
    >
      <div style={{ height: `${view.rows * view.pitch}px` }}>
        {times(view.kept, (slot) => {
          const row = rowInSlot(slot, view);
          const start = row * view.columns;
          return (
            <Row
              key={slot}
              {...{ row, order, label, mark, draw, loaded }}
              from={start}
              to={Math.min(start + view.columns, p.count)}
              top={row * view.pitch}
              selected={inRow(selected, start)}
              active={inRow(active, start)}
            />
          );
        })}
      </div>
    </div>
  );
}

type Box = { current: HTMLElement | null };

/** What is in the page, what is selected, and where the keyboard is: positions, not items. */
function useGrid(p: TileGridProps, box: Box) {
  const { count, order, tile, onVisible } = p;
  const { width, height } = useSize(box);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  const view = gridWindow(width, height, top, tile, count, p.tileHeight);
  const { columns, pitch, from, to } = view;
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
  return { view, active, setActive, selected, scrolled, show };
}

/** Arrows, Home and End select; Enter, Space and a click open. */
function gridInput(p: TileGridProps, { view, active, show }: ReturnType<typeof useGrid>) {
  const choose = (position: number, open: boolean) => {
    const item = p.order?.[position] ?? position;
    show(position);
    p.onSelect(item);
    if (open) p.onOpen?.(item);
  };
  return {
    onKeyDown(event: KeyboardEvent) {
      const open = event.key === "Enter" || event.key === " ";
      const next = open ? p.onOpen && active : gridMove(event.key, active, view.columns, p.count);
      if (next === undefined || !p.count || event.altKey || event.ctrlKey || event.metaKey) return;
      handled(event);
      if (open || next !== active) choose(next, open);
    },
    onClick(event: MouseEvent) {
      const tile = (event.target as Element).closest<HTMLElement>("[data-at]");
      if (tile) choose(Number(tile.dataset.at), true);
    },
  };
}

function positionOf(item: number | null, order: ArrayLike<number> | undefined): number {
  if (item === null) return -1;
  return order ? Array.prototype.indexOf.call(order, item) : item;
}

/**
 * Keeps the focus on the active tile. A tile that is reused must not keep the focus of the item that
 * it showed before: when the active one is scrolled away, the grid itself holds the focus.
 */
function useFocus(box: Box, active: number, setActive: (position: number) => void, shown: string) {
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
