"""One sheet that shows a layer: the picture, the predictions, and the layer's maps in colours."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from torch.nn.functional import avg_pool2d

from cnnwidgets.widgets.colors import STOPS, Table, paint
from cnnwidgets.widgets.drawing import BAR, load_font, place, shorten
from cnnwidgets.widgets.passes import Range, range_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.classes import Prediction

MOST_MAPS = 64
MOST_UNITS = 64

_MOSAIC = 480  # pixels along the longer side, about
_MAPS, _RGB_MAPS = 3, 4  # axes
_SIZE = (900, 500)
_PICTURE = (10, 30, 250, 270)  # left, top, right, bottom
_BARS = (10, 300, 250)  # left, top, right
_MAPS_AT = (270, 30, 890, 490)
_LINE = 36
_LEAST = 12  # characters of a name


@dataclass(frozen=True)
class Sheet:
    """What is on the sheet.

    Attributes
    ----------
    title
        Of the layer.
    picture
        uint8 [H, W, 1 or 3].
    picture_name
        Its title.
    predictions
        The likeliest classes; may be empty.
    maps
        [n, H, W], or RGB filters [n, 3, H, W], or a vector [n].
    span
        The range of the colours; None for one range per map.
    quantity
        What the numbers are, or why there are none.
    table
        Their colours.
    unit_names
        Of a vector's values, if they have names: the classes.
    """

    title: str
    picture: NDArray[np.uint8]
    picture_name: str
    predictions: Sequence[Prediction]
    maps: Tensor
    span: Range | None
    quantity: str
    table: Table
    unit_names: Sequence[str] = ()

    @property
    def heading(self) -> str:
        """The title, and how much is left out."""
        count = len(self.maps)
        most, what = (MOST_UNITS, "units") if self.maps.ndim == 1 else (MOST_MAPS, "maps")
        return f"{self.title} · first {most} of {count:,} {what}" if count > most else self.title

    @property
    def limit(self) -> float:
        """The value of the strongest colour."""
        span = range_of(self.maps) if self.span is None else self.span
        return max(abs(span.low), abs(span.high)) or 1.0

    @property
    def legend(self) -> str:
        """What the colours, or the lengths of the bars, stand for."""
        if self.span is None:
            return f"{self.quantity}, each map in its own range"
        return f"{self.quantity} from {-self.limit:.4g} to {self.limit:.4g}"

    def mosaic(self) -> NDArray[np.uint8]:
        """Return the maps side by side in colours, uint8 [rows, columns, 3]; white between them."""
        maps = _small(self.maps[:MOST_MAPS])
        if maps.ndim == _RGB_MAPS:
            grey = (maps / (2 * self.limit) + 0.5).clamp(0, 1)  # grey is zero
            return _side_by_side((255 * grey.nan_to_num(0.5)).byte().movedim(1, -1).numpy())
        limit = self.limit
        if self.span is None:
            own = maps.nan_to_num(0.0, 0.0, 0.0).abs().amax((1, 2), keepdim=True)
            maps, limit = maps / own.masked_fill(own == 0, 1), 1.0
        return _side_by_side(paint(maps.numpy(), limit, self.table))

    def corners(self) -> list[tuple[int, int]]:
        """Return where each map begins in the mosaic, as (row, column)."""
        maps = _small(self.maps[:MOST_MAPS])
        height, width = maps.shape[-2:]
        columns, gap = _layout(len(maps), height, width)
        places = (divmod(index, columns) for index in range(len(maps)))
        return [(row * (height + gap), column * (width + gap)) for row, column in places]

    def bar_color(self, value: float) -> str:
        """Return the colour of a vector's value, by its sign."""
        stops = STOPS[self.table].split()
        return stops[1] if value < 0 else stops[-2]


