"""Norm, mean, deviation, zeros and histogram of many tensors at once, with one copy to the host.

What this costs decides how often it can be done: `torch._foreach_norm` reads all tensors in one
call, the histograms are made of at most 8,192 values of each, and nothing waits for the device
before everything is computed.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from cnnwidgets.training.bins import BINS, histograms, sample
from cnnwidgets.training.table import FIELDS, WIDTH, Key, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_NORM, _MEAN, _STD, _ZEROS, _NANS, _INFS = range(6)


class Measured:
    """Statistics of tensors, on their device until `table` brings them to the host.

    Parameters
    ----------
    tensors
        What to measure, by layer and quantity. Read now, not changed, not kept, unless a norm
        turns out not to be finite.
    """

    def __init__(self, tensors: Mapping[Key, Tensor]) -> None:
        self._parts: list[tuple[list[Key], list[Tensor], list[int], Tensor]] = []
        self._extra: dict[tuple[Key, str], Tensor] = {}
        by_device: dict[torch.device, list[tuple[Key, Tensor]]] = {}
        for key, tensor in tensors.items():
            values = flat(tensor)
            if values.numel():
                by_device.setdefault(values.device, []).append((key, values))
        for pairs in by_device.values():
            keys, flats = [key for key, _ in pairs], [values for _, values in pairs]
            sizes = [values.numel() for values in flats]
            self._parts.append((keys, flats, sizes, _measure(flats)))

    def join(self, other: Measured) -> None:
        """Add what was measured there, which takes the same copy to the host."""
        self._parts += other._parts
        self._extra |= other._extra

    def put(self, values: Mapping[Key, Tensor], field: str) -> None:
        """Add one number, a tensor without axes, to rows that are measured."""
        self._extra |= {(key, field): value.float() for key, value in values.items()}

    def norms(self) -> dict[Key, Tensor]:
        """Return the norm of each tensor, on its device."""
        return {
            key: measured[row, 0]
            for keys, _, _, measured in self._parts
            for row, key in enumerate(keys)
        }

    def table(self) -> Table:
        """Bring the numbers to the host, with one copy from each device."""
        keys = [key for names, *_ in self._parts for key in names]
        sizes = np.array([size for _, _, sizes, _ in self._parts for size in sizes])
        flats = [values for _, flats, *_ in self._parts for values in flats]
        numbers = [row for *_, measured in self._parts for row in measured]
        extra = list(self._extra.values())
        found = to_host([*numbers, *extra])
        if not keys:
            return Table((), np.empty((0, WIDTH), np.float32))
        values = _finish(np.stack(found[: len(keys)]), sizes, flats)
        rows = {key: row for row, key in enumerate(keys)}
        for (key, field), number in zip(self._extra, found[len(keys) :], strict=True):
            if key in rows:
                values[rows[key], FIELDS.index(field)] = number
        return Table(tuple(keys), values)


def flat(tensor: Tensor) -> Tensor:
    """Return all values in one row of real floats, without a copy where that is possible."""
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.coalesce().values() if tensor.is_sparse else tensor.to_dense()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return (tensor if tensor.dtype == torch.float32 else tensor.float()).reshape(-1)


def together(scalars: Sequence[Tensor]) -> Tensor:
    """Make one tensor of several of one value each, on the device of the first."""
    if len(scalars) == 1:
        return scalars[0].reshape(1)
    first = scalars[0]
    same = all(one.device == first.device and one.ndim == 0 for one in scalars)
    return torch.stack(list(scalars) if same else [one.to(first).reshape(()) for one in scalars])


def _measure(flats: list[Tensor]) -> Tensor:
    """Return float32 [tensors, 3 + 63]: norm, sum, zeros, histogram."""
    norms = torch.stack(list(torch._foreach_norm(flats)))  # noqa: SLF001 - torch's own optimizers are made of these
    sums = torch.stack([one.sum() for one in flats])
    zeros = torch.stack([_zeros(one) for one in flats])
    numbers = torch.stack([norms, sums, zeros], 1)
    return torch.cat([numbers, histograms([sample(one) for one in flats])], 1)


def _zeros(values: Tensor) -> Tensor:
    """Count zeros; as floats this takes a fortieth of the time of `torch.count_nonzero`."""
    return torch.eq(values, 0, out=torch.empty_like(values)).sum()


def _finish(
    measured: NDArray[np.float32], sizes: NDArray[np.int64], flats: Sequence[Tensor]
) -> NDArray[np.float32]:
    """Make `FIELDS` of norms, sums and counts; count NaN and Inf where there are any."""
    values = np.full((len(measured), WIDTH), np.nan, np.float32)
    values[:, -BINS:] = measured[:, -BINS:]
    norm, total = measured[:, 0].astype(float), measured[:, 1].astype(float)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = total / sizes
        variance = norm**2 / sizes - mean**2
        values[:, _STD] = np.sqrt(np.where(variance < 0, 0, variance))
    values[:, _NORM], values[:, _MEAN] = norm, mean
    values[:, _ZEROS] = measured[:, 2] / sizes
    values[:, [_NANS, _INFS]] = 0
    for row in map(int, np.flatnonzero(~np.isfinite(norm))):
        values[row, _NANS] = int(flats[row].isnan().sum())
        values[row, _INFS] = int(flats[row].isinf().sum())
    return values


def to_host(tensors: Sequence[Tensor]) -> list[NDArray[np.float32]]:
    """Bring tensors to the host as float32 arrays, with one copy from each device."""
    found: dict[int, NDArray[np.float32]] = {}
    for device in {tensor.device for tensor in tensors}:
        places = [i for i, tensor in enumerate(tensors) if tensor.device == device]
        flat = torch.cat([tensors[i].detach().float().reshape(-1) for i in places]).cpu().numpy()
        ends = list(accumulate(tensors[i].numel() for i in places))[:-1]
        parts = zip(places, np.split(flat, ends), strict=True)
        found |= {i: part.reshape(tuple(tensors[i].shape)) for i, part in parts}
    return [found[i] for i in range(len(tensors))]
