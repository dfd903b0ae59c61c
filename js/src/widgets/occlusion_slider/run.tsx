// The sweep: what it will cost, starting and stopping it, how far it is.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Button, PlainButton } from "../../shared/button";
import { count, percent } from "../../shared/format";
import { about } from "./describe";
import { complaint } from "./probe";
import { type State, useSlider } from "./state";
import { steps } from "./sweep";
import type { Cost } from "./types";

/** A setting that has not changed for so long is meant (ms). */
const SETTLED = 300;

/** How long a sweep would take; undefined until the kernel has said so. */
function useSeconds({ bridge, window, stride, fill, running, alone, live }: State) {
  const seconds = useSignal<number | undefined>(undefined);
  const given = [window.value, stride.value, fill.value, running.value, alone.value, live.value];
  useEffect(() => {
    seconds.value = undefined;
    if (running.value || alone.value || live.value) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const args = { window: window.value, stride: stride.value, fill: fill.value };
      bridge.request<Cost>("cost", args, { lane: "cost", signal: abort.signal }).then(
        (reply) => (seconds.value = reply.value.seconds),
        () => {}, // it stays unknown
      );
    }, SETTLED);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, given);
  return seconds.value;
}

/** "13 × 13 = 169 places, about 2 s" */
function costWords({ window, stride, size }: State, seconds: number | undefined): string {
  const [down, across] = [size.value.height, size.value.width].map((length) =>
    steps(length, window.value, stride.value),
  ) as [number, number];
  const time = seconds === undefined ? "" : `, ${about(seconds)}`;
  return `${count(down)} × ${count(across)} = ${count(down * across)} places${time}`;
}

export function Run() {
  const state = useSlider();
  const { bridge, running, progress, alone, failed, sweep } = state;
  const seconds = useSeconds(state);
  const ask = (name: string) => {
    failed.value = undefined;
    bridge.request(name, {}).catch((error) => (failed.value = complaint(error)));
  };
  const done = sweep.value?.done ?? 0;
  const going = running.value && !alone.value;
  return (
    <div class="cnnw-os-run">
      {going ? (
        <Button onClick={() => ask("stop")}>Stop</Button>
      ) : (
        <PlainButton
          class="cnnw-button cnnw-os-main"
          disabled={alone.value}
          title={alone.value ? "A sweep needs the kernel." : "Try the patch at every place"}
          onClick={() => ask("run")}
        >
          Run sweep
        </PlainButton>
      )}
      {going ? (
        <>
          <progress value={progress.value} max={1} aria-label="Progress of the sweep" />
          <output>
            {percent(Math.round(100 * progress.value) / 100)}
            {sweep.value && ` of ${count(sweep.value.total)} places`}
          </output>
        </>
      ) : (
        !alone.value && <output>{costWords(state, seconds)}</output>
      )}
      {!going && sweep.value && done < sweep.value.total && (
        <output>
          Stopped: {count(done)} of {count(sweep.value.total)} places measured
        </output>
      )}
    </div>
  );
}
