"""The maps that a saliency viewer shows as a matplotlib figure, each with its range and unit."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cnnwidgets.widgets.drawing import plain
from cnnwidgets.widgets.saliency_panels import Drawn, limit_of, limits_of, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from torch import Tensor

_SIDE = 3.0  # inches
_LETTERS = 34  # of a line beside a map
_MOST_ROW = 4


def draw(
    pixels: NDArray[np.uint8], maps: Sequence[Drawn], percentile: float, overlay: float
) -> Figure:
    """Draw the picture, and the maps over it.

    Parameters
    ----------
    pixels
        uint8 [H, W, 1 or 3].
    maps
        What to draw.
    percentile
        Of a map's magnitudes (the largest of its family): full colour.
    overlay
        Opacity of the maps.
    """
    spots = places(maps, _MOST_ROW)
    rows, columns = (1 + max(along) for along in zip((0, 0), *spots, strict=True))
    figure = Figure(figsize=(_SIDE * columns, _SIDE * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    _picture(axes[0, 0], pixels)
    for spot, one, limit in zip(spots, maps, limits_of(maps, percentile), strict=True):
        _map(figure, axes[spot], one, pixels, limit, overlay)
    figure.suptitle(f"full colour: percentile {percentile:g} of the magnitudes", fontsize=8)
    return figure


def _picture(axis: Axes, pixels: NDArray[np.uint8]) -> None:
    grey = pixels.shape[2] == 1
    axis.imshow(pixels.squeeze(2) if grey else pixels, cmap="gray", vmin=0, vmax=255)
    axis.axis("off")


def _map(  # noqa: PLR0917 - internal
    figure: Figure,
    axis: Axes,
    one: Drawn,
    pixels: NDArray[np.uint8],
    limit: float,
    overlay: float,
) -> None:
    remark = one.said if one.values is not None else ""
    axis.set_title(_lines(one.title, remark), fontsize=8)
    _picture(axis, pixels.mean(2, keepdims=True).astype(np.uint8))
    if one.values is None:
        said = axis.text(0.5, 0.5, plain(one.said), transform=axis.transAxes, fontsize=8)
        said.set(ha="center", va="center", wrap=True)
        return
    signed = bool((one.values < 0).any())
    low, table = (-limit, "RdBu_r") if signed else (0.0, "viridis")
    map_ = axis.imshow(one.values, alpha=overlay, cmap=table, vmin=low, vmax=limit)
    bar = figure.colorbar(map_, ax=axis, shrink=0.7)
    bar.set_label(_lines(one.unit + one.how), fontsize=7)
    bar.ax.tick_params(labelsize=7)


def draw_noise(
    maps: dict[tuple[int, int], Tensor],
    noises: Sequence[float],
    samples: Sequence[int],
    percentile: float,
    title: str,
) -> Figure:
    """Draw SmoothGrad [H, W] for each noise level (rows) and number of samples (columns).

    Each map's percentile is full colour: the shape is compared, not the strength. The `title` says
    of what it is.
    """
    size = (1.3 * len(samples) + 0.6, 1.3 * len(noises) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(noises), len(samples), squeeze=False)
    for (row, column), found in maps.items():
        values = found.numpy()
        limit = limit_of(values, percentile)
        low, table = (-limit, "RdBu_r") if (values < 0).any() else (0.0, "viridis")
        axis = axes[row][column]
        axis.imshow(values, cmap=table, vmin=low, vmax=limit)
        axis.set(xticks=[], yticks=[])
    for axis, count in zip(axes[-1], samples, strict=True):
        axis.set_xlabel(f"{count}", fontsize=8)
    for axis, noise in zip(axes[:, 0], noises, strict=True):
        axis.set_ylabel(f"{noise:.0%}", fontsize=8)
    note = f"full colour: each map's own percentile {percentile:g} of the magnitudes"
    figure.suptitle(f"{plain(title)}\n{note}", fontsize=9)
    figure.supxlabel("samples", fontsize=9)
    figure.supylabel("noise (share of the picture's range)", fontsize=9)
    return figure


def _lines(*texts: str) -> str:
    """Break texts into lines that stay beside their map."""
    return "\n".join(line for text in texts for line in textwrap.wrap(plain(text), _LETTERS))
