// TrainingMonitor: how training runs go, and scrubbing back through them.
//
// Hooks that tests may rely on:
//   region "Training monitor: …"    the root; data-state (empty, loading, training, ready, disconnected, gone, busy, replay)
//   list "Runs"                     an item for each: data-run, data-state (waiting, training, paused, ended, failed, no news); buttons
//                                   "Show …", "Pause", "Resume", "Stop"; radio of its name; field "Learning rate"
//   .cnnw-tm-timeline               data-step (the chosen step), data-stops (of how many steps layers or snapshots were
//                                   recorded); slider "Recorded step": its value is the step, its arrow keys go from stop
//                                   to stop; buttons "Play", "One step back", "One step on", "Follow", "Pin"
//   tabs "Curves", "Distributions", "Layers", "Snapshots", "Findings"
//   .cnnw-tm-chart                  data-title, data-from … data-to of the horizontal axis, data-low … data-high;
//                                   its [role=application] is clicked, dragged, walked through; li[data-run][data-curve]
//                                   has the value at the step, or under the pointer
//   sliders "Smoothing"; checkbox "Log axis"; lists "Over" and "Speed"; button "Reset zoom"; list "Findings"
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { onAbort } from "../../shared/lasting";
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
    onAbort(signal, () => render(null, el));
  },
};
