// What can be done to a run that trains in the background.
import { useSignal } from "@preact/signals";
import { Button } from "../../shared/button";
import { number } from "../../shared/format";
import type { RequestError } from "../../shared/model";
import { rateOf } from "./rate";
import { type State, useMonitor } from "./state";
import type { Run } from "./types";

export const NEEDS_KERNEL = "Only with a kernel: run the notebook's cell again";

async function control(state: State, run: Run, action: string, value?: number): Promise<void> {
  const { bridge, failed } = state;
  failed.value = undefined;
  try {
    const args = { run: run.id, action, ...(value === undefined ? {} : { value }) };
    await bridge.request("control", args, { signal: bridge.signal });
  } catch (error) {
    const { message, cancelled } = error as RequestError;
    if (!cancelled) failed.value = message;
  }
}

function Rate({ run }: { run: Run }) {
  const state = useMonitor();
  const typed = useSignal<string | null>(null);
  const wrong = typed.value !== null && rateOf(typed.value) === undefined;
  const pending = run.pending_rate ?? null;
  const rate = pending ?? run.rate;
  const send = () => {
    const wanted = rateOf(typed.value ?? "");
    if (wanted === undefined) return;
    typed.value = null;
    void control(state, run, "rate", wanted);
  };
  return (
    <form
      class="cnnw-tm-rate"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label>
        <span>Learning rate</span>
        <input
          type="text"
          inputMode="decimal"
          size={8}
          disabled={state.alone.value}
          aria-invalid={wrong}
          title="Enter applies it to the next step"
          value={typed.value ?? (rate === null ? "" : number(rate))}
          onInput={({ currentTarget }) => {
            typed.value = currentTarget.value;
          }}
          onKeyDown={({ key }) => {
            if (key === "Escape") typed.value = null;
          }}
        />
      </label>
      {typed.value !== null && (
        <button type="submit" class="cnnw-button" disabled={wrong}>
          Apply
        </button>
      )}
      {wrong && <small role="alert">a number above 0, such as 0.01</small>}
      {typed.value === null && pending !== null && <small>from the next step</small>}
    </form>
  );
}

export function Controls({ run }: { run: Run }) {
  const state = useMonitor();
  if (!run.controllable || !run.live) return null;
  const alone = state.alone.value;
  const able = { disabled: alone, title: alone ? NEEDS_KERNEL : undefined };
  const action = run.paused ? "resume" : "pause";
  return (
    <span class="cnnw-tm-controls">
      <Button {...able} onClick={() => control(state, run, action)}>
        {run.paused ? "Resume" : "Pause"}
      </Button>
      <Button {...able} onClick={() => control(state, run, "stop")}>
        Stop
      </Button>
      <Rate run={run} />
    </span>
  );
}
