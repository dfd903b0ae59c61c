// OcclusionSlider: a patch to move over a picture, what the network then says, and a sweep of all places.
//
// Hooks that tests may rely on:
//   region "Occlusion slider: …"    the root; data-state (ready, loading, running, disconnected, busy, replay),
//                                   data-row and data-column of the patch that the bars are of, data-done of the map
//   application "Picture …"         the stage; arrow keys move the patch, Enter keeps it
//   list "Classes"                  rows with data-class, data-probability and data-change
//   sliders "Window", "Stride", "Map opacity"; comboboxes "Fill", "Measure", "Map shows"
//   "Class: …"                      opens the listbox "classes" and its search field
//   buttons "Run sweep", "Stop", "Keep patch"; list "Kept patches"; group "Which layers notice"
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { onAbort } from "../../shared/lasting";
import { connect } from "../../shared/model";
import { OcclusionSlider } from "./slider";
import { createState, StateProvider } from "./state";
import "./style.css";

export default {
  render({ model, el, signal }: { model: AnyModel; el: HTMLElement; signal: AbortSignal }): void {
    render(
      <StateProvider value={createState(connect(model, signal))}>
        <OcclusionSlider />
      </StateProvider>,
      el,
    );
    onAbort(signal, () => render(null, el));
  },
};
