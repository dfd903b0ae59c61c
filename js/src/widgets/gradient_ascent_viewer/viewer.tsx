// The whole widget: where its parts stand, its keys, and what it says of itself.
import { Banner } from "../../shared/banner";
import { count } from "../../shared/format";
import { KernelBanner } from "../../shared/kernel_banner";
import { handled, keep } from "../../shared/keys";
import { GONE } from "../../shared/model";
import { Curves } from "./curve";
import { answerWords } from "./describe";
import { Help } from "./help";
import { press } from "./keyboard";
import { Controls, ScrubBar } from "./player";
import { Settings } from "./settings";
import { Stage } from "./stage";
import { phaseOf, type State, useAscent } from "./state";
import { Subject } from "./subject";

/** One word for what the widget is doing, for tests and style sheets. */
function stateWord(state: State): string {
  const { value } = state.bridge.status;
  return value === "connected" ? phaseOf(state) : value;
}

function Messages() {
  const { bridge, failed, frames, error } = useAscent();
  const said = failed.value ?? frames.failed.value ?? error.value;
  return (
    <>
      <KernelBanner bridge={bridge} />
      {said && said !== GONE && <Banner kind="error">{said}</Banner>}
    </>
  );
}

const SAID = {
  empty: "No picture yet",
  loading: "The pictures are on their way",
  running: "The picture climbs",
  paused: "Paused",
  ended: "Ended",
};

/** What screen readers are told when it begins, pauses or ends. */
function Summary() {
  const state = useAscent();
  const { film } = state;
  const phase = phaseOf(state);
  const ended = phase === "paused" || phase === "ended";
  if (ended) film.value?.version.value;
  const still = ended ? film.value?.stills.at(-1) : undefined;
  const found = film.value?.panels.map((panel, i) => {
    const says = answerWords(still && film.value?.saidOf(still.step, i));
    const label = still && film.value?.labelOf(panel, still.step);
    return [label, says && `the network says ${says}`, film.value?.notes[i]?.words]
      .filter(Boolean)
      .join(": ");
  });
  return (
    <p class="cnnw-sr" aria-live="polite">
      {SAID[phase]}
      {still && ` at step ${count(still.step)}. ${found?.join("; ")}`}
    </p>
  );
}

export function GradientAscentViewer() {
  const state = useAscent();
  const { network, shown, film } = state;
  const now = film.value;
  now?.version.value;
  return (
    <section
      class="cnnw-root cnnw-ga"
      aria-label={`Gradient ascent: ${network.value}`}
      data-lm-suppress-shortcuts="true"
      data-state={stateWord(state)}
      data-step={shown.value}
      data-held={now?.stills.length ?? 0}
      data-generation={now?.generation}
      tabIndex={-1}
      onKeyDown={(event) => {
        keep(event);
        if (press(event, state)) handled(event);
      }}
    >
      <div class="cnnw-ga-frame">
        <Messages />
        <div class="cnnw-ga-row cnnw-ga-subject">
          <Subject />
        </div>
        <div class="cnnw-ga-columns">
          <div class="cnnw-ga-left">
            <Controls />
            <Stage />
            <ScrubBar />
            {now && now.length > 1 && <Curves film={now} />}
          </div>
          <Settings />
        </div>
      </div>
      <Help />
      <Summary />
    </section>
  );
}
