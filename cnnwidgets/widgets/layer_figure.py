"""The layer browser as a matplotlib figure, for slides and hosts without JavaScript."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cnnwidgets.widgets.passes import Range, range_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.classes import Prediction

MOST_MAPS = 64
MOST_BARS = 64
SIZE = (10.0, 5.2)  # inches
ACTIVATIONS, WEIGHTS = "RdBu_r", "PuOr"
NOT_MEASURED = "#d62ad0"


@dataclass(frozen=True)
class Sheet:
    """What the figure shows.

    Attributes
    ----------
    title
        Of the right side.
    picture
        uint8 [H, W, C].
    picture_name
        Its title.
    predictions
        The likeliest classes, or None.
    maps
        [n, H, W], [n, 3, H, W] for RGB filters, or a vector [n].
    span
        The range of the colours; None for one range per map.
    quantity
        What the numbers are, for the colour bar.
    weights
        Whether they are weights, which have their own colours.
    """

    title: str
    picture: NDArray[np.uint8]
    picture_name: str
    predictions: Sequence[Prediction] | None
    maps: Tensor
    span: Range | None
    quantity: str
    weights: bool = False


def draw(sheet: Sheet) -> Figure:
    """Draw a sheet: the picture and the predictions at the left, the maps at the right."""
    figure = Figure(figsize=SIZE)
    _draw_picture(figure.add_axes((0.02, 0.46, 0.26, 0.46)), sheet)
    if sheet.predictions:
        _draw_predictions(figure.add_axes((0.14, 0.08, 0.14, 0.28)), sheet.predictions)
    axes = figure.add_axes((0.33, 0.06, 0.57, 0.86))
    if sheet.maps.ndim == 1:
        _draw_vector(axes, sheet)
    else:
        _draw_maps(figure, axes, sheet)
    return figure


def _draw_picture(axes: Axes, sheet: Sheet) -> None:
    pixels = sheet.picture
    axes.imshow(
        pixels.squeeze(2) if pixels.shape[2] == 1 else pixels, cmap="gray", vmin=0, vmax=255
    )
    axes.set_title(_plain(sheet.picture_name), fontsize=9)
    axes.axis("off")


def _draw_predictions(axes: Axes, predictions: Sequence[Prediction]) -> None:
    best = list(reversed(predictions))
    axes.barh(range(len(best)), [p.probability for p in best], color="#3b6fb6")
    axes.set_yticks(range(len(best)), [_plain(p.name)[:18] for p in best], fontsize=8)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("probability", fontsize=8)


def _draw_vector(axes: Axes, sheet: Sheet) -> None:
    values = sheet.maps[:MOST_BARS].double()
    axes.bar(range(len(values)), values.tolist(), color="#3b6fb6")
    axes.axhline(0, color="grey", linewidth=0.6)
    axes.set_xlabel("unit", fontsize=8)
    axes.set_ylabel(sheet.quantity, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.set_title(_titled(sheet, len(sheet.maps), len(values), "units"), fontsize=10)


def _draw_maps(figure: Figure, axes: Axes, sheet: Sheet) -> None:
    shown = sheet.maps[:MOST_MAPS]
    axes.set_title(_titled(sheet, len(sheet.maps), len(shown), "channels"), fontsize=10)
    axes.axis("off")
    if not shown.numel():
        return
    span = sheet.span or range_of(shown)
    limit = max(abs(span.low), abs(span.high)) or 1.0
    if shown.ndim == 4:  # noqa: PLR2004 - RGB filters: grey is zero
        axes.imshow(_mosaic(shown / (2 * limit) + 0.5, math.nan).movedim(0, -1).nan_to_num(1.0))
        return
    if sheet.span is None:
        own = shown.nan_to_num(0, 0, 0).abs().amax((1, 2), keepdim=True)
        shown, limit = shown / own.masked_fill(own == 0, 1), 1.0
    colors = colormaps[WEIGHTS if sheet.weights else ACTIVATIONS].with_extremes(bad=NOT_MEASURED)
    pixels = colors((_mosaic(shown, 0.0) / (2 * limit) + 0.5).numpy())
    gaps = _mosaic(torch.ones_like(shown), 0.0) == 0
    pixels[gaps.numpy()] = (1, 1, 1, 0)
    axes.imshow(pixels, interpolation="nearest")
    scale = ScalarMappable(Normalize(-limit, limit), colors)
    bar = figure.colorbar(scale, cax=figure.add_axes((0.92, 0.2, 0.015, 0.6)))
    bar.ax.tick_params(labelsize=7)
    bar.set_label(
        f"{sheet.quantity}, share of each channel's largest"
        if sheet.span is None
        else sheet.quantity,
        fontsize=8,
    )


def _mosaic(maps: Tensor, gap: float) -> Tensor:
    """Lay maps [n, …, H, W] out as one picture […, rows, columns], a gap between neighbours."""
    *_, height, width = maps.shape
    count = len(maps)
    columns = math.ceil(math.sqrt(count * height / max(width, 1))) or 1
    columns = min(max(columns, 1), count)
    rows = math.ceil(count / columns)
    edge = max(1, round(0.04 * max(height, width)))
    tile_height, tile_width = height + edge, width + edge
    sheet = torch.full((*maps.shape[1:-2], rows * tile_height, columns * tile_width), gap)
    for index, one in enumerate(maps):
        top, left = index // columns * tile_height, index % columns * tile_width
        sheet[..., top : top + height, left : left + width] = one
    return sheet


def _titled(sheet: Sheet, count: int, shown: int, what: str) -> str:
    part = "" if shown == count else f" · first {shown} of {count:,} {what}"
    return _plain(sheet.title) + part


def _plain(text: str) -> str:
    """Keep a name from being read as a formula."""
    return text.replace("$", r"\$")
