"""When a picture is where it will stay, and why."""

from __future__ import annotations

import math
from statistics import fmean

RISE = 1e-3
"""Share of the score by which its mean must rise from one window of steps to the next."""
STUCK = 8
"""Steps with a gradient of zero, each with the picture moved otherwise, after which it ends."""

ASLEEP = (
    "this unit does not react to the start picture: its gradient is zero; try another seed or "
    "start: a unit that never reacts is dead"
)
"""Said where the gradient has been zero from the start picture on."""


class Ending:
    """Follows one picture.

    Parameters
    ----------
    patience
        Steps over which the score is averaged; None never ends for not rising.
    negated
        Whether the score is that of a unit, negated.

    Attributes
    ----------
    ended
        Whether it will not move any more.
    broken
        Whether that is because its score or gradient is no number.
    """

    def __init__(self, patience: int | None, *, negated: bool = False) -> None:
        self._patience = patience
        self._sign = -1 if negated else 1
        self._scores: list[float] = []
        self._zeros = 0
        self.ended = self.broken = False

    def again(self) -> None:
        """Begin anew, as what it goes by has changed."""
        self._scores.clear()
        self._zeros = 0
        self.ended = self.broken

    def follow(self, step: int, score: float, gradient_norm: float, direction: int) -> str | None:
        """Say why the picture does not move; None if it does.

        Parameters
        ----------
        step
            Steps taken before.
        score
            What is to rise, or to fall.
        gradient_norm
            Of its gradient.
        direction
            1 if it is to rise, −1 if to fall.
        """
        if not (math.isfinite(score) and math.isfinite(gradient_norm)):
            self.ended = self.broken = True
            what = "gradient" if math.isfinite(score) else "score"
            return f"stopped at step {step}: the {what} is not a finite number"
        self._scores.append(direction * score)
        self._zeros = 0 if gradient_norm else self._zeros + 1
        self.ended = self._zeros >= STUCK
        if self._zeros and self._zeros == len(self._scores):
            return ASLEEP
        if self._zeros:
            return "this unit does not react any more (dead, saturated): its gradient is zero"
        if self._flat():
            self.ended = True
            moved = "risen" if self._sign * direction > 0 else "fallen"
            return f"the unit's score has not {moved} for {self._patience} steps"
        return None

    def _flat(self) -> bool:
        if self._patience is None or len(self._scores) < 2 * self._patience:
            return False
        before = fmean(self._scores[-2 * self._patience : -self._patience])
        recent = fmean(self._scores[-self._patience :])
        return recent - before <= RISE * max(abs(before), abs(recent))
