// GradientAscentViewer: what a unit or a class wants to see, as a picture that climbs.
//
// Hooks that tests may rely on:
//   region "Gradient ascent: …"     the root; data-state (empty, loading, running, paused, ended, busy,
//                                   disconnected, gone, replay), data-step that is looked at, data-held
//                                   pictures, data-generation of the ascent
//   article                         a picture; data-panel, data-step that it is of, data-score, data-answer
//   buttons "Run" (then "Pause", "Resume"), "Step", "Reset", "Newest", "Play what is there (p)", "Enlarge"
//   sliders "Step", "Step, on the curves", "Total variation", "L2", "Jitter", "Rate", …
//   comboboxes "Compare", "How many", "Measure", "Direction", "Start", "Speed", …; numbers "Steps", "Seed", "Size"
//   "Unit: …" and "Class: …"        open the listboxes "layers" and "classes"; "Save" the file formats
//   [data-first]                    where a class is the network's answer for the first time
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { onAbort } from "../../shared/lasting";
import { connect } from "../../shared/model";
import { createState, StateProvider } from "./state";
import { GradientAscentViewer } from "./viewer";
import "./style.css";

export default {
  render({ model, el, signal }: { model: AnyModel; el: HTMLElement; signal: AbortSignal }): void {
    render(
      <StateProvider value={createState(connect(model, signal))}>
        <GradientAscentViewer />
      </StateProvider>,
      el,
    );
    onAbort(signal, () => render(null, el));
  },
};
