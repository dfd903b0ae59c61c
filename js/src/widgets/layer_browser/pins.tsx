// Pinned channels: as they were, and beside it what the same channel does now.
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawMap } from "../../shared/canvas";
import type { Scale } from "../../shared/color";
import { symmetric } from "../../shared/color";
import { IconButton } from "../../shared/icon";
import type { Tensor } from "../../shared/wire";
import { union } from "./channels";
import { useReplies } from "./loading";
import { focusRoot, type Pin, type State, useBrowser } from "./state";
import { tell } from "./upload";

const same = (p: Pin, layer: string, channel: number, key: number) =>
  p.source.layer === layer && p.channel === channel && p.source.key === key;

export const pinOf = ({ pins, sources, channel }: State): Pin | undefined => {
  const [source] = sources.value;
  return (
    source &&
    pins.value.find(
      (p) => same(p, source.layer, channel.value, source.key) && p.source.of === source.of,
    )
  );
};

/** Pins the chosen channel of picture A, or lets it go. */
export function togglePin(state: State): void {
  const { pins, sources, shown, channel, resources } = state;
  const pinned = pinOf(state);
  const [source] = sources.value;
  const picture = shown.value[0]?.name ?? "";
  const at = channel.value;
  if (pinned) pins.value = pins.value.filter((p) => p !== pinned);
  else if (source && (state.layer.value?.shape?.length ?? 0) > 1)
    void tell(
      state,
      resources.fetch("map", { ...source, channel: at }).then(({ tensors }) => {
        pins.value = [...pins.value, { source, channel: at, picture, map: tensors[0] as Tensor }];
      }),
    );
}

export function Pins() {
  const { pins } = useBrowser();
  if (!pins.value.length) return null;
  return (
    <ul class="cnnw-lb-pins" aria-label="Pinned channels">
      {pins.value.map((pin) => (
        <PinCard
          key={`${pin.source.layer} ${pin.channel} ${pin.source.of} ${pin.source.key}`}
          pin={pin}
        />
      ))}
    </ul>
  );
}

function PinCard({ pin }: { pin: Pin }) {
  const { pins, shown, layerName, channel, view, root } = useBrowser();
  const { source, picture, map } = pin;
  const [now] = shown.value;
  const changed = now && now.key !== source.key;
  const { replies, current } = useReplies(
    "map",
    changed ? [{ ...source, key: now.key, channel: pin.channel }] : [],
  );
  const live = changed && current ? replies?.[0]?.tensors[0] : undefined;
  const scale: Scale = {
    ...symmetric(...rangeOf(live ? [map, live] : [map])),
    table: "activations",
  };
  const gradients = source.of === "gradients";
  const open = () => {
    layerName.value = source.layer;
    channel.value = pin.channel;
    view.value = gradients ? "gradients" : "maps";
  };
  return (
    <li>
      <button type="button" onClick={open} title="Go to this channel">
        <Small map={map} scale={scale} caption={picture} />
        {live && <Small map={live} scale={scale} caption={`now: ${now?.name}`} />}
        <span>
          {source.layer} · {pin.channel}
          {gradients && " · gradient"}
        </span>
      </button>
      <IconButton
        icon="close"
        label={`Unpin ${source.layer} channel ${pin.channel}`}
        onClick={() => {
          pins.value = pins.value.filter((p) => p !== pin);
          focusRoot(root);
        }}
      />
    </li>
  );
}

function Small({
  map,
  scale: { low, high, table },
  caption,
}: {
  map: Tensor;
  scale: Scale;
  caption: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(
    () => drawMap(canvas.current as HTMLCanvasElement, map, 0, { low, high, table }),
    [map, low, high],
  );
  return (
    <figure>
      <canvas ref={canvas} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

function rangeOf(maps: readonly Tensor[]): [number, number] {
  return union(
    maps.map(({ data }) => {
      let [low, high] = [0, 0];
      for (const value of data) {
        if (!Number.isFinite(value)) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      return [low, high];
    }),
  );
}
