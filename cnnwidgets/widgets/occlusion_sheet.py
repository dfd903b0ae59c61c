"""A sheet that shows what an occlusion slider does, drawn within milliseconds."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from cnnwidgets.widgets.drawing import BAR, load_font, place, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnwidgets.attribution.probe import Box
    from cnnwidgets.widgets.occlusion_cells import Cells

_SIZE, _PICTURE, _MAP = (900, 340), (10, 30, 290, 310), (610, 30, 890, 310)
_BARS, _LINE = (310, 590), 36  # left and right; pixels of one class
_MARK, _EDGE, _KEPT = "#e8590c", "#ffffff", "#c9ced4"
_TABLE = "#440154 #414487 #2a788e #22a884 #7ad151 #fde725"  # low to high, as in the browser
_OPACITY = 0.75


@dataclass(frozen=True)
class Sheet:
    """What is on the sheet.

    Attributes
    ----------
    picture
        uint8 [H, W, 1 or 3], with the patches on it.
    boxes
        (row, column, window) of the patches; the last is the one that is moved.
    rows
        The classes, as `OcclusionSlider.probabilities` has them.
    title
        Of the picture.
    cells
        The map; None before the first sweep.
    """

    picture: NDArray[np.uint8]
    boxes: Sequence[Box]
    rows: Sequence[dict[str, Any]]
    title: str
    cells: Cells | None


def preview(sheet: Sheet) -> bytes:
    """Draw a sheet as PNG, for hosts without JavaScript."""
    page = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(page)
    font = load_font()
    rgb = np.broadcast_to(sheet.picture, (*sheet.picture.shape[:2], 3))
    place(page, Image.fromarray(np.ascontiguousarray(rgb)), _PICTURE)
    _outline(draw, sheet)
    draw.text((_PICTURE[0], 8), shorten(sheet.title, 40), "black", font)
    draw.text((_BARS[0], 8), "with the patch; the mark: untouched", "black", font)
    if len(sheet.rows) == 1:  # one number, which is no probability
        draw.text((_BARS[0], 30), _score(sheet.rows[0]), "black", font)
    else:
        for index, row in enumerate(sheet.rows):
            _draw_row(draw, row, 30 + _LINE * index)
    if sheet.cells is not None:
        place(page, Image.fromarray(_laid(rgb, sheet.cells)), _MAP)
        draw.text((_MAP[0], 8), shorten(sheet.cells.caption, 42), "black", font)
        low, high = sheet.cells.span
        span = f"violet {low:.4g} = important, yellow {high:.4g}; without {sheet.cells.bare:.4g}"
        draw.text((_MAP[2], 316), span, "black", font, anchor="ra")
    file = io.BytesIO()
    page.quantize(method=Image.Quantize.FASTOCTREE).save(file, "png", compress_level=1)
    return file.getvalue()


def _outline(draw: ImageDraw.ImageDraw, sheet: Sheet) -> None:
    left, top, right, bottom = _PICTURE
    height, width = sheet.picture.shape[:2]
    scale = min((right - left) / width, (bottom - top) / height)
    for box in sheet.boxes:
        row, column, window = box
        ends = min(height, row + window), min(width, column + window)
        corners = (column * scale, row * scale, ends[1] * scale, ends[0] * scale)
        inside = tuple(at + (left, top)[axis % 2] for axis, at in enumerate(corners))
        color = _EDGE if box is sheet.boxes[-1] else _KEPT
        draw.rectangle(inside, outline="black", width=3)
        draw.rectangle(inside, outline=color, width=1)


def _draw_row(draw: ImageDraw.ImageDraw, row: dict[str, Any], top: int) -> None:
    left, right = _BARS
    chance = row["probability"]
    said = "not finite" if chance is None else f"{100 * chance:.1f} %"
    draw.text((left, top), f"{said}  {shorten(row['name'], 30)}", "black", load_font())
    if chance is None:
        return
    ends = [left + (right - left) * min(max(share, 0.0), 1.0) for share in (chance, _bare(row))]
    draw.rectangle((left, top + 18, ends[0], top + 24), fill=BAR)
    draw.line((ends[1], top + 16, ends[1], top + 26), _MARK, 2)


def _score(row: dict[str, Any]) -> str:
    if row["logit"] is None:
        return f"{row['name']}: not finite"
    return f"{row['name']}: {row['logit']:.4g}, change {row['logit_change'] or 0.0:+.4g}"


def _bare(row: dict[str, Any]) -> float:
    return float(row["probability"] - (row["change"] or 0.0))


def _laid(rgb: NDArray[np.uint8], cells: Cells) -> NDArray[np.uint8]:
    """Lay a map's colours over a picture where something is known."""
    values, (low, high) = cells.values, cells.span
    known = np.isfinite(values)
    stops = np.array([ImageColor.getrgb(stop) for stop in _TABLE.split()], np.float64)
    at = np.nan_to_num((values - low) / ((high - low) or 1.0)) * (len(stops) - 1)
    colors = np.stack([np.interp(at, range(len(stops)), stop) for stop in stops.T], 2)
    grey = rgb.mean(2, keepdims=True)
    painted = np.where(known[..., None], _OPACITY * colors + (1 - _OPACITY) * grey, rgb)
    laid: NDArray[np.uint8] = painted.round().astype(np.uint8)
    return laid
