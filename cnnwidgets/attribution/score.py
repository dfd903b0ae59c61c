"""The one number per picture whose gradient is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from torch import Tensor

from cnnwidgets.attribution.measures import MEASURES, activation_of, measured, require_function
from cnnwidgets.classes import first_output, scores
from cnnwidgets.errors import NoGradientError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnwidgets.network import Network

ScoreFunction: TypeAlias = "Callable[[Any], Tensor]"
"""What may be given as `score`: what the model returned for N pictures → [N] or [N, K]."""

NO_GRADIENT = (
    "no gradient reaches the picture: the score comes through something that cannot be "
    "differentiated (argmax, round, detach, no_grad, NumPy); cw.occlusion needs no gradients"
)
_RETURN = "return [N] or [N, K], such as output.flatten(1).sum(1)"


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
        What to take instead of the first output: what the model returned for N pictures → [N],
        which is followed as it is, or [N, K].

    Raises
    ------
    ValueError
        If there is no such measure.
    TypeError
        If `function` cannot be called.
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
        require_function(function)
        self._net = net
        self._target = target
        self._measure = measure
        self._function = function
        self._settled: tuple[int, str] | None = None

    @property
    def predicted(self) -> bool:
        """Whether the class is still to be settled by a pass over the picture."""
        return self._target is None and self._settled is None

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
        """Return the score of each of `count` pictures, [count], from what the model returned.

        The first one settles the class, and what makes probabilities of the outputs.
        """
        outputs = self._outputs(output, count)
        if self._settled is None:
            self._settled = self._index(outputs), self._activation(outputs)
        index, activation = self._settled
        if self._function is not None and outputs.shape[1] == 1:
            return outputs[:, 0]
        return measured(outputs, index, self._measure, activation)

    def _outputs(self, output: Any, count: int) -> Tensor:  # noqa: ANN401
        """Return [count, K]."""
        if self._function is not None:
            output = self._function(output)
            if not isinstance(output, Tensor) or output.shape[:1] != (count,):
                got = list(output.shape) if isinstance(output, Tensor) else repr(output)
                raise ValueError(f"score: returned {got} for {count} pictures; {_RETURN}")
        first = first_output(output)
        outputs = scores(first)
        if len(outputs) == count:
            return outputs
        if count > 1:
            raise ValueError(
                f"the network returned {list(first.shape)} for {count} pictures; pass batch=1"
            )
        raise ValueError(
            f"the network is no classifier: it returned {list(first.shape)}; give score=, a "
            "function of what it returns to [N] or [N, K]"
        )

    def _index(self, outputs: Tensor) -> int:
        if self._target is None:
            return int(outputs[0].argmax())
        return self._net.classes.index(self._target, outputs.shape[1])

    def _activation(self, outputs: Tensor) -> str:
        last = self._net.layers[-1]
        made_by = last.name.rpartition(".")[2].partition("#")[0]
        if last.module is not None:
            made_by = type(last.module).__name__.lower()
        return activation_of(outputs[0].detach(), None if self._function else made_by)
