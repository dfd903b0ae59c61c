"""A sheet as a matplotlib figure, for slides."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from cnnwidgets.widgets.colors import colors
from cnnwidgets.widgets.drawing import BAR, plain, shorten
from cnnwidgets.widgets.layer_sheet import MOST_UNITS, shorten_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from cnnwidgets.classes import Prediction
    from cnnwidgets.widgets.layer_sheet import Sheet

_SIZE = (10.0, 5.2)  # inches
_WIDTHS, _HEIGHTS = (1.0, 2.2), (1.4, 1.0)
_MOST_NAMES = 32
_LEGIBLE = 16
"""Tiles along the longer side up to which they are numbered."""


def draw(sheet: Sheet) -> Figure:
    """Draw a sheet: the picture and the predictions at the left, the maps at the right."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=_WIDTHS, height_ratios=_HEIGHTS)
    _draw_picture(figure.add_subplot(grid[0, 0]), sheet)
    if sheet.predictions:
        _draw_predictions(figure.add_subplot(grid[1, 0]), sheet.predictions)
    axes = figure.add_subplot(grid[:, 1])
    axes.set_title(_wrapped(shorten_name(sheet.heading, 150), 80), fontsize=10)
    if sheet.maps.ndim == 1:
        _draw_units(axes, sheet)
        return figure
    axes.axis("off")
    if sheet.maps.numel():
        _draw_maps(axes, sheet)
        _draw_legend(figure, axes, sheet)
    else:
        axes.text(0.5, 0.5, _wrapped(sheet.quantity, 80, 12), ha="center", fontsize=9)
    return figure


def _draw_picture(axes: Axes, sheet: Sheet) -> None:
    grey = sheet.picture.shape[2] == 1
    pixels = sheet.picture.squeeze(2) if grey else sheet.picture
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axes.set_title(_wrapped(sheet.picture_name, 36), fontsize=9)
    axes.axis("off")


def _draw_predictions(axes: Axes, predictions: Sequence[Prediction]) -> None:
    best = list(reversed(predictions))
    axes.barh(range(len(best)), [one.probability for one in best], color=BAR)
    axes.set_yticks(range(len(best)), [_wrapped(one.name, 24) for one in best], fontsize=7)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("probability", fontsize=8)


def _draw_units(axes: Axes, sheet: Sheet) -> None:
    values = sheet.maps[:MOST_UNITS].double().nan_to_num(0.0, 0.0, 0.0).tolist()
    axes.bar(range(len(values)), values, color=[sheet.bar_color(value) for value in values])
    axes.axhline(0, color="grey", linewidth=0.6)
    axes.set_xlabel("unit", fontsize=8)
    axes.set_ylabel(sheet.quantity, fontsize=8)
    axes.tick_params(labelsize=7)
    if 0 < len(sheet.unit_names) <= _MOST_NAMES:
        names = [_wrapped(name, 24) for name in sheet.unit_names]
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_xlabel("class", fontsize=8)


def _draw_maps(axes: Axes, sheet: Sheet) -> None:
    mosaic, corners = sheet.mosaic(), sheet.corners()
    axes.imshow(mosaic, interpolation="nearest")
    tile = min(mosaic.shape[at] / len({corner[at] for corner in corners}) for at in (0, 1))
    if len(corners) > 1 and tile * _LEGIBLE >= max(mosaic.shape):
        paper = {"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0, "alpha": 0.8}
        for channel, (row, column) in enumerate(corners):
            axes.text(column, row, str(channel), va="top", fontsize=5, bbox=paper)


def _draw_legend(figure: Figure, axes: Axes, sheet: Sheet) -> None:
    own, quantity = sheet.span is None, sheet.quantity
    limit = 1.0 if own else sheet.limit
    table = ListedColormap((colors(sheet.table) / 255).tolist())
    scale = ScalarMappable(Normalize(-limit, limit), table)
    bar = figure.colorbar(scale, ax=axes, shrink=0.7, aspect=30)
    bar.ax.tick_params(labelsize=7)
    bar.set_label(f"{quantity}, share of each map's largest" if own else quantity, fontsize=8)


def _wrapped(text: str, width: int, lines: int = 2) -> str:
    """Break a name into a few lines, without its middle if they are too few."""
    most = len(text)
    while len(broken := wrap(shorten(text, most), width)) > lines:
        most = min(most - 1, width * lines)
    return plain("\n".join(broken))
