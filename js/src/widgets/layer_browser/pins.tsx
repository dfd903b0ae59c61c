// Pinned channels: as they were, and beside it what the same channel does now.
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawMap } from "../../shared/canvas";
import { number } from "../../shared/format";
import { IconButton } from "../../shared/icon";
import type { Tensor } from "../../shared/wire";
import { extent, type Range, union } from "./channels";
import { zeroCentred } from "./data";
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
  const { pins, layerName, channel, view, root } = useBrowser();
  const { source, picture, map } = pin;
  const { layer, of } = source;
  const live = useLive(pin);
  // One for both, but not that of another pin: equal colours there are other values.
  const range = union([map, ...(live ? [live.map] : [])].map(({ data }) => extent(data)));
  const gradients = of === "gradients";
  const open = () => {
    layerName.value = layer;
    channel.value = pin.channel;
    view.value = gradients ? "gradients" : "maps";
  };
  return (
    <li>
      <button type="button" onClick={open} title="Go to this channel">
        <Small {...{ map, range }} caption={picture} />
        {live && <Small {...live} range={range} />}
        <span>
          {layer} · {pin.channel}
          {gradients && " · gradient"}
          <small>{range.map((end) => number(end, 3)).join(" … ")}</small>
        </span>
      </button>
      <IconButton
        icon="close"
        label={`Unpin ${layer} channel ${pin.channel}`}
        onClick={() => {
          pins.value = pins.value.filter((p) => p !== pin);
          focusRoot(root);
        }}
      />
    </li>
  );
}

/** What the pinned channel does with picture A of now, where that is another one. */
function useLive({ source, channel }: Pin): { map: Tensor; caption: string } | undefined {
  const [now] = useBrowser().shown.value;
  const changed = now && now.key !== source.key;
  const { replies, current } = useReplies(
    "map",
    changed ? [{ ...source, key: now.key, channel }] : [],
  );
  const map = replies?.[0]?.tensors[0];
  return changed && current && map ? { map, caption: `now: ${now.name}` } : undefined;
}

interface SmallProps {
  map: Tensor;
  range: Range;
  caption: string;
}

function Small({ map, range: [low, high], caption }: SmallProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(
    () =>
      drawMap(canvas.current as HTMLCanvasElement, map, 0, zeroCentred([low, high], "activations")),
    [map, low, high],
  );
  return (
    <figure>
      <canvas ref={canvas} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}
