// A grid of maps: asks for those on screen, tells which is under the pointer, selects.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Banner } from "../../shared/banner";
import { TileGrid, type TileGridProps } from "../../shared/tile_grid";
import { times } from "../../shared/times";
import { MapLoader } from "./resources";
import { useBrowser } from "./state";

/** A loader that lives as long as its questions stay the same. */
export function useLoader<S extends object>(
  request: "maps" | "filters",
  sources: readonly S[],
  count: number,
): MapLoader<S> {
  const { resources } = useBrowser();
  const id = sources.map((source) => resources.id(request, source)).join();
  const loader = useMemo(() => new MapLoader(resources, request, sources, count), [id, count]);
  useEffect(() => () => loader.stop(), [loader]);
  return loader;
}

interface TilesProps
  extends Pick<TileGridProps, "caption" | "tile" | "tileHeight" | "draw" | "mark" | "onOpen"> {
  loader: Pick<MapLoader, "count" | "loaded" | "failed" | "want">;
  order?: readonly number[] | undefined;
  /** Are the maps single rows, to be drawn as high as the tile? */
  flat?: boolean;
  /** The map under the pointer; null when it has left. */
  onOver?: (item: number | null) => void;
}

export function Tiles({ loader, order, flat, onOver, ...grid }: TilesProps) {
  const { channel } = useBrowser();
  const { failed, count, loaded } = loader;
  const { want, onVisible } = useWanted(loader, order);
  const itemAt = (position: number) => order?.[position] ?? position;
  return (
    <>
      {failed.value && (
        <Banner kind="info" action={{ label: "Try again", onClick: want }}>
          {failed.value}
        </Banner>
      )}
      <div
        class="cnnw-lb-tiles"
        data-flat={flat}
        onPointerOver={({ target }) => {
          const tile = tileOf(target);
          onOver?.(tile ? itemAt(Number(tile.dataset.at)) : null);
        }}
        onPointerLeave={() => onOver?.(null)}
      >
        <TileGrid
          {...grid}
          {...{ count, order, loaded, onVisible }}
          selected={channel.value}
          label={String}
          onSelect={(item) => (channel.value = item)}
        />
      </div>
    </>
  );
}

const tileOf = (target: EventTarget | null) =>
  (target as Element).closest<HTMLElement>("[data-at]");

/** Asks for the maps on screen; again when there is another loader or order. */
function useWanted(loader: TilesProps["loader"], order: readonly number[] | undefined) {
  const visible = useRef<[number, number]>([0, 0]);
  const want = () => {
    const [first, last] = visible.current;
    loader.want(times(last - first, (i) => order?.[first + i] ?? first + i));
  };
  useEffect(want, [loader, order]);
  const onVisible = (first: number, last: number) => {
    visible.current = [first, last];
    want();
  };
  return { want, onVisible };
}
