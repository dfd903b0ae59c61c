"""The smallest widget that crosses the boundary both ways, to test the driver with."""

from __future__ import annotations

import anywidget
import traitlets


class Counter(anywidget.AnyWidget):
    """A button that counts its clicks."""

    _esm = """
    export default {
      render({ model, el, signal }) {
        const button = document.createElement("button");
        button.className = "toy";
        const show = () => { button.textContent = `count ${model.get("count")}`; };
        button.addEventListener("click", () => {
          model.set("count", model.get("count") + 1);
          model.save_changes();
        }, { signal });
        model.on("change:count", show);
        show();
        el.append(button);
      },
    };
    """
    count = traitlets.Int(0).tag(sync=True)