def preview(sheet: Sheet) -> bytes:
    """Draw a sheet as PNG within milliseconds, for hosts without JavaScript."""
    page = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(page)
    font = load_font()
    pixels = sheet.picture.squeeze(2) if sheet.picture.shape[2] == 1 else sheet.picture
    place(page, Image.fromarray(pixels), _PICTURE)
    draw.text((_PICTURE[0], 8), shorten(sheet.picture_name, 34), "black", font)
    title = f"{sheet.heading} · {sheet.legend}" if sheet.maps.numel() else sheet.heading
    draw.text((_MAPS_AT[0], 8), shorten_name(title, 100), "black", font)
    left, top, right = _BARS
    for index, one in enumerate(sheet.predictions):
        line = top + _LINE * index
        draw.text(
            (left, line), f"{100 * one.probability:.1f} %  {shorten(one.name, 28)}", "black", font
        )
        length = round((right - left) * min(max(one.probability, 0.0), 1.0))
        draw.rectangle((left, line + 18, left + length, line + 24), fill=BAR)
    if sheet.maps.ndim == 1:
        _draw_units(draw, sheet)
    elif sheet.maps.numel():
        place(page, Image.fromarray(sheet.mosaic()), _MAPS_AT)
    else:
        draw.text((_MAPS_AT[0], 40), shorten(sheet.quantity, 90), "black", font)
    file = io.BytesIO()
    # With 256 colours it is drawn and read four times as fast, and a quarter as large.
    page.quantize(method=Image.Quantize.FASTOCTREE).save(file, "png", compress_level=1)
    return file.getvalue()


def _draw_units(draw: ImageDraw.ImageDraw, sheet: Sheet) -> None:
    """Draw a vector as bars up and down from the middle."""
    values = sheet.maps[:MOST_UNITS].nan_to_num(0.0, 0.0, 0.0).tolist()
    left, top, right, bottom = _MAPS_AT
    middle, step = (top + bottom) / 2, (right - left) / max(len(values), 1)
    for index, value in enumerate(values):
        x, end = left + index * step, middle - value / sheet.limit * (bottom - top) / 2
        draw.rectangle(
            (x, min(middle, end), x + 0.7 * step, max(middle, end)), sheet.bar_color(value)
        )


def _small(maps: Tensor) -> Tensor:
    """Average maps over squares, so that all of them together are no larger than a sheet."""
    height, width = maps.shape[-2:]
    largest = _MOSAIC / max(1.0, math.sqrt(len(maps)))
    factor = math.ceil(max(height, width) / max(largest, 1.0)) if maps.numel() else 1
    if factor <= 1:
        return maps
    stacked = maps if maps.ndim == _RGB_MAPS else maps[None]
    small = avg_pool2d(stacked, factor, ceil_mode=True)
    return small if maps.ndim == _RGB_MAPS else small[0]


def _side_by_side(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay tiles [n, H, W, 3] out as one picture, about square, white between them."""
    count, height, width, _ = tiles.shape
    columns, gap = _layout(count, height, width)
    rows = math.ceil(count / columns)
    grid: NDArray[np.uint8] = np.full((rows * columns, height + gap, width + gap, 3), 255, np.uint8)
    grid[:count, :height, :width] = tiles
    sheet: NDArray[np.uint8] = grid.reshape(rows, columns, height + gap, width + gap, 3).swapaxes(
        1, 2
    )
    sheet = sheet.reshape(rows * (height + gap), columns * (width + gap), 3)
    return sheet[:-gap, :-gap]


def _layout(count: int, height: int, width: int) -> tuple[int, int]:
    """Return how many tiles of this size go in a row, and the gap between them in pixels."""
    columns = min(count, max(1, math.ceil(math.sqrt(count * height / width))))
    return columns, max(1, round(0.04 * max(height, width)))


def shorten_name(title: str, most: int) -> str:
    """Shorten the name that a title begins with; shapes, numbers and units stay."""
    name, dot, rest = title.partition(" · ")
    return shorten(name, max(most - len(dot + rest), _LEAST)) + dot + rest
