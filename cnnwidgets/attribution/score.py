"""The one number per picture whose gradient is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from torch import Tensor

from cnnwidgets.attribution.measures import MEASURES, measured
from cnnwidgets.classes import first_output, scores
from cnnwidgets.errors import NoGradientError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnwidgets.network import Network

ScoreFunction: TypeAlias = "Callable[[Any], Tensor]"
"""What may be given as `score`: what the model returned for N pictures → [N]."""

NO_GRADIENT = (
    "no gradient reaches the picture: the score comes through something that cannot be "
    "differentiated (argmax, round, detach, no_grad, NumPy); cw.occlusion needs no gradients"
)
_GIVE_SCORE = "give score=, a function of its output that returns one number per picture"


class Score:
    """A measure of a class, or the user's own function of what the model returned.

    Parameters
    ----------
    net
        The network.
    target
        Class index or name; by default the class predicted for the first picture seen.
    measure
        ``"logit"``, ``"probability"`` or ``"log-odds"`` of the target; the mean over the positions
        of a dense output.
    function
        Instead of these: what the model returned for N pictures → [N].

    Raises
    ------
    ValueError
        If there is no such measure, or both a target and a function are given.
    """

    def __init__(
        self,
        net: Network,
        target: int | str | None,
        measure: str,
        function: ScoreFunction | None,
    ) -> None:
        if measure not in MEASURES:
            raise ValueError(f"measure: {measure!r}; {nearest(measure, MEASURES)}")
        if function is not None and target is not None:
            raise ValueError("target, score: give one of them, score= says itself what counts")
        self._net = net
        self._target = target
        self._index: int | None = None
        self._measure = measure
        self._function = function

    @property
    def predicted(self) -> bool:
        """Whether the class is still to be settled by a pass over the picture."""
        return self._function is None and self._target is None and self._index is None

    def __call__(self, output: Any, count: int = 1) -> Tensor:  # noqa: ANN401 - the user's model
        """Return the score of each of `count` pictures, [count], to be differentiated.

        Raises
        ------
        NoGradientError
            If it cannot be.
        ValueError
            If there is not one for each picture, or no such class.
        """
        if self._function is None and not first_output(output).is_floating_point():
            raise NoGradientError(NO_GRADIENT)
        found = self.of(output, count)
        if not found.requires_grad:
            raise NoGradientError(NO_GRADIENT)
        return found

    def of(self, output: Any, count: int = 1) -> Tensor:  # noqa: ANN401
        """Return the score of each of `count` pictures, [count], from what the model returned."""
        if self._function is not None:
            return _checked(self._function(output), count)
        first = first_output(output)
        logits = scores(first)
        if len(logits) != count:
            hint = f" for {count} pictures; pass batch=1" if count > 1 else f"; {_GIVE_SCORE}"
            raise ValueError(f"the network returned {list(first.shape)}{hint}")
        self.settle(first)
        if self._index is None and self._target is not None:
            self._index = self._net.classes.index(self._target, logits.shape[1])
        return measured(logits, self._index or 0, self._measure)

    def settle(self, output: Any) -> None:  # noqa: ANN401
        """Take the class predicted in an output if none was given."""
        if self.predicted:
            self._index = int(scores(output)[0].argmax())


def _checked(found: object, count: int) -> Tensor:
    if not isinstance(found, Tensor) or found.numel() != count or not found.ndim:
        got = f"a tensor {list(found.shape)}" if isinstance(found, Tensor) else repr(found)
        raise ValueError(
            f"score: returned {got} for {count} pictures; return one number for each, [N], such "
            "as output.flatten(1).sum(1)"
        )
    return found.flatten()
