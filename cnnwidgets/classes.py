"""Outputs of a classifier: which tensor counts, which class is meant, which are likeliest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnwidgets.errors import nearest
from cnnwidgets.shadow import tensors

if TYPE_CHECKING:
    from torch import Tensor

_MAP_AXES = 2  # [N, K] and then any positions


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
        By index: a list, or a mapping that may leave some out. None: nothing is known.
    """

    def __init__(self, names: Sequence[str] | Mapping[int, str] | None = None) -> None:
        if isinstance(names, str) or not isinstance(names, (Sequence, Mapping, type(None))):
            raise TypeError(f"classes: a list of names by index, not {type(names).__name__}")
        pairs = names.items() if isinstance(names, Mapping) else enumerate(names or ())
        self.names = {int(index): str(name) for index, name in pairs}

    def __len__(self) -> int:
        return max(self.names, default=-1) + 1

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index: int) -> str:
        return self.names.get(index, f"class {index}")

    def index(self, target: int | str, count: int | None = None) -> int:
        """Return the index of a class given by index or name.

        Parameters
        ----------
        target
            What was asked for.
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
            known = nearest(target, self.names.values())
            raise ValueError(f"target: no class is named {target!r}; {known}")
        if not isinstance(target, int) or isinstance(target, bool):
            raise TypeError(f"target: a class index or name, not {type(target).__name__}")
        last = count if count is not None else len(self)
        if target < 0 or (last and target >= last):
            raise ValueError(f"target: there is no class {target}; they are 0 to {last - 1}")
        return target

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


def _are_probabilities(row: Tensor) -> bool:
    tolerance = 1e-3  # half precision
    return bool((row >= 0).all()) and abs(float(row.sum()) - 1) < tolerance
