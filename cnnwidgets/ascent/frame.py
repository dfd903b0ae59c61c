"""One picture of the animation that an ascent is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.ascent.forward import Forward
    from cnnwidgets.classes import Prediction


class Answers:
    """What the network says of the pictures of one step, once somebody asks."""

    def __init__(self, forward: Forward, pictures: Tensor) -> None:
        self._forward = forward
        self._pictures = pictures

    @cached_property
    def predictions(self) -> list[Prediction | None]:
        """The likeliest class of each picture."""
        return self._forward.answers(self._pictures)


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture on its way up, and what was measured there.

    Attributes
    ----------
    step
        Steps taken so far; 0 is the start.
    image
        [C, H, W], as the network is given it: an image for every function and widget, and
        ``net.restore(frame.image[None])`` are its pixels.
    score
        The objective, without penalties, of the picture as this step saw it, moved a little. NaN
        where it could not be measured.
    gradient_norm
        Length of the score's gradient by `image`, in the score's unit per unit of the normalised
        input.
    tv
        Weight of the total variation by which the next step goes, given or automatic, in the
        score's unit.
    note
        Why the picture does not move, or does no longer; None if it does.
    """

    step: int
    image: Tensor = field(repr=False)
    score: float
    gradient_norm: float
    tv: float
    note: str | None = None
    _answers: Answers | None = field(default=None, repr=False)
    _row: int = field(default=0, repr=False)

    @property
    def prediction(self) -> Prediction | None:
        """What the network says of the picture as it is: its likeliest class; None if it has none.

        The pass is run when this is first asked for, with the weights as they are then.
        """
        return None if self._answers is None else self._answers.predictions[self._row]
