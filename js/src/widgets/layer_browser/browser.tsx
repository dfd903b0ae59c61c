// The whole widget: where its parts stand, its keys, and what it says of itself.
import { useSignal } from "@preact/signals";
import { Banner } from "../../shared/banner";
import { Button } from "../../shared/button";
import { count } from "../../shared/format";
import { handled } from "../../shared/keys";
import { GONE, LOST } from "../../shared/model";
import { summary } from "./describe";
import { Help } from "./help";
import { type Action, actionOf } from "./keyboard";
import { LayerPanel } from "./layer_panel";
import { Pictures } from "./pictures";
import { Pins, togglePin } from "./pins";
import {
  back,
  cycleRange,
  enlarge,
  focusRoot,
  type State,
  step,
  stepChannel,
  useBrowser,
} from "./state";
import { Strip } from "./strip";
import { pictureIn, upload } from "./upload";

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
  const { layer, channel, graph } = state;
  const dropping = useSignal(false);
  const stripOpen = useSignal(false);
  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionOf(event, (event.target as Element).tagName);
    if (!action || state.helping.value) return;
    handled(event);
    ACTIONS[action](state);
  };
  const drag = (inside: boolean) => (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    dropping.value = inside;
  };
  return (
    <section
      ref={state.root}
      class="cnnw-root cnnw-lb"
      aria-label={`Layer browser: ${graph.value?.name ?? "no network"}`}
      data-lm-suppress-shortcuts="true"
      data-state={stateWord(state)}
      data-layer={layer.value?.name}
      data-channel={channel.value}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onDragOver={drag(true)}
      onDragLeave={drag(false)}
      onDrop={(event) => {
        drag(false)(event);
        if (event.dataTransfer?.files.length) upload(state, pictureIn(event.dataTransfer));
      }}
      onPaste={(event) => {
        const picture = pictureIn(event.clipboardData);
        if (picture) upload(state, picture);
      }}
    >
      <div class="cnnw-lb-frame" data-strip={stripOpen.value ? "open" : ""}>
        <Messages />
        <Pictures />
        <nav class="cnnw-lb-strip" aria-label="Network">
          <header>
            <Button
              class="cnnw-button cnnw-lb-fold"
              aria-expanded={stripOpen.value}
              onClick={() => (stripOpen.value = !stripOpen.value)}
            >
              Layers
            </Button>
            <b title={graph.value?.name}>
              {graph.value?.name}
              <small>{graph.value && `${count(graph.value.total_parameters)} parameters`}</small>
            </b>
            <Button aria-label="Help (?)" onClick={() => (state.helping.value = true)}>
              ?
            </Button>
          </header>
          <Strip onChosen={() => (stripOpen.value = false)} />
        </nav>
        <main class="cnnw-lb-main">
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

function Messages() {
  const { bridge, error, notice, graph, root } = useBrowser();
  const dismissed = useSignal<string | null>(null);
  const status = bridge.status.value;
  const interrupt = () => {
    bridge.interrupt?.();
    focusRoot(root); // the button goes
  };
  return (
    <div class="cnnw-lb-messages">
      {status === "disconnected" && <Banner kind="warning">{LOST}</Banner>}
      {status === "gone" && <Banner kind="warning">{GONE}</Banner>}
      {status === "busy" && (
        <Banner
          kind="info"
          action={bridge.interrupt && { label: "Interrupt the cell", onClick: interrupt }}
        >
          The kernel is running a cell and may only answer when the cell ends.
        </Banner>
      )}
      {error.value && error.value !== dismissed.value && (
        <Banner kind="error" onDismiss={() => (dismissed.value = error.value)}>
          {error.value}
        </Banner>
      )}
      {graph.value?.error && graph.value.error !== error.value && (
        <Banner kind="error">{graph.value.error}</Banner>
      )}
      {notice.value && (
        <Banner
          kind={status === "replay" ? "info" : "error"}
          onDismiss={() => (notice.value = undefined)}
        >
          {notice.value}
        </Banner>
      )}
    </div>
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
