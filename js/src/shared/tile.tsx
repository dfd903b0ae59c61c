// biome-ignore-all lint/a11y/useSemanticElements: a table cannot place its rows freely
import { effect, type ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { times } from "./times";

export interface TileSource {
  /** Short text under a tile: the channel's number. */
  label: (item: number) => string;
  /** Badges on the tile, such as "zero here": one, or one for each part side by side; "" for none. */
  mark?: ((item: number) => readonly string[]) | undefined;
  /**
   * Draws an item (sets the canvas' width and height); false while it is not loaded. Called again
   * when it changes (keep it stable), when `loaded` does, and when a signal that it reads does.
   */
  draw: (item: number, canvas: HTMLCanvasElement) => boolean;
  /** Changes when more items are loaded. */
  loaded: ReadonlySignal<number>;
}

interface RowProps extends TileSource {
  row: number;
  /** Positions [from, to). */
  from: number;
  to: number;
  top: number;
  order: ArrayLike<number> | undefined;
  /** Position of the selected tile and of the one that the Tab key reaches; −1: not in this row. */
  selected: number;
  active: number;
}

/** One row of a grid. The same element, and so nothing to compare, while its tiles stay the same. */
export function Row({
  row,
  from,
  to,
  top,
  order,
  selected,
  active,
  label,
  mark,
  draw,
  loaded,
}: RowProps) {
  return useMemo(
    () => (
      <div
        role="row"
        aria-rowindex={row + 1}
        tabIndex={-1}
        style={{ transform: `translateY(${top}px)` }}
      >
        {times(to - from, (i) => (
          <Tile
            key={i}
            {...{ label, mark, draw, loaded }}
            position={from + i}
            column={i + 1}
            item={order?.[from + i] ?? from + i}
            selected={from + i === selected}
            active={from + i === active}
          />
        ))}
      </div>
    ),
    [row, from, to, top, order, selected, active, label, mark, draw, loaded],
  );
}

interface TileProps extends TileSource {
  position: number;
  column: number;
  item: number;
  selected: boolean;
  active: boolean;
}

function Tile({ position, column, item, selected, active, label, mark, draw, loaded }: TileProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(
    () =>
      effect(() => {
        loaded.value;
        const element = canvas.current as HTMLCanvasElement;
        // Until it is loaded, the frame's own colour shows; the canvas may still hold another item.
        element.style.visibility = draw(item, element) ? "" : "hidden";
      }),
    [item, draw, loaded],
  );
  const badges = mark?.(item) ?? [];
  return (
    <div
      role="gridcell"
      aria-colindex={column}
      aria-selected={selected}
      tabIndex={active ? 0 : -1}
      data-at={position}
    >
      <div>
        <canvas ref={canvas} />
        {badges.map(
          (badge, i) =>
            badge && (
              <b key={i} style={{ right: `calc(${100 * (1 - (i + 1) / badges.length)}% + 2px)` }}>
                {badge}
              </b>
            ),
        )}
      </div>
      <span>{label(item)}</span>
    </div>
  );
}
