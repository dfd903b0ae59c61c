// The one scrub bar: all steps of the chosen run, where its layers and snapshots were recorded, and what was found.
import { useRef } from "preact/hooks";
import { Button } from "../../shared/button";
import { count } from "../../shared/format";
import { useSize } from "../../shared/size";
import { Mark } from "./mark";
import { ScrubBar } from "./player";
import { useMonitor } from "./state";
import { TRAIL, Trail } from "./trail";
import type { Run } from "./types";
import { walk } from "./walking";

/** Half the width of a slider's thumb: its ends stand for the first and last step (CSS pixels). */
const THUMB = 8;

/** Lengths of ticks where layers and where snapshots were recorded (CSS pixels). */
const [ROW, SNAPSHOT] = [3, 6];

/** Ticks of that length, no two in the same place. */
const ticksAt = (places: readonly number[], length: number): string =>
  [...new Set(places.map((place) => `M${place.toFixed()} ${TRAIL}v${length}`))].join("");

/** What lies under the slider: the loss, ticks where something was recorded, marks where something was found. */
function Ticks({ left, width }: { left: number; width: number }) {
  const state = useMonitor();
  const { run, store, span, pinned } = state;
  const [first, last] = span.value ?? [0, 1];
  const share = (step: number) => (step - first) / (last - first || 1);
  const placesOf = (steps: ArrayLike<number>) => Array.from(steps, (step) => width * share(step));
  const snapshots = run.value?.snapshots.steps ?? [];
  const rows = (run.value && store.of(run.value.id)?.steps) ?? [];
  return (
    <div class="cnnw-tm-stops" style={{ left: `${left}px`, width: `${width}px` }}>
      <svg
        width={width}
        height={TRAIL + SNAPSHOT}
        data-snapshots={snapshots.length}
        aria-hidden="true"
      >
        <Trail width={width} first={first} last={last} />
        <path d={ticksAt(placesOf(rows), ROW) + ticksAt(placesOf(snapshots), SNAPSHOT)} />
      </svg>
      {pinned.value !== null && (
        <i class="cnnw-tm-flag" style={{ left: `${100 * share(pinned.value)}%` }} />
      )}
      {run.value?.findings.map((finding, i) => (
        <Mark key={i} run={run.value as Run} {...{ finding }} share={share(finding.step)} />
      ))}
    </div>
  );
}

function Buttons() {
  const { stops, go, leap, follow, pinned, step } = useMonitor();
  const [first = step.value, last = first] = [stops.value[0], stops.value.at(-1)];
  const isPinned = pinned.value !== null;
  return (
    <>
      <Button aria-label="One step back" disabled={step.value <= first} onClick={() => leap(-1)}>
        ‹
      </Button>
      <Button aria-label="One step on" disabled={step.value >= last} onClick={() => leap(1)}>
        ›
      </Button>
      <Button
        aria-pressed={follow.value}
        title="Stay at the newest step"
        onClick={() => {
          if (follow.value) go(step.value);
          else follow.value = true;
        }}
      >
        Follow
      </Button>
      <Button
        aria-pressed={isPinned}
        title={
          isPinned
            ? "Compare with no step"
            : "Compare with this step: difference and values of both"
        }
        onClick={() => {
          pinned.value = isPinned ? null : step.value;
        }}
      >
        {isPinned ? `Pinned: ${count(pinned.value as number)}` : "Pin"}
      </Button>
    </>
  );
}

export function Timeline() {
  const state = useMonitor();
  const { stops, step } = state;
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const input = width ? box.current?.querySelector("input") : undefined;
  return (
    <div class="cnnw-tm-timeline" data-step={step.value} data-stops={stops.value.length}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: what the slider in it does not do by itself */}
      <div ref={box} class="cnnw-tm-scrub" onKeyDown={(event) => walk(state, event)}>
        <ScrubBar />
        {input && <Ticks left={input.offsetLeft + THUMB} width={input.offsetWidth - 2 * THUMB} />}
      </div>
      <div class="cnnw-tm-row">
        <Buttons />
      </div>
    </div>
  );
}
