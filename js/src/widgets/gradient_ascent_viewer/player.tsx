// Running the ascent, and going through what is there of it.
import { Button } from "../../shared/button";
import { count } from "../../shared/format";
import { Player } from "../../shared/player";
import { CONTRASTS } from "./contrast";
import { Choice } from "./control";
import { leftWords, NEEDS_KERNEL, speedWords } from "./describe";
import { Saving } from "./saving";
import { control, nextOf, phaseOf, type State, useAscent } from "./state";

const WORDS = ["Play what is there (p)", "Stop playing (p)"] as const;
const NAMES = { run: "Run", pause: "Pause", resume: "Resume" };

/** "step 128 of 256, 41 steps/s, about 3 s left" */
function progressWords({ film, steps, going, last, ended, alone }: State): string {
  const now = film.value;
  if (!now) return "";
  const speed = going.value ? now.speed : null;
  const words = [
    `step ${count(last.value)} of ${count(Math.max(steps.value, last.value))}`,
    speedWords(speed),
    leftWords(steps.value - last.value, speed),
  ];
  if (!going.value && !alone.value) words.push(ended.value ? "ended" : "paused");
  return words.filter(Boolean).join(", ");
}

export function Controls() {
  const state = useAscent();
  const { alone, going, film, steps, last, helping } = state;
  const next = nextOf(state);
  const title = alone.value ? NEEDS_KERNEL : undefined;
  return (
    <div class="cnnw-ga-row">
      <Button
        class="cnnw-button cnnw-ga-main"
        aria-disabled={alone.value}
        title={title ?? "Space"}
        onClick={() => control(state, next)}
      >
        {NAMES[next]}
      </Button>
      <Button
        disabled={alone.value || going.value || phaseOf(state) === "ended"}
        title={title ?? "One step of the ascent (s)"}
        onClick={() => control(state, "step")}
      >
        Step
      </Button>
      <Button
        disabled={alone.value || !film.value}
        title={title ?? "Back to the start picture"}
        onClick={() => control(state, "reset")}
      >
        Reset
      </Button>
      <Saving />
      <Button aria-label="Help (?)" onClick={() => (helping.value = true)}>
        ?
      </Button>
      {going.value && (
        <progress
          max={Math.max(1, steps.value)}
          value={film.value ? last.value : 0}
          aria-label="Progress of the ascent"
        />
      )}
      <output>{progressWords(state)}</output>
    </div>
  );
}

export function ScrubBar() {
  const { played, follow, going, contrast } = useAscent();
  return (
    <Player label="Step" played={played} words={WORDS} format={count}>
      {going.value && !follow.value && (
        <Button onClick={() => (follow.value = true)}>Newest</Button>
      )}
      <Choice label="Contrast" trait={contrast} options={CONTRASTS} own />
    </Player>
  );
}
