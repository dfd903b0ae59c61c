"""Where the tensors of one forward pass came from, and how often they were written to."""

from __future__ import annotations

import weakref
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

if TYPE_CHECKING:
    from collections.abc import Iterable


class Source(NamedTuple):
    """What a tensor was made of: layers, and parameters not yet counted for a layer."""

    layers: tuple[str, ...]
    parameters: tuple[nn.Parameter, ...] = ()


class Sources:
    """The source of each tensor, by identity, without keeping the tensor alive."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[weakref.ref[Tensor], Source]] = {}
        self._sharing: defaultdict[int, list[weakref.ref[Tensor]]] = defaultdict(list)

    def get(self, tensor: Tensor) -> Source | None:
        """Return the source of a tensor, None if nothing is known about it."""
        if isinstance(tensor, nn.Parameter):
            return Source((), (tensor,))
        entry = self._of.get(id(tensor))
        return entry[1] if entry and entry[0]() is tensor else None

    def set(self, made: Iterable[Tensor], source: Source) -> None:
        """Say what tensors were made of."""
        for tensor in made:
            if not isinstance(tensor, nn.Parameter):
                known = self.get(tensor) is not None
                reference = weakref.ref(tensor)
                self._of[id(tensor)] = reference, source
                if not known:
                    self._sharing[_storage(tensor)].append(reference)

    def add_to_aliases(self, written: Tensor, layer: str, but: Iterable[Tensor]) -> None:
        """After a layer wrote in place: what shares the memory comes from it as well."""
        done = set(map(id, but))
        for tensor in (written, *self._overlapping(written)):
            if id(tensor) not in done and not isinstance(tensor, nn.Parameter):
                layers, parameters = self.get(tensor) or Source(())
                self.set([tensor], Source((*layers, layer), parameters))

    def _overlapping(self, tensor: Tensor) -> list[Tensor]:
        storage = _storage(tensor)
        low, high = _extent(tensor)
        found = []
        for reference in self._sharing.get(storage, ()) if storage else ():
            other = reference()
            # The address may be another storage's by now: ask again.
            if other is None or other is tensor or _storage(other) != storage:
                continue
            start, end = _extent(other)
            if start <= high and low <= end:
                found.append(other)
        return found


def writes(tensor: Tensor) -> int:
    """Return how often a tensor was written to, as autograd counts it; 0 where it does not."""
    return 0 if tensor.is_inference() else tensor._version  # noqa: SLF001 - there is no public way


def _storage(tensor: Tensor) -> int:
    """Identify a tensor's memory; 0 if it has none of its own (sparse, wrapper, not built)."""
    if is_lazy(tensor):
        return 0
    try:
        return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - data_ptr() is 0 on meta
    except (NotImplementedError, RuntimeError):
        return 0


def _extent(tensor: Tensor) -> tuple[int, int]:
    """Return the first and the last element of the storage that a tensor touches."""
    first = int(tensor.storage_offset())
    steps = ((n - 1) * stride for n, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return first, first + int(sum(steps))
