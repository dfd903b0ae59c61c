// The runs: the legend of every figure, how each goes, and what can be done to it.
import { PlainButton } from "../../shared/button";
import { count, number } from "../../shared/format";
import { duration, longest } from "./clock";
import { Controls } from "./controls";
import type { HeldRun } from "./history";
import { useMonitor } from "./state";
import type { Run } from "./types";

/** Points that tell how fast it goes now. */
const RECENT = 50;

/** Seconds until the last step, at the pace of the last points; undefined where it is not known. */
export function remaining({ total }: Run, held: HeldRun): number | undefined {
  const { steps, seconds } = longest(held.curves) ?? { steps: [], seconds: [] };
  const last = steps.length - 1;
  const first = Math.max(0, last - RECENT);
  const done = (steps[last] ?? 0) - (steps[first] ?? 0);
  if (total === null || done <= 0) return undefined;
  const took = ((seconds[last] as number) - (seconds[first] as number)) / done;
  return Math.max(0, total - held.progress.last_step) * took;
}

/** How a run goes, as far as that is known without a kernel. */
function wordOf(run: Run, held: HeldRun | undefined, alone: boolean): string {
  const { error, live, paused, stopped, silence } = run;
  if (error) return "failed";
  if (stopped) return "stopped";
  if (alone && live) return "no news";
  if (silence) return silence;
  if (!live) return "ended";
  if (paused) return "paused";
  return held && !held.curves.length ? "waiting" : "training";
}

function Going({ run, held, live }: { run: Run; held: HeldRun; live: boolean }) {
  const { last_step, speed, elapsed } = held.progress;
  const left = live ? remaining(run, held) : undefined;
  const of = run.total === null ? "" : ` of ${count(run.total)}`;
  return (
    <span class="cnnw-tm-going">
      <output>
        step {count(Math.max(last_step, ...Object.values(run.images ?? {}).flat()))}
        {of}
      </output>
      {elapsed > 0 && <output>{duration(elapsed)}</output>}
      {live && speed !== null && <output>{number(speed, 3)} samples/s</output>}
      {left !== undefined && <output>{duration(left)} left</output>}
    </span>
  );
}

function Entry({ run, index }: { run: Run; index: number }) {
  const state = useMonitor();
  const chosen = state.run.value?.id === run.id;
  const hidden = state.hidden.value.has(run.id);
  const held = state.store.of(run.id);
  const { name } = run;
  const word = wordOf(run, held, state.alone.value);
  return (
    <li data-run={run.id} data-state={word}>
      <PlainButton
        class="cnnw-tm-shown"
        aria-pressed={!hidden}
        aria-label={`Show ${name}`}
        title={`${hidden ? "Show" : "Hide"} ${name}`}
        onClick={() => state.toggle(run.id)}
      >
        <i class="cnnw-tm-dot" style={{ background: hidden ? "none" : state.colorOf(run.id) }} />
      </PlainButton>
      <label title={`${run.model}: look at its layers and snapshots`}>
        <input
          type="radio"
          checked={chosen}
          hidden={state.runs.value.length < 2}
          onChange={() => state.choose(index)}
        />
        <b>{name}</b>
      </label>
      <span class="cnnw-tm-word">{word}</span>
      <Controls run={run} />
      {held ? <Going run={run} held={held} live={word === "training"} /> : <small>loading …</small>}
    </li>
  );
}

export function Header() {
  const { runs } = useMonitor();
  return (
    <ul class="cnnw-tm-runs" aria-label="Runs">
      {runs.value.map((run, index) => (
        <Entry key={run.id} run={run} index={index} />
      ))}
    </ul>
  );
}
