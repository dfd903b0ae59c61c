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
  const send = () => {
    const rate = rateOf(typed.value ?? "");
    if (rate === undefined) return;
    typed.value = null;
    void control(state, run, "rate", rate);
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
          title={wrong ? "A number above zero, such as 0.01" : "Enter applies it to the next step"}
          value={typed.value ?? (run.rate === null ? "" : number(run.rate))}
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
