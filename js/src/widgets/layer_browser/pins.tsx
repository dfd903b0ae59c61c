// Pinned channels: as they were, and beside it what the same channel does now.
import { useLayoutEffect, useRef } from "preact/hooks";
import { PlainButton } from "../../shared/button";
import { drawMap } from "../../shared/canvas";
import { IconButton } from "../../shared/icon";
import type { Tensor } from "../../shared/wire";
import { extent, type Range, union } from "./channels";
import { zeroCentred } from "./data";
import { rangeWords } from "./describe";
import { useReplies } from "./loading";
import type { Source } from "./resources";
import { focusRoot, type Pin, type State, useBrowser } from "./state";
import { tell } from "./upload";

const idOf = ({ layer, of, key }: Source, channel: number) => `${layer} ${channel} ${of} ${key}`;

/** The pin of the chosen channel. */
export const pinOf = ({ pins, sources, channel }: State): Pin | undefined => {
  const [source] = sources.value;
  const id = source && idOf(source, channel.value);
  return pins.value.find((pin) => idOf(pin.source, pin.channel) === id);
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
        <PinCard key={idOf(pin.source, pin.channel)} pin={pin} />
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
      <PlainButton onClick={open} title="Go to this channel">
        <Small {...{ map, range }} caption={picture} />
        {live && <Small {...live} range={range} />}
        <span>
          {layer} · {pin.channel}
          {gradients && " · gradient"}
          <small>{rangeWords(range)}</small>
        </span>
      </PlainButton>
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
