"""Objectives at a network's end: a class's logit or probability, a function of the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from cnnwidgets.ascent.objectives import OUTPUT, Bound, Objective, Seen
from cnnwidgets.attribution.score import Score
from cnnwidgets.classes import scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnwidgets.network import Network


@dataclass(frozen=True)
class Class(Objective):
    """A class: what convinces the network of it, and of no other.

    Parameters
    ----------
    target
        Index or name.
    measure
        ``"log-odds"``, log p / (1 − p), which rises with the class's logit and as those of the
        others fall, and does not saturate; ``"logit"`` or ``"probability"``, as `Logit` and
        `Probability`.
    """

    target: int | str
    measure: str = "log-odds"

    @property
    def layers(self) -> frozenset[str]:
        """None: it looks at what the model returns."""
        return frozenset({OUTPUT})

    def bind(self, net: Network, first: Seen) -> Bound:
        """Check that there is such a class."""
        score = Score(net, self.target, self.measure, None)
        shape = scores(first.output).shape
        if len(shape) != 2 or shape[0] != first.count:  # noqa: PLR2004 - [N, K]
            raise ValueError(
                f"the network is no classifier: it returned {list(shape)} for one picture; choose "
                'a unit inside, "layer:channel" or cw.Channel(layer, channel)'
            )
        score.of(first.output, first.count)
        return lambda seen: score(seen.output, seen.count).float()


class Logit(Class):
    """A class's unnormalised score, whatever the other classes say.

    Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks" (2014), section 2: a
    probability can also be raised by lowering the scores of the other classes.

    Parameters
    ----------
    target
        Index or name.
    """

    def __init__(self, target: int | str) -> None:
        super().__init__(target, "logit")


class Probability(Class):
    """A class's probability.

    It saturates: where it is almost 1 or 0 hardly a gradient is left. With two classes, what
    raises the one lowers the other, so that each one's picture is the other's SadMap.

    Parameters
    ----------
    target
        Index or name.
    """

    def __init__(self, target: int | str) -> None:
        super().__init__(target, "probability")


@dataclass(frozen=True)
class Function(Objective):
    """Anything that can be computed of a layer, or of what the model returns.

    Parameters
    ----------
    function
        From the layer's output for N pictures, [N, …], to [N].
    layer
        Name of a layer; by default the function gets what the model returns.
    """

    function: Callable[[Any], Tensor]
    layer: str = OUTPUT

    @property
    def layers(self) -> frozenset[str]:
        """The layer."""
        return frozenset({self.layer})

    def bind(self, net: Network, first: Seen) -> Bound:  # noqa: ARG002 - as all objectives
        """Check that it returns one number for one picture."""

        def score(seen: Seen) -> Tensor:
            given = seen.output if self.layer == OUTPUT else seen.layers[self.layer]
            found = self.function(given)
            if not isinstance(found, Tensor) or found.shape != (seen.count,):
                got = list(found.shape) if isinstance(found, Tensor) else repr(found)
                raise ValueError(
                    f"objective: the function returned {got} for {seen.count} pictures; "
                    "return [N], such as output.flatten(1).sum(1)"
                )
            return found.float()

        score(first)
        return score
