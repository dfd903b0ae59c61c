// The channels of a layer to choose from: how each answers a picture, and its number.
import { signal } from "@preact/signals";
import { useCallback, useEffect, useMemo } from "preact/hooks";
import { drawPicture } from "../../shared/canvas";
import type { RequestError } from "../../shared/model";
import { TileGrid } from "../../shared/tile_grid";
import type { Tensor } from "../../shared/wire";
import { useAscent } from "./state";
import type { Layer, MapsValue } from "./types";

/** Edge of a map (CSS pixels). */
const EDGE = 34;

/** What is black and what is white, as in `cnnwidgets.widgets.ascent_maps.maps_of`. */
const rangeWords = ([, height = 1, width = 1]: readonly number[] = []) =>
  height * width > 1
    ? "each in its own range"
    : "from the least of the layer (black) to the largest (white)";

/** Rows of the narrow popup that are on screen: whole ones. */
const rowsOf = (channels: number) => Math.min(3, Math.ceil(channels / 6));

/** The maps of a layer, once they are here; asked for anew as another ascent begins, and where one stops. */
function useMaps({ name }: Layer) {
  const { bridge, generation, panels, going } = useAscent();
  const held = useMemo(
    () => ({
      maps: signal<Tensor | undefined>(undefined),
      loaded: signal(0),
      words: signal("The maps are on their way…"),
    }),
    [name],
  );
  useEffect(() => {
    const stop = new AbortController();
    bridge
      .request<MapsValue>("maps", { layer: name }, { signal: stop.signal, lane: "maps" })
      .then(({ value, tensors }) => {
        held.maps.value = tensors[0];
        held.words.value = `How they answer ${value.of}, ${rangeWords(tensors[0]?.shape)}.`;
        held.loaded.value++;
      })
      .catch(({ cancelled, message }: RequestError) => {
        if (cancelled) return;
        held.maps.value = undefined;
        held.words.value = message;
        held.loaded.value++;
      });
    return () => stop.abort();
  }, [name, held, generation.value, panels.value.length, going.value]);
  return held;
}

interface ChannelsProps {
  layer: Layer;
  channel: number;
  onChoose: (channel: number) => void;
}

export function Channels({ layer, channel, onChoose }: ChannelsProps) {
  const { maps, loaded, words } = useMaps(layer);
  const draw = useCallback(
    (item: number, canvas: HTMLCanvasElement) => {
      const held = maps.peek();
      if (!held) return false;
      const [, height = 1, width = 1] = held.shape;
      const data = held.data.subarray(item * height * width, (item + 1) * height * width);
      drawPicture(canvas, { shape: [height, width, 1], encoding: "picture", data });
      return true;
    },
    [maps],
  );
  return (
    <div class="cnnw-ga-channels" style={{ "--cnnw-rows": rowsOf(layer.channels) }}>
      <TileGrid
        caption={`Channels of ${layer.name}`}
        count={layer.channels}
        tile={EDGE}
        selected={channel}
        label={String}
        draw={draw}
        loaded={loaded}
        onVisible={ignored}
        onSelect={onChoose}
      />
      <p class="cnnw-note">{words}</p>
    </div>
  );
}

/** All maps of a layer come at once. */
const ignored = () => undefined;
