"""A sheet as a matplotlib figure, for slides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from cnnwidgets.widgets.colors import colors
from cnnwidgets.widgets.layer_sheet import BAR, MOST_UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from cnnwidgets.classes import Prediction
    from cnnwidgets.widgets.layer_sheet import Sheet

_SIZE = (10.0, 5.2)  # inches
_MOST_NAME = 18


def draw(sheet: Sheet) -> Figure:
    """Draw a sheet: the picture and the predictions at the left, the maps at the right."""
    figure = Figure(figsize=_SIZE)
    _draw_picture(figure.add_axes((0.02, 0.46, 0.26, 0.46)), sheet)
    if sheet.predictions:
        _draw_predictions(figure.add_axes((0.14, 0.1, 0.14, 0.28)), sheet.predictions)
    axes = figure.add_axes((0.33, 0.06, 0.57, 0.86))
    axes.set_title(_plain(sheet.heading), fontsize=10)
    if sheet.maps.ndim == 1:
        _draw_units(axes, sheet)
        return figure
    axes.axis("off")
    if sheet.maps.numel():
        axes.imshow(sheet.mosaic(), interpolation="nearest")
        _draw_legend(figure, sheet)
    else:
        axes.text(0.5, 0.5, _plain(sheet.quantity), ha="center", fontsize=9, wrap=True)
    return figure


def _draw_picture(axes: Axes, sheet: Sheet) -> None:
    grey = sheet.picture.shape[2] == 1
    pixels = sheet.picture.squeeze(2) if grey else sheet.picture
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axes.set_title(_plain(sheet.picture_name), fontsize=9)
    axes.axis("off")


def _draw_predictions(axes: Axes, predictions: Sequence[Prediction]) -> None:
    best = list(reversed(predictions))
    axes.barh(range(len(best)), [one.probability for one in best], color=BAR)
    axes.set_yticks(range(len(best)), [_plain(one.name[:_MOST_NAME]) for one in best], fontsize=8)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("probability", fontsize=8)


def _draw_units(axes: Axes, sheet: Sheet) -> None:
    values = sheet.maps[:MOST_UNITS].double().nan_to_num(0.0, 0.0, 0.0)
    axes.bar(range(len(values)), values.tolist(), color=BAR)
    axes.axhline(0, color="grey", linewidth=0.6)
    axes.set_xlabel("unit", fontsize=8)
    axes.set_ylabel(sheet.quantity, fontsize=8)
    axes.tick_params(labelsize=7)


def _draw_legend(figure: Figure, sheet: Sheet) -> None:
    own, quantity = sheet.span is None, sheet.quantity
    limit = 1.0 if own else sheet.limit
    table = ListedColormap((colors(sheet.table) / 255).tolist())
    scale = ScalarMappable(Normalize(-limit, limit), table)
    bar = figure.colorbar(scale, cax=figure.add_axes((0.92, 0.2, 0.015, 0.6)))
    bar.ax.tick_params(labelsize=7)
    bar.set_label(f"{quantity}, share of each map's largest" if own else quantity, fontsize=8)


def _plain(text: str) -> str:
    """Keep a name from being read as a formula."""
    return text.replace("$", r"\$")
