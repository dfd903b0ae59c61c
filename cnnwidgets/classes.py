"""Outputs of a classifier: which tensor counts, which class is meant, which are likeliest."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnwidgets.errors import nearest
from cnnwidgets.shadow import tensors

if TYPE_CHECKING:
    from torch import Tensor

_MAP_AXES = 2  # [N, K] and then any positions
_NAMELESS = "the classes have no names: give an index, or Network(model, classes=[…])"


class Prediction(NamedTuple):
    """One class: its index, name, probability and logit."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    name: str
    probability: float
    logit: float


class Classes:
    """The names of a network's classes.

    Parameters
    ----------
    names
        By index: a list, a mapping that may leave some out, or another network's `classes`.
        None: nothing is known.
    """

    def __init__(self, names: Sequence[str] | Mapping[int, str] | Classes | None = None) -> None:
        if isinstance(names, Classes):
            names = names.given
        if isinstance(names, str) or not isinstance(names, (Sequence, Mapping, type(None))):
            raise TypeError(f"classes: a list of names by index, not {type(names).__name__}")
        pairs = names.items() if isinstance(names, Mapping) else enumerate(names or ())
        self.names = {int(index): str(name) for index, name in pairs}
        self._every = names is not None and not isinstance(names, Mapping)

    @property
    def given(self) -> Sequence[str] | Mapping[int, str]:
        """The names: a list of all, or a mapping that may leave some out."""
        return list(self.names.values()) if self._every else self.names

    def __len__(self) -> int:
        return max(self.names, default=-1) + 1

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> str:
        return self.names.get(index, f"class {index}")

    def misfit(self, count: int) -> str | None:
        """Say why these cannot be the names of so many outputs; None if they can.

        No names at all fit everything, a mapping fits whatever has its indices.
        """
        if self._every and len(self) != count:
            hint = f"give {count}, or a mapping such as {{0: {self[0]!r}}} to name only some"
            return f"classes: {len(self)} names for {count} outputs; {hint}"
        if outside := [index for index in self.names if not 0 <= index < count]:
            return f"classes: {outside[0]} is no output; they are 0 to {count - 1}"
        return None

    def index(self, target: int | str, count: int | None = None) -> int:
        """Return the index of a class given by index or name.

        Parameters
        ----------
        target
            What was asked for; NumPy's and torch's integers count as such.
        count
            How many outputs there are, where that is known.

        Raises
        ------
        TypeError, ValueError
            If it is none; the message names the nearest.
        """
        if isinstance(target, str):
            for index, name in self.names.items():
                if name == target:
                    return index
            known = nearest(target, self.names.values()) if self.names else _NAMELESS
            raise ValueError(f"target: no class is named {target!r}; {known}")
        index = _whole(target)
        last = (count or len(self) * self._every) - 1
        if index < 0 or 0 <= last < index:
            choose = f"choose 0 to {last}" if last >= 0 else "they count from 0"
            raise ValueError(f"target: there is no class {index}; {choose}")
        return index

    def ranking(self, logits: Tensor, k: int = 5) -> list[Prediction]:
        """Return the `k` likeliest classes of logits (or probabilities) [1, K], K > 1.

        Raises
        ------
        ValueError
            If that is not their shape: the network is no classifier.
        """
        if logits.ndim != _MAP_AXES or logits.shape[1] == 1:
            raise ValueError(
                "the network is no classifier: its output for one image has the shape "
                f"{tuple(logits.shape[1:])}, not (classes,)"
            )
        row = logits[0].detach().double().cpu()
        chance = row if _are_probabilities(row) else row.softmax(0)
        best = chance.argsort(descending=True, stable=True)[: max(k, 0)].tolist()
        return [Prediction(i, self[i], float(chance[i]), float(row[i])) for i in best]


def class_count(output: Any) -> int | None:  # noqa: ANN401 - whatever a model returns
    """Tell how many classes a model scores that returned this for one image.

    It is K where all that it returned is [1, K], K > 1. Of anything else (maps, boxes, features
    beside the logits) it is not certain what the classes are: None.
    """
    shapes = {tuple(tensor.shape) for tensor in tensors(output)}
    match list(shapes):
        case [(1, count)] if count > 1:
            return count
    return None


def first_output(output: Any) -> Tensor:  # noqa: ANN401 - whatever a model returns
    """Return the tensor that counts of an output that is a tuple, dict or dataclass.

    It is the entry ``logits`` or ``out`` if there is one, else the first tensor.

    Raises
    ------
    ValueError
        If there is no tensor.
    """
    named = [output[key] for key in ("logits", "out") if isinstance(output, dict) and key in output]
    first = next(tensors([named, output]), None)
    if first is None:
        raise ValueError(f"the model returned no tensor but {type(output).__name__}")
    return first


def scores(output: Any) -> Tensor:  # noqa: ANN401
    """Return one score per class, [N, K]: the first output, averaged over its positions."""
    first = first_output(output)
    if first.ndim < _MAP_AXES:
        return first.reshape(-1, 1)
    return first.flatten(_MAP_AXES).mean(_MAP_AXES) if first.ndim > _MAP_AXES else first


def _whole(target: object) -> int:
    if not isinstance(target, bool):
        with suppress(TypeError):
            return operator.index(target)  # type: ignore[arg-type]
    raise TypeError(f"target: {target!r} is neither a class index nor a name")


def _are_probabilities(row: Tensor) -> bool:
    tolerance = 1e-3  # half precision
    return bool((row >= 0).all()) and abs(float(row.sum()) - 1) < tolerance
