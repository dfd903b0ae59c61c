// LayerBrowser: a network's layers, maps, filters, gradients, and every convolution's arithmetic.
//
// Hooks that tests may rely on:
//   region "Layer browser: …"   the root; data-state (empty, loading, ready, busy, disconnected, gone, replay), data-layer, data-channel
//   tree "Layers"               the strip; treeitem with data-layer; blocks are treeitems with aria-expanded
//   searchbox "Search layers"   tab "Maps" | "Units" | "Mean" | "Filters" | "Gradients"; tabpanel with data-view
//   grid "64 channels of conv1" gridcells; combobox "Sort by", "Colours", "Input", "Gradient of the logit of"
//   figure with data-view (input, map) and data-slot (a, b), holding application "…", read-outs as status
//   region "Receipt of one unit"        rows with data-channel; data-equal on the comparison with torch
//   group "Pictures to choose from"    buttons "Show …" with data-choice; buttons "Upload a picture", "Compare"
//   list "Pinned channels"
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { onAbort } from "../../shared/lasting";
import { connect } from "../../shared/model";
import { Browser } from "./browser";
import { createState, StateProvider } from "./state";
import "./style.css";

export default {
  render({ model, el, signal }: { model: AnyModel; el: HTMLElement; signal: AbortSignal }): void {
    render(
      <StateProvider value={createState(connect(model, signal))}>
        <Browser />
      </StateProvider>,
      el,
    );
    onAbort(signal, () => render(null, el));
  },
};
