"""Notice that tensors changed, without keeping them, or reading all of the large ones."""

from __future__ import annotations

import zlib
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from cnnwidgets.provenance import writes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from torch import nn

WHOLE = 65_536
"""Values up to which a tensor is read completely."""
_SAMPLES = 16


class Fingerprint:
    """Looks at the same tensors again and again: where their memory lies is found once."""

    def __init__(self) -> None:
        self._known: tuple[list[tuple[int, int, int]], list[_Part]] = ([], [])

    def of(self, tensors: Iterable[Tensor]) -> Hashable:
        """Return a value that changes with the tensors.

        Autograd counts every write to a tensor, but not one through ``.data``. So the memory of
        tensors of up to 65,536 values is compared too, and 16 values of each larger one: a write
        through ``.data`` to a few values of a large tensor can go unnoticed.
        """
        built = [tensor for tensor in tensors if not is_lazy(tensor)]
        places = [(id(tensor), *_place(tensor)) for tensor in built]
        known, parts = self._known
        if places != known:
            parts = _parts(built)
            self._known = places, parts  # at once: other threads look as well
        counts = tuple((id(tensor), writes(tensor)) for tensor in built)
        return counts, tuple(part.checksum() for part in parts)


def state_of(model: nn.Module) -> Iterator[Tensor]:
    """Yield parameters and buffers, twice as fast as the public iterators, which name them."""
    for module in model.modules():
        for own in chain(module._parameters.values(), module._buffers.values()):  # noqa: SLF001
            if own is not None:
                yield own


class _Part:
    """What is read of tensors of one device and dtype: views of their memory."""

    def __init__(self, views: list[Tensor]) -> None:
        self._views = views
        self._last: tuple[Tensor, int] | None = None

    def checksum(self) -> int:
        """Return one checksum of all; values that are still the same are only compared."""
        values = _as_integers(torch.cat(self._views))
        last = self._last
        if last is None or not torch.equal(values, last[0]):
            read = values.cpu().view(torch.uint8).numpy().data  # one transfer
            last = self._last = values, zlib.crc32(read)
        return last[1]


def _place(tensor: Tensor) -> tuple[int, int]:
    """Return where a tensor's memory begins, and for how many values."""
    return (tensor.data_ptr(), tensor.numel()) if tensor.layout == torch.strided else (0, 0)


def _parts(tensors: Iterable[Tensor]) -> list[_Part]:
    """Return what is read of the tensors, by device and dtype."""
    parts: defaultdict[tuple[torch.device, torch.dtype], list[Tensor]] = defaultdict(list)
    for tensor in tensors:
        if tensor.layout == torch.strided and not tensor.is_meta:
            parts[tensor.device, tensor.dtype].append(_part(tensor.detach()))
    return [_Part(views) for views in parts.values()]


def _part(tensor: Tensor) -> Tensor:
    """Return a tensor's memory, or 16 values spread over it (no copy of a channels-last one)."""
    held = tensor.untyped_storage().nbytes() // tensor.element_size() - tensor.storage_offset()
    count = min(tensor.numel(), held)
    shape, step = ((count,), 1) if count <= WHOLE else ((_SAMPLES,), count // _SAMPLES)
    return tensor.as_strided(shape, (step,), tensor.storage_offset())


def _as_integers(values: Tensor) -> Tensor:
    """View values as integers, of which the same are always equal: NaN is not."""
    return values.view(_INTEGERS.get(values.element_size(), torch.uint8))


_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
