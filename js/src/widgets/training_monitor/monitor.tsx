// The whole widget: where its parts stand, and what it says of itself.
import { useSignal } from "@preact/signals";
import { Banner } from "../../shared/banner";
import { KernelBanner } from "../../shared/kernel_banner";
import { keep } from "../../shared/keys";
import { type Tab, Tabs } from "../../shared/tabs";
import { Curves } from "./curves";
import { Findings, FirstError } from "./findings";
import { Header } from "./header";
import { Distributions } from "./histograms";
import { LayersAt } from "./layers_at";
import { LayersOver } from "./layers_over";
import { isBanner } from "./refusal";
import { Ahead, Snapshots } from "./snapshots";
import { type State, useMonitor } from "./state";
import { Timeline } from "./timeline";
import type { Run } from "./types";

type Key = "curves" | "distributions" | "layers" | "snapshots" | "findings";

/** Was anything recorded of a run, or logged? */
function hasAny({ store }: State, { id, images = {} }: Run): boolean {
  const held = store.of(id);
  return !!held && held.curves.length + held.steps.length + Object.keys(images).length > 0;
}

/** One word for what the widget is doing, for tests and style sheets. */
function stateWord(state: State): string {
  const { bridge, runs, store } = state;
  if (bridge.status.value !== "connected") return bridge.status.value;
  if (runs.value.some(({ id }) => !store.of(id))) return "loading";
  if (!runs.value.some((run) => hasAny(state, run))) return "empty";
  return runs.value.some(({ live, paused }) => live && !paused) ? "training" : "ready";
}

function Messages() {
  const { bridge, error, failed, store, runs, clockless } = useMonitor();
  const said = error.value ?? store.failed.value;
  return (
    <>
      <KernelBanner bridge={bridge} />
      {said && !isBanner(said) && <Banner kind="error">{said}</Banner>}
      {failed.value && (
        <Banner
          kind="error"
          onDismiss={() => {
            failed.value = undefined;
          }}
        >
          {failed.value}
        </Banner>
      )}
      {runs.value.flatMap(({ id, name, error, notes }) => [
        error && <Banner key={id} kind="error">{`${name}: ${error}`}</Banner>,
        ...notes.map((note) => <Banner key={id + note} kind="info">{`${name}: ${note}`}</Banner>),
      ])}
      {clockless.value.length > 0 && (
        <Banner kind="info">
          {`Not drawn, because no curve “epoch” was logged: ${clockless.value.join(", ")}.`}
        </Banner>
      )}
    </>
  );
}

function Panel({ shown }: { shown: Key }) {
  if (shown === "curves") return <Curves />;
  if (shown === "distributions") return <Distributions />;
  if (shown === "snapshots") return <Snapshots />;
  if (shown === "findings") return <Findings />;
  return (
    <>
      <LayersAt />
      <LayersOver />
    </>
  );
}

/** What there is to see once something was recorded. */
function Views() {
  const { shown, charts } = useMonitor();
  const tab = useSignal<Key>(charts.value.length ? "curves" : "snapshots");
  const found = shown.value.reduce((sum, { findings }) => sum + findings.length, 0);
  const tabs: Tab<Key>[] = [
    { key: "curves", label: "Curves" },
    { key: "distributions", label: "Distributions" },
    { key: "layers", label: "Layers" },
    { key: "snapshots", label: "Snapshots" },
    { key: "findings", label: found ? `Findings (${found})` : "Findings" },
  ];
  return (
    <>
      <Ahead />
      <Timeline />
      {tab.value !== "findings" && <FirstError />}
      <Tabs
        label="Views"
        tabs={tabs}
        selected={tab.value}
        onSelect={(key) => {
          tab.value = key;
        }}
      />
      <div role="tabpanel" aria-label={tabs.find(({ key }) => key === tab.value)?.label}>
        <Panel shown={tab.value} />
      </div>
    </>
  );
}

export function TrainingMonitor() {
  const state = useMonitor();
  const word = stateWord(state);
  const names = state.runs.value.map(({ name }) => name).join(", ");
  const any = state.runs.value.some((run) => hasAny(state, run));
  return (
    <section
      class="cnnw-root cnnw-tm"
      aria-label={`Training monitor: ${names}`}
      data-lm-suppress-shortcuts="true"
      data-state={word}
      onKeyDown={keep}
    >
      <div class="cnnw-tm-frame">
        <Messages />
        <Header />
        {any ? (
          <Views />
        ) : word === "empty" ? (
          <p class="cnnw-tm-empty">
            No step yet: what is recorded appears here as soon as you run your training loop.
          </p>
        ) : (
          <p class="cnnw-tm-empty">Loading what was recorded …</p>
        )}
      </div>
    </section>
  );
}
