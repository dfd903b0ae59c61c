// The whole widget: where its parts stand, and what it says of itself.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Banner } from "../../shared/banner";
import { KernelBanner } from "../../shared/kernel_banner";
import { keep } from "../../shared/keys";
import { Classes } from "./classes";
import { summary } from "./describe";
import { KeptPatches } from "./kept";
import { Layers } from "./layers";
import { MapLegend } from "./legend";
import { mapOf } from "./map";
import { Run } from "./run";
import { Settings } from "./settings";
import { Stage } from "./stage";
import { type State, useSlider } from "./state";

/** What screen readers are told, once the patch has rested for so long (ms). */
const RESTED = 500;

/** One word for what the widget is doing, for tests and style sheets. */
function stateWord({ bridge, running }: State): string {
  if (bridge.status.value !== "connected") return bridge.status.value;
  if (running.value) return "running";
  return bridge.pending.value ? "loading" : "ready";
}

export function OcclusionSlider() {
  const state = useSlider();
  const map = useMemo(() => mapOf(state), [state]).value;
  const { question } = state.probe.answer.value;
  return (
    <section
      class="cnnw-root cnnw-os"
      aria-label={`Occlusion slider: ${state.network.value}`}
      data-lm-suppress-shortcuts="true"
      data-state={stateWord(state)}
      data-row={question.row}
      data-column={question.column}
      data-done={state.sweep.value?.done}
      onKeyDown={keep}
    >
      <div class="cnnw-os-frame">
        <Messages />
        <div class="cnnw-os-left">
          <Stage map={map} />
          <Help />
          <KeptPatches />
        </div>
        <div class="cnnw-os-right">
          <Classes />
          <Settings />
          <Run />
          {map && <MapLegend map={map} />}
          <Layers />
        </div>
      </div>
      <Summary />
    </section>
  );
}

function Help() {
  const { alone } = useSlider();
  return (
    <p class="cnnw-note">
      {alone.value
        ? "Point at the map to see what the network says with the patch there."
        : "Arrow keys move the patch by 1 px, with Shift by a stride; Enter keeps it, Delete removes the last one kept."}
    </p>
  );
}

function Messages() {
  const { bridge, error, probe, failed } = useSlider();
  const said = failed.value ?? probe.failed.value ?? error.value;
  return (
    <div class="cnnw-os-messages">
      <KernelBanner bridge={bridge} />
      {said && <Banner kind="error">{said}</Banner>}
    </div>
  );
}

function Summary() {
  const { probe, target, single, measure } = useSlider();
  const said = useSignal({ rows: probe.answer.peek().rows, text: "" });
  const { question, rows } = probe.answer.value;
  useEffect(() => {
    const timer = setTimeout(() => {
      const row = rows.find(({ index }) => index === target.value);
      said.value = { rows, text: summary(question, row, single.value ? "logit" : measure.value) };
    }, RESTED);
    return () => clearTimeout(timer);
  }, [question, rows]);
  return (
    <p class="cnnw-sr" aria-live="polite">
      {said.value.rows === rows && said.value.text}
    </p>
  );
}
