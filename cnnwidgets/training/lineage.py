"""Whose loss it is: which parameters the autograd graph behind it ends in.

Mostly the first path, into the newest layer, ends in a parameter of the model; only the graph of
another model is walked to its end.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch.autograd.graph import Node

_FARTHEST = 4096
"""Nodes that are looked at."""


class Ends(Enum):
    """What a graph ends in."""

    OWN = "a parameter of the model"
    OTHER = "parameters of others alone, as far as it was looked at"
    UNKNOWN = "no parameter, as behind reentrant checkpoints, or with copies of the parameters"


class Lineage:
    """Finds out whether graphs end in the parameters of a model.

    Parameters
    ----------
    model
        The model. Its parameters may be replaced.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._own: dict[int, nn.Parameter] = {}  # no weak references: they forbid swap_tensors

    def ends(self, node: Node | None) -> Ends:
        """Return what the graph behind a node ends in."""
        if id(_newest(node)) in self._own:
            return Ends.OWN
        found = self._walk(node)
        if found is Ends.OTHER and self._replaced():
            found = self._walk(node)
        return found

    def fresh(self) -> bool:
        """Whether no parameter has a gradient: what was added up before was thrown away."""
        return all(parameter.grad is None for parameter in self._model.parameters())

    def _walk(self, node: Node | None) -> Ends:
        waiting, seen, found = [node], {node}, Ends.UNKNOWN
        while waiting and len(seen) < _FARTHEST:
            one = waiting.pop()
            before = () if one is None else one.next_functions
            if not before:
                leaf = getattr(one, "variable", None)
                if id(leaf) in self._own:
                    return Ends.OWN
                if isinstance(leaf, nn.Parameter):
                    found = Ends.OTHER
            for following, _ in before:
                if following is not None and following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return Ends.OTHER if waiting else found

    def _replaced(self) -> bool:
        """Look again which parameters the model has; whether there are other ones."""
        before = self._own.keys()
        self._own = {id(one): one for one in self._model.parameters()}
        return self._own.keys() != before


def _newest(node: Node | None) -> object:
    """Return the tensor at the end of the path into the newest layer; None without one."""
    for _ in range(_FARTHEST):
        before = () if node is None else node.next_functions
        if not before:
            break
        node = before[-1][0]
    return getattr(node, "variable", None)
