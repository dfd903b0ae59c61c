"""The picture under its patch, the probabilities and the map as a matplotlib figure."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cnnwidgets.widgets.drawing import BAR, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cnnwidgets.widgets.occlusion_cells import Cells
    from cnnwidgets.widgets.occlusion_probing import Patch

_SIZE = (10.0, 3.6)  # inches
_MOST_NAME = 18
_MOST_TITLE = 34
_EDGE, _KEPT = "#e8590c", "#ffffff"


def draw(
    pixels: NDArray[np.uint8],
    patch: Patch,
    rows: Sequence[dict[str, Any]],
    cells: Cells | None,
) -> Figure:
    """Draw what an occlusion slider shows.

    Parameters
    ----------
    pixels
        uint8 [H, W, 1 or 3], the picture with the patches on it.
    patch
        Where the patch is, and those kept beside it.
    rows
        The classes, as `probabilities` has them.
    cells
        The map of the sweep, if there is one.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    picture, bars, *rest = figure.subplots(1, 2 if cells is None else 3, squeeze=False)[0]
    _show(picture, pixels)
    for number, (row, column, window) in enumerate(patch.kept, 1):
        _frame(picture, row, column, window, _KEPT)
        picture.text(
            *(column, row),
            f"{number}",
            va="top",
            fontsize=8,
            color="white",
            backgroundcolor="black",
        )
    _frame(picture, patch.row, patch.column, patch.window, _EDGE)
    picture.set_title(_title(patch), fontsize=9)
    _draw_rows(bars, rows)
    if cells is not None:
        _show(rest[0], pixels.mean(2, keepdims=True).astype(np.uint8))
        low, high = cells.span
        map_ = rest[0].imshow(cells.values, alpha=0.7, cmap="viridis", vmin=low, vmax=high)
        rest[0].set_title(fill(plain(cells.caption), _MOST_TITLE), fontsize=9)
        said = f"low = important; the line,\nwithout the moving patch: {cells.bare:.4g}"
        bar = figure.colorbar(map_, ax=rest[0], label=said)
        bar.ax.axhline(cells.bare, color=_EDGE, linewidth=2)
    return figure


def _title(patch: Patch) -> str:
    beside = f"\nbeside {len(patch.kept)} kept" if patch.kept else ""
    return f"{patch.window} × {patch.window} at row {patch.row}, column {patch.column}{beside}"


def _frame(axes: Axes, row: int, column: int, window: int, color: str) -> None:
    box = (column - 0.5, row - 0.5), window, window
    axes.add_patch(Rectangle(*box, fill=False, edgecolor=color, linewidth=1.5))


def _show(axes: Axes, pixels: NDArray[np.uint8]) -> None:
    grey = pixels.shape[2] == 1
    axes.imshow(pixels.squeeze(2) if grey else pixels, cmap="gray", vmin=0, vmax=255)
    axes.axis("off")


def _draw_rows(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    shown = [row for row in reversed(rows) if row["probability"] is not None]
    places = range(len(shown))
    before = [row["probability"] - row["change"] for row in shown]
    axes.barh(places, [row["probability"] for row in shown], color=BAR, label="with the patch")
    axes.plot(before, places, "|", color=_EDGE, markersize=12, label="untouched picture")
    axes.set_yticks(places, [plain(row["name"][:_MOST_NAME]) for row in shown])
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("probability")
    axes.legend(fontsize=7, loc="lower right")
