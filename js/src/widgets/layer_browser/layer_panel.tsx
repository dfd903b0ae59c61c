// The chosen layer: what it is, and its maps, mean, filters or gradients.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Banner } from "../../shared/banner";
import { Button } from "../../shared/button";
import { IconButton } from "../../shared/icon";
import type { Reply } from "../../shared/model";
import { Tabs } from "../../shared/tabs";
import { MapTools } from "./controls";
import { type LayerData, layerData } from "./data";
import { channelWord, summary } from "./describe";
import { Enlarged } from "./enlarged";
import { Filters } from "./filters";
import { type Answers, useReplies, Waiting } from "./loading";
import { Maps, useOrder } from "./maps";
import { pinOf, togglePin } from "./pins";
import { packet, type Source } from "./resources";
import { step, stepChannel, unitWord, useBrowser, useKeptFocus, viewsOf } from "./state";
import type { LayerValue, View } from "./types";
import { Vector } from "./vector";

export function LayerPanel() {
  const state = useBrowser();
  const { graph, layer, actualView, view } = state;
  const chosen = layer.value;
  if (!chosen || !graph.value) return <p>Nothing computed yet.</p>;
  const now = actualView.value;
  const labels: Record<View, string> = {
    maps: chosen.shape?.length === 1 ? "Units" : "Maps",
    mean: "Mean",
    filters: "Filters",
    gradients: "Gradients",
  };
  return (
    <>
      <header>
        <IconButton icon="fold" label="Previous layer (Page Up)" onClick={() => step(state, -1)} />
        <IconButton icon="fold" label="Next layer (Page Down)" onClick={() => step(state, 1)} />
        <h3>{summary(chosen, graph.value.input, unitWord(state, chosen))}</h3>
      </header>
      <Tabs<View>
        label="What to show of the layer"
        tabs={viewsOf(chosen).map((key) => ({ key, label: labels[key] }))}
        selected={now}
        onSelect={(key) => (view.value = key)}
      />
      <div role="tabpanel" aria-label={labels[now]} data-view={now}>
        {chosen.error ? (
          <Banner kind="error">
            The model failed here: {chosen.error}
            {chosen.name !== graph.value.layers[0]?.name &&
              " The layers before it are shown as far as they were computed."}
          </Banner>
        ) : now === "filters" && chosen.filters ? (
          <Filters
            key={`${chosen.name} ${chosen.filters}`}
            layer={chosen}
            filters={chosen.filters}
          />
        ) : (
          <Values key={`${chosen.name} ${now === "gradients"}`} />
        )}
      </div>
    </>
  );
}

/** What the pictures do in the layer: asks for the ranges, then shows whichever view fits. */
function Values() {
  const { sources, shown, actualView, enlarged } = useBrowser();
  const answers = useReplies<LayerValue>("layer", sources.value, "layer");
  useAhead();
  const data = useLayerData(answers);
  if (!shown.value.length) return <p>No picture yet: choose, upload, drop or paste one.</p>;
  if (!data || answers.error) return <Waiting answers={answers} />;
  if (data[0]?.value.shape.includes(0)) return <p>The layer puts out no values.</p>;
  if (data[0]?.value.shape.length === 1) return <Vector data={data} />;
  if (actualView.value === "mean") return <Mean data={data} />;
  return enlarged.value ? <OneChannel data={data} /> : <Maps data={data} />;
}

/** Asks for what will be shown together with the ranges, not a round trip later. */
function useAhead(): void {
  const { resources, sources, layer, actualView, enlarged, channel, order } = useBrowser();
  const shape = layer.value?.shape ?? [];
  const question = (source: Source): [string, object] | undefined => {
    if (shape.length < 2) return ["vector", source];
    if (actualView.value === "mean") return ["mean", source];
    if (enlarged.value) return ["map", { ...source, channel: channel.value }];
    return order.value === "index" ? ["maps", packet(source, 0, shape[0] ?? 0)] : undefined;
  };
  useEffect(() => {
    const ahead = new AbortController();
    // Whoever shows the answer asks again, and tells of a failure.
    for (const asked of sources.value.map(question))
      if (asked) resources.fetch(...asked, ahead).catch(() => {});
    return () => ahead.abort();
  }, [sources.value]);
}

/** The same object until other replies are there: what is on screen stays until then. */
function useLayerData({ replies, current }: Answers<LayerValue>): LayerData[] | undefined {
  const { sources, shown } = useBrowser();
  const held = useRef<LayerData[] | undefined>(undefined);
  const now = useMemo(
    () =>
      current && replies
        ? shown.value.map((one, i) =>
            layerData(replies[i] as Reply<LayerValue>, sources.value[i] as Source, one),
          )
        : undefined,
    [current, ...(replies ?? []), sources.value],
  );
  if (now) held.current = now;
  return held.current;
}

function Mean({ data }: { data: LayerData[] }) {
  return (
    <>
      <MapTools data={data} channel={null} />
      <Enlarged data={data} channel={null} />
    </>
  );
}

function OneChannel({ data }: { data: LayerData[] }) {
  const state = useBrowser();
  const { channel, enlarged, unit, layer } = state;
  useKeptFocus();
  useOrder(data[0] as LayerData);
  const leave = () => {
    unit.value = null;
    enlarged.value = false;
  };
  return (
    <>
      <MapTools data={data} channel={channel.value}>
        <Button onClick={leave}>← All {channelWord(layer.value)}s</Button>
        <IconButton icon="fold" label="Previous channel" onClick={() => stepChannel(state, -1)} />
        <b>
          {channelWord(layer.value)} {channel.value}
        </b>
        <IconButton icon="fold" label="Next channel" onClick={() => stepChannel(state, 1)} />
        <Button
          aria-pressed={!!pinOf(state)}
          title="Keep this channel beside whatever you look at next (p)"
          onClick={() => togglePin(state)}
        >
          Pin
        </Button>
      </MapTools>
      <Enlarged data={data} channel={channel.value} />
    </>
  );
}
