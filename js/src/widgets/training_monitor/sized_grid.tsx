import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { gridWindow } from "../../shared/grid_window";
import { useSize } from "../../shared/size";
import { TileGrid, type TileGridProps } from "../../shared/tile_grid";

/** Room for the rings around tiles (CSS pixels). */
const RINGS = 6;

/** All tiles are there. */
const never = signal(0);

type SizedGridProps = Omit<TileGridProps, "loaded" | "onVisible"> & { most: number };

/**
 * A grid of tiles as high as its rows, up to `most` pixels. Its height is set before it is measured:
 * one that followed from its rows would change while the browser tells of its width.
 */
export function SizedGrid({ most, ...given }: SizedGridProps) {
  const grid = { ...given, loaded: never, onVisible: () => {} };
  const ruler = useRef<HTMLDivElement>(null);
  const { width } = useSize(ruler);
  const { rows, pitch } = gridWindow(width, 0, 0, grid.tile, grid.count);
  const high = width ? Math.min(most, rows * pitch + RINGS) : 0;
  return (
    <div>
      <div ref={ruler} />
      <div class="cnnw-tm-tiles" style={{ "--cnnw-high": `${high}px` }}>
        {high > 0 && <TileGrid {...grid} />}
      </div>
    </div>
  );
}
