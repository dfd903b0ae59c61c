"""The frames of one picture of an ascent, made of the bytes that were kept when they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from cnnwidgets.ascent.frame import Frame
from cnnwidgets.widgets.ascent_answers import Later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cnnwidgets.widgets.ascent_answers import Asking


class Measured(NamedTuple):
    """What was measured of one picture at one step; `step` is an earlier one if it had ended."""

    step: int
    score: float
    norm: float
    tv: float
    note: str | None


class Film(Sequence[Frame]):
    """Frames by ascending step.

    Parameters
    ----------
    kept
        What was measured, and the picture, uint8 [1, H, W, C].
    asking
        Makes of pictures what the network is given, and asks it.
    """

    def __init__(self, kept: list[tuple[Measured, NDArray[np.uint8]]], asking: Asking) -> None:
        self._kept = kept
        self._asking = asking

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        last = f", the last at step {self._kept[-1][0].step}" if self._kept else ""
        return f"Film({len(self)} frames{last})"

    @overload
    def __getitem__(self, index: int) -> Frame: ...

    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...

    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        if isinstance(index, slice):
            return [self._frame(*one) for one in self._kept[index]]
        return self._frame(*self._kept[index])

    def _frame(self, one: Measured, picture: NDArray[np.uint8]) -> Frame:
        (image,) = self._asking.normalised(picture)
        later = Later(lambda: self._asking(picture))
        return Frame(one.step, image, one.score, one.norm, one.tv, one.note, later)
