// SaliencyViewer: which pixels matter to a class, by one method or several, and how far to trust it.
//
// Hooks that tests may rely on:
//   region "Saliency viewer: …"     the root; data-state (ready, loading, running, disconnected, busy, replay)
//   article "Method: class"         a map; data-id (method:class:model), data-state (empty, loading, partial,
//                                   ready, old, error), data-done, data-value under the pointer, data-high of
//                                   the range, data-similarity of a random model's
//   comboboxes "Method", "Channels", "Values", "Range", …; sliders "Samples", "Noise", "Clip at", "Opacity"
//   buttons "Run", "Stop", "Random weights", "Compute curves", "Cut out"; tabs "How far to trust it"
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { onAbort } from "../../shared/lasting";
import { connect } from "../../shared/model";
import { createState, StateProvider } from "./state";
import { SaliencyViewer } from "./viewer";
import "./style.css";

export default {
  render({ model, el, signal }: { model: AnyModel; el: HTMLElement; signal: AbortSignal }): void {
    render(
      <StateProvider value={createState(connect(model, signal))}>
        <SaliencyViewer />
      </StateProvider>,
      el,
    );
    onAbort(signal, () => render(null, el));
  },
};
