"""The pictures of one step on a page with what was measured, drawn within milliseconds."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from cnnwidgets.widgets.ascent_frames import shown
from cnnwidgets.widgets.ascent_panels import AUTOMATIC
from cnnwidgets.widgets.drawing import load_font, place, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnwidgets.widgets.ascent_answers import Said
    from cnnwidgets.widgets.ascent_climb import Climb
    from cnnwidgets.widgets.ascent_film import Measured
    from cnnwidgets.widgets.ascent_subject import Subject

GAP, LINE = 12, 16  # pixels between pictures, of a line of words
_ALONE, _LARGEST, _AMONG = 336, 512, 168  # pixels of a picture alone, at most, and of several
_LETTER = 7.2  # pixels
_MOST_ROW = 4


class Story(NamedTuple):
    """What there is to be drawn of an ascent.

    Attributes
    ----------
    subject
        What climbs.
    climb
        The ascent; None before the first.
    """

    subject: Subject
    climb: Climb | None

    def labels(self, step: int) -> list[str]:
        """Return what the pictures of a step are called, with weights that were automatic."""
        if self.climb is None:
            return [self.subject.label]
        labels, measured = self.climb.labels(step), self.climb.measured[step : step + 1]
        return (
            [
                f"{label} = {one.tv:.2g}" if label.endswith(AUTOMATIC) else label
                for label, one in zip(labels, *measured, strict=True)
            ]
            if measured
            else labels
        )

    def title(self, step: int = 0) -> str:
        """Say what climbs, and what is measured of it."""
        labels = self.labels(step)
        label = labels[0] if len(labels) == 1 else self._common
        return f"{label} ({self.subject.quantity})"

    @property
    def _common(self) -> str:
        """What several pictures are for."""
        subjects = {panel.subject.text for panel in self.climb.panels} if self.climb else set()
        if len(subjects) <= 1:
            return self.subject.label
        return f"{len(subjects)} {'classes' if self.subject.layer is None else 'units'}"

    @property
    def file_name(self) -> str:
        """What climbs as the name of a file."""
        return re.sub(r"[^\w.-]+", "-", self.subject.text).strip("-.") or "ascent"

    def steps(self, most: int) -> list[int]:
        """Return kept steps, evenly, with the first and the last."""
        kept = [] if self.climb is None else self.climb.frames.steps
        if len(kept) <= most:
            return kept
        return [kept[round(at)] for at in np.linspace(0, len(kept) - 1, most)]

    def kept(self, step: int | None) -> int | None:
        """Return the kept step that is nearest; the newest for None; None if there is none."""
        kept = [] if self.climb is None else self.climb.frames.steps
        if not kept:
            return None
        return kept[-1] if step is None else min(kept, key=lambda one: abs(one - step))


def within(field: Sequence[float], picture: NDArray[np.uint8]) -> tuple[float, ...]:
    """Return left, top, right and bottom of what a neuron sees of a picture [H, W, C]."""
    top, left, height, width = field
    bottom, right = min(top + height, picture.shape[0]), min(left + width, picture.shape[1])
    return max(left, 0), max(top, 0), right, bottom


def still(story: Story, step: int | None) -> bytes:
    """Draw the pictures of a step, or the newest, as PNG; nothing is asked of the network."""
    kept = story.kept(step)
    file = io.BytesIO()
    (_empty(story) if kept is None else page(story, kept)).save(file, "png", compress_level=1)
    return file.getvalue()


def page(story: Story, step: int, *, ask: bool = False) -> Image.Image:
    """Draw the pictures of a kept step, each with its score and the network's answer.

    Parameters
    ----------
    story
        What climbs.
    step
        A step that is kept.
    ask
        Whether to ask the network for answers that are not known.
    """
    climb = story.climb
    if climb is None:
        return _empty(story)
    pictures = shown(climb.frames[step])
    said = climb.says(step) if ask else climb.said(step)
    edge = _edge_of(pictures)
    high = pictures.shape[1] * edge // max(pictures.shape[1:3]) + 3 * LINE + GAP
    columns = min(len(pictures), max(2, math.isqrt(len(pictures) - 1) + 1), _MOST_ROW)
    rows = -(-len(pictures) // columns)
    size = GAP + columns * (edge + GAP), GAP + LINE + rows * high
    sheet = Image.new("RGB", (size[0] + size[0] % 2, size[1] + size[1] % 2), "white")
    _write(sheet, (GAP, GAP // 2), f"{story.title(step)}, step {step}", size[0] - 2 * GAP)
    labels = story.labels(step)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        corner = GAP + column * (edge + GAP), GAP + LINE + row * high
        label = labels[index] if len(pictures) > 1 else ""
        words = [label, _score(climb.measured[step][index]), _answer(said[index])]
        _tile(sheet, corner, edge, picture, [word for word in words if word])
        if field := climb.fields[index]:
            _mark(sheet, corner, edge / max(picture.shape[:2]), within(field, picture))
    return sheet


def _edge_of(pictures: NDArray[np.uint8]) -> int:
    """Return how long the longer side of a picture is drawn; small ones grow by whole numbers."""
    longer = max(pictures.shape[1:3])
    room = max(_ALONE, min(longer, _LARGEST)) if len(pictures) == 1 else _AMONG
    return longer * (room // longer) if longer <= room else room


def _tile(
    sheet: Image.Image,
    corner: tuple[int, int],
    edge: int,
    picture: NDArray[np.uint8],
    words: list[str],
) -> None:
    left, top = corner
    pixels = picture.squeeze(2) if picture.shape[2] == 1 else picture
    place(sheet, Image.fromarray(pixels).convert("RGB"), (left, top, left + edge, top + edge))
    below = top + picture.shape[0] * edge // max(picture.shape[:2]) + 2
    for line, word in enumerate(words):
        _write(sheet, (left, below + line * LINE), word, edge)


def _mark(
    sheet: Image.Image, corner: tuple[int, int], scale: float, box: tuple[float, ...]
) -> None:
    """Draw the border of a part of a picture, white within black."""
    draw = ImageDraw.Draw(sheet)
    left, top, right, bottom = (corner[side % 2] + round(at * scale) for side, at in enumerate(box))
    draw.rectangle((left - 1, top - 1, right, bottom), outline="black")
    draw.rectangle((left, top, right - 1, bottom - 1), outline="white")


def _write(sheet: Image.Image, corner: tuple[int, int], text: str, width: int) -> None:
    most = max(8, int(width / _LETTER))
    ImageDraw.Draw(sheet).text(corner, shorten(text, most), "black", load_font())


def _empty(story: Story) -> Image.Image:
    sheet = Image.new("RGB", (_ALONE, 2 * LINE + GAP), "white")
    _write(sheet, (GAP, GAP), f"{story.title()}: not run yet", _ALONE - 2 * GAP)
    return sheet


def _score(one: Measured) -> str:
    return f"score {one.score:.4g}" if math.isfinite(one.score) else "score not measured"


def _answer(said: Said) -> str:
    return f"{said[0].name} {said[0].probability:.1%}" if said else ""
