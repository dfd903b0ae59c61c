import type { ReadonlySignal } from "@preact/signals";
export interface TileGridProps {
  /** What the tiles are, for screen readers: "64 channels of conv1". */
  caption: string;
  count: number;
  /** Position → item; the items in their own order when absent. */
  order?: ArrayLike<number> | undefined;
  /** Edge of a tile in CSS pixels. */
  tile: number;
  /** The selected item. */
  selected: number | null;
  /** Short text under a tile: the channel's number. */
  label: (item: number) => string;
  /** A badge on the tile, such as "zero here". */
  mark?: (item: number) => string | null | undefined;
  /** Draws an item (sets the canvas' width and height); false while it is not loaded. */
  draw: (item: number, canvas: HTMLCanvasElement) => boolean;
  /** Changes when more items are loaded, and makes the tiles draw again. */
  loaded: ReadonlySignal<number>;
  /** The positions [first, last) that are on screen or nearly so. */
  onVisible: (first: number, last: number) => void;
  onSelect: (item: number) => void;
  /** Enter, Space or a click. */
  onOpen: (item: number) => void;
}

export function TileGrid(p: TileGridProps) {
  return <div class="cnnw-grid" role="grid" aria-label={p.caption} />;
}
