// The one scrub bar: every recorded step and snapshot of the chosen run, and what was found on the way.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Button } from "../../shared/button";
import { count } from "../../shared/format";
import { Scrubber } from "../../shared/scrubber";
import { useSize } from "../../shared/size";
import { explained } from "./describe";
import { nearest } from "./sorted";
import { useMonitor } from "./state";
import { TRAIL, Trail } from "./trail";

/** A run is played in about so many seconds, at no more than so many steps a second. */
const [PLAYED, FASTEST] = [15, 30];
/** Half the width of a slider's thumb: its ends stand for the first and last step (CSS pixels). */
const THUMB = 8;

/** What lies under the slider: ticks where snapshots are, marks where something was found. */
function Ticks({ left, width }: { left: number; width: number }) {
  const state = useMonitor();
  const { run, stops, pinned } = state;
  const last = Math.max(1, stops.value.length - 1);
  const share = (step: number) => nearest(stops.value, step) / last;
  const snapshots = run.value?.snapshots.steps ?? [];
  const path = snapshots.map((step) => `M${(width * share(step)).toFixed(1)} ${TRAIL}v5`).join("");
  return (
    <div class="cnnw-tm-stops" style={{ left: `${left}px`, width: `${width}px` }}>
      <svg width={width} height={TRAIL + 5} data-snapshots={snapshots.length} aria-hidden="true">
        <Trail width={width} />
        <path d={path} />
      </svg>
      {pinned.value !== null && (
        <i class="cnnw-tm-flag" style={{ left: `${100 * share(pinned.value)}%` }} />
      )}
      {run.value?.findings.map((finding, i) => (
        <button
          key={i}
          type="button"
          tabIndex={-1}
          class="cnnw-tm-mark"
          data-severity={finding.severity}
          style={{ left: `${100 * share(finding.step)}%` }}
          title={explained(finding)}
          aria-label={explained(finding)}
          onClick={() => run.value && state.visit(run.value, finding)}
        />
      ))}
    </div>
  );
}

function Buttons({ index }: { index: number }) {
  const { stops, go, follow, pinned, step } = useMonitor();
  const to = (by: number) => {
    const next = stops.value[index + by];
    if (next !== undefined) go(next);
  };
  const isPinned = pinned.value !== null;
  return (
    <>
      <Button aria-label="One step back" disabled={index <= 0} onClick={() => to(-1)}>
        ‹
      </Button>
      <Button
        aria-label="One step on"
        disabled={index >= stops.value.length - 1}
        onClick={() => to(1)}
      >
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
  const { stops, step, go } = useMonitor();
  const playing = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const input = width ? box.current?.querySelector("input") : undefined;
  const index = Math.max(0, nearest(stops.value, step.value));
  const rate = Math.min(FASTEST, Math.max(4, stops.value.length / PLAYED));
  return (
    <div class="cnnw-tm-timeline" data-step={step.value} data-stops={stops.value.length}>
      <div ref={box} class="cnnw-tm-scrub">
        <Scrubber
          label="Recorded step"
          steps={stops.value}
          index={index}
          playing={playing.value}
          framesPerSecond={rate}
          onInput={(i) => go(stops.value[i] ?? 0)}
          onPlay={(on) => {
            playing.value = on;
          }}
        />
        {input && <Ticks left={input.offsetLeft + THUMB} width={input.offsetWidth - 2 * THUMB} />}
      </div>
      <div class="cnnw-tm-row">
        <Buttons index={index} />
      </div>
    </div>
  );
}
