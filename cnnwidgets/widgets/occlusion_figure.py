"""The picture under its patch, the probabilities and the map as a matplotlib figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cnnwidgets.widgets.drawing import BAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cnnwidgets.attribution.occlusion_map import OcclusionMap
    from cnnwidgets.widgets.occlusion_probing import Patch

_SIZE = (10.0, 3.6)  # inches
_MOST_NAME = 18
_EDGE = "#e8590c"


def draw(
    pixels: NDArray[np.uint8],
    patch: Patch,
    rows: Sequence[dict[str, Any]],
    result: OcclusionMap | None,
    target: str,
) -> Figure:
    """Draw what an occlusion slider shows.

    Parameters
    ----------
    pixels
        uint8 [H, W, 1 or 3], the picture with the patch on it.
    patch
        Where the patch is.
    rows
        The classes, as `probabilities` has them.
    result
        The sweep, if there is one.
    target
        Name of the class that it follows.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    picture, bars, *rest = figure.subplots(1, 2 if result is None else 3, squeeze=False)[0]
    _show(picture, pixels)
    box = (patch.column - 0.5, patch.row - 0.5), patch.window, patch.window
    picture.add_patch(Rectangle(*box, fill=False, edgecolor=_EDGE, linewidth=1.5))
    picture.set_title(f"{patch.window} × {patch.window} at row {patch.row}, column {patch.column}")
    _draw_rows(bars, rows)
    if result is not None:
        _show(rest[0], pixels.mean(2, keepdims=True).astype(np.uint8))
        map_ = rest[0].imshow(result.heatmap().numpy(), alpha=0.7, cmap="viridis")
        rest[0].set_title(_plain(f"{target}; low = important"))
        figure.colorbar(map_, ax=rest[0], label=f"mean {result.measure} with the patch on it")
    return figure


def _show(axes: Axes, pixels: NDArray[np.uint8]) -> None:
    grey = pixels.shape[2] == 1
    axes.imshow(pixels.squeeze(2) if grey else pixels, cmap="gray", vmin=0, vmax=255)
    axes.axis("off")


def _draw_rows(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    shown = [row for row in reversed(rows) if row["probability"] is not None]
    places = range(len(shown))
    before = [row["probability"] - row["change"] for row in shown]
    axes.barh(places, [row["probability"] for row in shown], color=BAR, label="with the patch")
    axes.plot(before, places, "|", color=_EDGE, markersize=12, label="without")
    axes.set_yticks(places, [_plain(row["name"][:_MOST_NAME]) for row in shown])
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("probability")
    axes.legend(fontsize=7, loc="lower right")


def _plain(text: str) -> str:
    """Keep a name from being read as a formula."""
    return text.replace("$", r"\$")
