"""Notice that tensors changed, without keeping or reading all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_SAMPLES = 16


def fingerprint(tensors: Iterable[Tensor]) -> Hashable:
    """Return a value that changes with the tensors.

    Autograd counts every write to a tensor, but not one through ``.data``; a few
    values of each tensor are compared too.
    """
    counts: list[tuple[int, int]] = []
    samples: list[Tensor] = []
    for tensor in tensors:
        if is_lazy(tensor):
            continue
        counts.append((id(tensor), 0 if tensor.is_inference() else tensor._version))  # noqa: SLF001 - autograd's own count of writes
        samples.append(_sample(tensor.detach()))
    if not samples:
        return tuple(counts)
    by_device: dict[torch.device, list[Tensor]] = {}
    for sample in samples:
        by_device.setdefault(sample.device, []).append(sample)
    joined = (torch.cat(group).cpu().numpy().tobytes() for group in by_device.values())
    return tuple(counts), tuple(joined)


def _sample(tensor: Tensor) -> Tensor:
    """Take up to 16 values, spread over the tensor's memory (no copy of a channels-last one)."""
    if tensor.layout != torch.strided or tensor.is_meta:
        return torch.empty(0, dtype=torch.float64)
    held = tensor.untyped_storage().nbytes() // tensor.element_size() - tensor.storage_offset()
    count = min(tensor.numel(), held)
    shape, step = (min(_SAMPLES, count),), max(1, count // _SAMPLES)
    return tensor.as_strided(shape, (step,), tensor.storage_offset()).to(torch.float64)
