"""Notice that tensors changed, without keeping them, or reading all of the large ones."""

from __future__ import annotations

import zlib
from collections import defaultdict
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from cnnwidgets.provenance import writes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

WHOLE = 65_536
"""Values up to which a tensor is read completely."""
_SAMPLES = 16


def fingerprint(tensors: Iterable[Tensor]) -> Hashable:
    """Return a value that changes with the tensors.

    Autograd counts every write to a tensor, but not one through ``.data``. So the memory of
    tensors of up to 65,536 values is compared too, and 16 values of each larger one: a write
    through ``.data`` to a few values of a large tensor can go unnoticed.
    """
    counts: list[tuple[int, int]] = []
    read: defaultdict[torch.device, list[Tensor]] = defaultdict(list)
    for tensor in tensors:
        if is_lazy(tensor):
            continue
        counts.append((id(tensor), writes(tensor)))
        part = _bytes(tensor.detach())
        read[part.device].append(part)
    return tuple(counts), tuple(map(_checksum, read.values()))


def _bytes(tensor: Tensor) -> Tensor:
    """Return a tensor's memory, or 16 values spread over it (no copy of a channels-last one)."""
    if tensor.layout != torch.strided or tensor.is_meta:
        return torch.empty(0, dtype=torch.uint8)
    held = tensor.untyped_storage().nbytes() // tensor.element_size() - tensor.storage_offset()
    count = min(tensor.numel(), held)
    shape, step = ((count,), 1) if count <= WHOLE else ((_SAMPLES,), count // _SAMPLES)
    return tensor.as_strided(shape, (step,), tensor.storage_offset()).contiguous().view(torch.uint8)


def _checksum(parts: list[Tensor]) -> int:
    """Return one checksum of all parts, which lie on one device."""
    return zlib.crc32(torch.cat(parts).cpu().numpy().data)  # one call, one transfer
