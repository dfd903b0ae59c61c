"""A sheet that shows what a saliency viewer does, drawn within milliseconds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from cnnwidgets.widgets.colors import colors
from cnnwidgets.widgets.drawing import load_font, place, shorten, wrapped
from cnnwidgets.widgets.saliency_panels import limits_of, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnwidgets.widgets.saliency_panels import Drawn

_EDGE, _GAP, _LINE = 200, 16, 16  # pixels of a map, between maps, of a line of words
_ROW = 4  # maps
_LETTERS = 30  # of a line
_ENTRIES = 256


def preview(
    pixels: NDArray[np.uint8], maps: Sequence[Drawn], percentile: float, overlay: float
) -> bytes:
    """Draw the picture and the maps over it as PNG, for hosts without JavaScript.

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
    rgb = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    wide, high = _EDGE + _GAP, _EDGE + 3 * _LINE + _GAP
    spots = places(maps, _ROW)
    rows, columns = (1 + max(along) for along in zip((0, 0), *spots, strict=True))
    page = Image.new("RGB", (_GAP + columns * wide, _GAP + rows * high), "white")
    _tile(page, (_GAP, _GAP), rgb, "picture", "")
    limits = limits_of(maps, percentile)
    for one, limit, (row, column) in zip(maps, limits, spots, strict=True):
        corner = _GAP + column * wide, _GAP + row * high
        if one.values is None:
            _tile(page, corner, rgb, one.title, one.said)
            continue
        low = -limit if (one.values < 0).any() else 0.0
        said = f"{low:.3g} to {limit:.3g} {one.unit}"
        _tile(page, corner, _laid(rgb, one.values, low, limit, overlay), one.title, said)
    file = io.BytesIO()
    page.quantize(method=Image.Quantize.FASTOCTREE).save(file, "png", compress_level=1)
    return file.getvalue()


def _tile(
    page: Image.Image, corner: tuple[int, int], rgb: NDArray[np.uint8], title: str, said: str
) -> None:
    left, top = corner
    draw, font = ImageDraw.Draw(page), load_font()
    draw.text((left, top), shorten(title, _LETTERS), "black", font)
    below = top + _LINE + _EDGE
    place(page, Image.fromarray(rgb), (left, top + _LINE + 2, left + _EDGE, below))
    draw.text((left, below + 4), wrapped(said, _LETTERS, 2), "black", font, spacing=2)


def _laid(
    rgb: NDArray[np.uint8], values: NDArray[np.float32], low: float, high: float, overlay: float
) -> NDArray[np.uint8]:
    """Lay a map's colours over the grey picture where something was measured."""
    known = np.isfinite(values)
    shares = ((np.nan_to_num(values) - low) / (high - low)).clip(0, 1)
    table = colors("activations" if low < 0 else "sequential")
    painted = table.take(np.rint(shares * _ENTRIES).astype(np.intp), axis=0)
    grey = rgb.mean(2, keepdims=True)
    opacity = overlay * known[..., None]
    laid: NDArray[np.uint8] = (opacity * painted + (1 - opacity) * grey).round().astype(np.uint8)
    return laid
