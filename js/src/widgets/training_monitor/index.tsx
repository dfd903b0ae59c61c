// TrainingMonitor: how a training run goes, and scrubbing back through it.
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { connect } from "../../shared/model";
import { TrainingMonitor } from "./monitor";
import { createState, StateProvider } from "./state";
import "./style.css";

export default {
  render({ model, el, signal }: { model: AnyModel; el: HTMLElement; signal: AbortSignal }): void {
    render(
      <StateProvider value={createState(connect(model, signal))}>
        <TrainingMonitor />
      </StateProvider>,
      el,
    );
    signal.addEventListener("abort", () => render(null, el));
  },
};
