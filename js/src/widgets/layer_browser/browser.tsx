// The whole widget: where its parts stand, its keys, and what it says of itself.
import { type Signal, useSignal } from "@preact/signals";
import { Button } from "../../shared/button";
import { count } from "../../shared/format";
import { handled, keep } from "../../shared/keys";
import { summary } from "./describe";
import { Help } from "./help";
import { type Action, actionOf } from "./keyboard";
import { LayerPanel } from "./layer_panel";
import { Messages } from "./messages";
import { Pictures } from "./pictures";
import { Pins, togglePin } from "./pins";
import { back, cycleRange, enlarge, type State, step, stepChannel, useBrowser } from "./state";
import { Strip } from "./strip";
import { useFiles } from "./upload";

const ACTIONS: Record<Action, (state: State) => void> = {
  previousChannel: (state) => stepChannel(state, -1),
  nextChannel: (state) => stepChannel(state, 1),
  previousLayer: (state) => step(state, -1),
  nextLayer: (state) => step(state, 1),
  enlarge,
  back,
  search: ({ searchField }) => searchField.current?.focus(),
  pin: togglePin,
  range: cycleRange,
  help: ({ helping }) => (helping.value = true),
};

/** One word for what the widget is doing, for tests and style sheets. */
function stateWord({ bridge, graph, shown }: State): string {
  if (bridge.status.value !== "connected") return bridge.status.value;
  if (!graph.value || !shown.value.length) return "empty";
  return bridge.pending.value ? "loading" : "ready";
}

export function Browser() {
  const state = useBrowser();
  const { layer, channel, graph, root } = state;
  const stripOpen = useSignal(false);
  const { dropping, ...files } = useFiles(state);
  const onKeyDown = (event: KeyboardEvent) => {
    keep(event);
    const action = actionOf(event, (event.target as Element).tagName);
    if (!action || state.helping.value) return;
    handled(event);
    ACTIONS[action](state);
  };
  return (
    <section
      ref={root}
      class="cnnw-root cnnw-lb"
      aria-label={`Layer browser: ${graph.value?.name ?? "no network"}`}
      data-lm-suppress-shortcuts="true"
      data-state={stateWord(state)}
      data-layer={layer.value?.name}
      data-channel={channel.value}
      tabIndex={-1}
      {...{ onKeyDown, ...files }}
    >
      <div data-strip={stripOpen.value ? "open" : ""}>
        <Messages />
        <Pictures />
        <nav aria-label="Network">
          <StripHeader open={stripOpen} />
          <Strip onChosen={() => (stripOpen.value = false)} />
        </nav>
        <main>
          <LayerPanel />
        </main>
        <Pins />
      </div>
      {dropping.value && (
        <div class="cnnw-lb-drop">Drop the picture to send it through the network</div>
      )}
      <Help />
      <Announcement />
    </section>
  );
}

/** In a narrow frame the strip opens and closes by a button. */
function StripHeader({ open }: { open: Signal<boolean> }) {
  const { graph, helping } = useBrowser();
  const { name, total_parameters } = graph.value ?? {};
  return (
    <header>
      <Button aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        Layers
      </Button>
      <b title={name}>
        {name}
        <small>{total_parameters !== undefined && `${count(total_parameters)} parameters`}</small>
      </b>
      <Button aria-label="Help (?)" onClick={() => (helping.value = true)}>
        ?
      </Button>
    </header>
  );
}

/** Read out by screen readers when the layer or the view changes. */
function Announcement() {
  const { layer, graph, actualView, channel, enlarged } = useBrowser();
  const said = layer.value
    ? `${summary(layer.value, graph.value?.input ?? [])}. ${actualView.value}${enlarged.value ? `, channel ${channel.value} enlarged` : ""}`
    : "Nothing computed yet";
  return (
    <p class="cnnw-sr" aria-live="polite">
      {said}
    </p>
  );
}
