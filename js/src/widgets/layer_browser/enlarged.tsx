// One channel, or the mean over all, large and beside the input; for a convolution also its arithmetic.
import { useSignal } from "@preact/signals";
import { channelScale, type LayerData, meanScale } from "./data";
import type { MapPart } from "./draw";
import { useReplies, Waiting } from "./loading";
import { Receipt } from "./receipt";
import { MapLoader } from "./resources";
import { type Hover, Side } from "./side";
import { useBrowser } from "./state";
import type { Slot } from "./types";

interface EnlargedProps {
  data: readonly LayerData[];
  /** null: the mean over all channels. */
  channel: number | null;
}

export function Enlarged({ data, channel }: EnlargedProps) {
  const { colorRange, unit, layer } = useBrowser();
  const { parts, answers } = useParts(data, channel);
  const hover = useSignal<Hover | null>(null);
  const clicked = useSignal<Slot>("a");
  if (!parts) return <Waiting answers={answers} />;
  const range = colorRange.value;
  const scale = channel === null ? meanScale(data, range) : channelScale(data, channel, range);
  const { source } =
    data.find((one) => one.source.slot === clicked.value) ?? (data[0] as LayerData);
  const explained = channel !== null && layer.value?.receipt && source.of === "activations";
  return (
    <div class="cnnw-lb-scroll" data-pictures={data.length}>
      {data.map((one, i) => (
        <Side
          key={one.source.slot}
          {...{ hover, scale, channel }}
          data={one}
          map={parts[i] as MapPart}
          many={data.length > 1}
          onUnit={([row, column]) => {
            clicked.value = one.source.slot;
            unit.value = [row, column];
          }}
        />
      ))}
      {explained && unit.value ? (
        <Receipt source={source} channel={channel} unit={unit.value} />
      ) : (
        channel !== null && (
          <p>
            {explained
              ? "Click a unit of the map for its receipt: how its value is calculated."
              : "Units of convolutions have receipts, under Maps."}
          </p>
        )
      )}
      {answers.error && (
        <p>Values are rounded, to within 0.2 % of the map’s range: {answers.error}</p>
      )}
    </div>
  );
}

/** The exact maps; until they are here, or where they cannot be had, the grid's copies. */
function useParts(data: readonly LayerData[], channel: number | null) {
  const { resources } = useBrowser();
  const answers = useReplies<unknown>(
    channel === null ? "mean" : "map",
    data.map(({ source }) => (channel === null ? source : { ...source, channel })),
    "map",
  );
  const parts = data.map(({ source, value }, i): MapPart | undefined => {
    const tensor = answers.replies?.[i]?.tensors[0];
    if (tensor && (answers.current || channel === null)) return { tensor, at: 0 };
    const loader = new MapLoader(resources, "maps", [source], value.shape[0] ?? 0);
    const rough = loader.find<{ reduced: number }>(source, channel ?? 0);
    return channel !== null && rough?.reply.value.reduced === 1 ? rough : undefined;
  });
  return { answers, parts: parts.every((part) => part !== undefined) ? parts : undefined };
}
