"""What a picture is to make a network do: objectives, and their arithmetic."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.network import Network

OUTPUT = ""
"""Stands among the names of layers for what the model returns."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What one pass over N pictures showed.

    Attributes
    ----------
    layers
        Layer name → its output [N, …], of the layers asked for.
    output
        What the model returned; None where the pass ended before.
    count
        N.
    """

    layers: Mapping[str, Tensor]
    output: Any
    count: int


Bound: TypeAlias = Callable[[Seen], "Tensor"]
"""An objective for one network: what was seen of N pictures → their scores [N]."""


class Objective(ABC):
    """A score of each picture that gradient ascent makes larger.

    Objectives can be added, subtracted, negated, and multiplied or divided by a number:
    ``cw.Channel("conv1", 3) - 0.5 * cw.Channel("conv1", 7)``.
    """

    @property
    @abstractmethod
    def layers(self) -> frozenset[str]:
        """Names of the layers it looks at; `OUTPUT` for what the model returns."""

    @abstractmethod
    def bind(self, net: Network, first: Seen) -> Bound:
        """Check it against a network, and return what scores pictures.

        Parameters
        ----------
        net
            The network.
        first
            What a pass over one picture showed, without gradients.

        Raises
        ------
        TypeError, ValueError
            If the network has no such unit; the message says what there is.
        """

    def room(self, net: Network) -> float:  # noqa: ARG002
        """Return by how many pixels a picture may be moved, and the unit sees the same part."""
        return math.inf

    def __add__(self, other: Objective | float) -> Objective:
        if isinstance(other, Objective):
            return Sum((*_terms(self), *_terms(other)))
        return self if other == 0 else NotImplemented  # what sum() begins with

    __radd__ = __add__

    def __mul__(self, weight: float) -> Objective:
        if not isinstance(weight, (int, float)):
            return NotImplemented
        return Sum(tuple((weight * own, part) for own, part in _terms(self)))

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Objective:
        return self * (1 / divisor)

    def __neg__(self) -> Objective:
        return self * -1.0

    def __sub__(self, other: Objective) -> Objective:
        return self + -other


@dataclass(frozen=True)
class Sum(Objective):
    """A weighted sum of objectives.

    Attributes
    ----------
    terms
        Pairs (weight, objective).
    """

    terms: tuple[tuple[float, Objective], ...]

    @property
    def layers(self) -> frozenset[str]:
        """Those of all terms."""
        return frozenset[str]().union(*(part.layers for _, part in self.terms))

    def bind(self, net: Network, first: Seen) -> Bound:
        """Bind every term."""
        bound = [(weight, part.bind(net, first)) for weight, part in self.terms]

        def score(seen: Seen) -> Tensor:
            (weight, part), *others = bound
            total = weight * part(seen)
            for weight, part in others:
                total = total + weight * part(seen)
            return total

        return score

    def room(self, net: Network) -> float:
        """Return that of the term with the least."""
        return min((part.room(net) for _, part in self.terms), default=math.inf)


def is_negated(objective: Objective) -> bool:
    """Whether it rises as what it is made of falls."""
    return all(weight < 0 for weight, _ in _terms(objective))


def _terms(objective: Objective) -> tuple[tuple[float, Objective], ...]:
    return objective.terms if isinstance(objective, Sum) else ((1.0, objective),)
