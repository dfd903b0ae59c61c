// The whole widget: where its parts stand, and what it says of itself.
import { Banner } from "../../shared/banner";
import { KernelBanner } from "../../shared/kernel_banner";
import { keep } from "../../shared/keys";
import { Choices, Run } from "./choices";
import { Judge } from "./judge";
import { Panels } from "./panels";
import { Computing, Showing } from "./settings";
import { methodOf, type State, useViewer } from "./state";

/** One word for what the widget is doing, for tests and style sheets. */
function stateWord(state: State): string {
  const { bridge, running, missing } = state;
  if (bridge.status.value !== "connected") return bridge.status.value;
  if (running.value) return "running";
  const coming = missing.value.some(({ method }) => methodOf(state, method).at_once);
  return coming || bridge.pending.value ? "loading" : "ready";
}

function Messages() {
  const { bridge, error, failed, held } = useViewer();
  const said = failed.value ?? held.failed.value ?? error.value;
  return (
    <>
      <KernelBanner bridge={bridge} />
      {said && <Banner kind="error">{said}</Banner>}
    </>
  );
}

export function SaliencyViewer() {
  const state = useViewer();
  return (
    <section
      class="cnnw-root cnnw-sv"
      aria-label={`Saliency viewer: ${state.network.value}`}
      data-lm-suppress-shortcuts="true"
      data-state={stateWord(state)}
      onKeyDown={keep}
    >
      <div class="cnnw-sv-frame">
        <Messages />
        <Choices />
        <Run />
        <div class="cnnw-sv-main">
          <Panels />
          <div class="cnnw-sv-side">
            <Computing />
            <Showing />
          </div>
        </div>
        <Judge />
      </div>
    </section>
  );
}
