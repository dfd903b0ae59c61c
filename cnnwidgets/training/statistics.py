"""Norm, mean, deviation, zeros and histogram of many tensors, with one copy to the host.

What this costs decides how often it can be done: each tensor is read while it is in the cache, the
histograms are made of at most 8,192 values of each, of all tensors at once, zeros are counted among
the same ones, and nothing waits for the device before everything is computed.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnnwidgets.training.bins import BINS, histograms, sample
from cnnwidgets.training.table import FIELDS, WIDTH, Key, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_NORM, _MEAN, _STD, _ZEROS, _NANS, _INFS, _UPDATE = range(7)


class _Part(NamedTuple):
    """What was measured of tensors on one device."""

    keys: list[Key]
    flats: list[Tensor]  # all values, which may have to be read again
    numbers: Tensor  # float32 [tensors, 2]: norm, sum
    samples: list[Tensor]


class Measured:
    """Statistics of tensors, on their device until `table` brings them to the host.

    Parameters
    ----------
    tensors
        What to measure, by layer and quantity. Read now, not changed, and read again by `table`
        if a norm turns out not to be finite.
    """

    def __init__(self, tensors: Mapping[Key, Tensor]) -> None:
        self._parts: list[_Part] = []
        self._extra: dict[tuple[Key, str], Tensor] = {}
        by_device: dict[torch.device, dict[Key, Tensor]] = {}
        for key, tensor in tensors.items():
            values = flat(tensor)
            if values.numel():
                by_device.setdefault(values.device, {})[key] = values
        for flats in by_device.values():
            read = [*flats.values()]
            samples = [sample(one).clone() for one in read]
            self._parts.append(_Part([*flats], read, _measure(read), samples))

    def join(self, other: Measured) -> None:
        """Add what was measured there, which takes the same copy to the host."""
        self._parts += other._parts
        self._extra |= other._extra

    def put(self, values: Mapping[Key, Tensor], field: str) -> None:
        """Add one number, a tensor without axes, to rows that are measured.

        Of ``"update"`` it is the norm of what changed, which `table` divides by the norm.
        """
        self._extra |= {(key, field): value for key, value in values.items()}

    def norms(self) -> list[Tensor]:
        """Return the norm of all values on each device."""
        return [torch.linalg.vector_norm(part.numbers[:, 0]) for part in self._parts]

    def table(self) -> Table:
        """Bring the numbers to the host, with one copy from each device."""
        by_device: dict[torch.device, list[_Part]] = {}
        for part in self._parts:
            by_device.setdefault(part.numbers.device, []).append(part)
        parts = [part for there in by_device.values() for part in there]
        keys = tuple(key for part in parts for key in part.keys)
        if not keys:
            return Table((), np.empty((0, WIDTH), np.float32))
        blocks = [_block(there) for there in by_device.values()]
        extra = [together([*self._extra.values()])] if self._extra else []
        found = to_host([*blocks, *extra])
        flats = [one for part in parts for one in part.flats]
        sizes = np.array([one.numel() for one in flats])
        values = _finished(np.concatenate(found[: len(blocks)]), sizes)
        rows = {key: row for row, key in enumerate(keys)}
        for (key, field), one in zip(self._extra, found[-1] if extra else (), strict=True):
            if key in rows:
                values[rows[key], FIELDS.index(field)] = one
        with np.errstate(divide="ignore", invalid="ignore"):
            values[:, _UPDATE] /= values[:, _NORM]
        for row in map(int, np.flatnonzero(~np.isfinite(values[:, _NORM]))):
            values[row, _NANS] = int(flats[row].isnan().sum())
            values[row, _INFS] = int(flats[row].isinf().sum())
        return Table(keys, values)


def flat(tensor: Tensor) -> Tensor:
    """Return all values in one row of real floats, without a copy where that is possible."""
    values = row(tensor)
    return values if values.dtype == torch.float32 else values.float()


def row(tensor: Tensor) -> Tensor:
    """Return all values in one row, real and as precise as they are."""
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.coalesce().values() if tensor.is_sparse else tensor.to_dense()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor.reshape(-1)


def together(scalars: Sequence[Tensor]) -> Tensor:
    """Make one tensor of several of one value each, on the device of the first."""
    if len(scalars) == 1:
        return scalars[0].reshape(1)
    first = scalars[0]
    same = all(one.device == first.device and one.ndim == 0 for one in scalars)
    return torch.stack(list(scalars) if same else [one.to(first).reshape(()) for one in scalars])


def number(value: Tensor) -> Tensor | float:
    """Return the one value of a tensor; on another device a copy of it, for nothing waits."""
    return value.item() if value.is_cpu else value.detach().clone()


def total(numbers: Sequence[Tensor | float]) -> Tensor | float:
    """Add numbers up, of which some may be on other devices."""
    if len(numbers) == 1:
        return numbers[0]
    away = [one for one in numbers if isinstance(one, Tensor)]
    here = sum(one for one in numbers if not isinstance(one, Tensor))
    return here + together(away).sum() if away else here


def _measure(flats: list[Tensor]) -> Tensor:
    """Return float32 [tensors, 2]: norm, sum."""
    pairs = [(torch.linalg.vector_norm(one), one.sum()) for one in flats]
    return torch.stack([number for pair in pairs for number in pair]).view(-1, 2)


def _block(parts: list[_Part]) -> Tensor:
    """Return float32 [tensors, 3 + 249] of one device: norm, sum, zeros, histogram."""
    numbers = torch.cat([part.numbers for part in parts])
    zeros, shares = histograms([one for part in parts for one in part.samples])
    return torch.cat([numbers, zeros[:, None], shares], 1)


def _finished(measured: NDArray[np.float32], sizes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Make `FIELDS` of norms, sums and shares; NaN and Inf are not counted yet."""
    values = np.full((len(measured), WIDTH), np.nan, np.float32)
    values[:, -BINS:] = measured[:, -BINS:]
    norm, total = measured[:, 0].astype(float), measured[:, 1].astype(float)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = total / sizes
        variance = norm**2 / sizes - mean**2
        values[:, _STD] = np.sqrt(np.where(variance < 0, 0, variance))
    values[:, _NORM], values[:, _MEAN] = norm, mean
    values[:, _ZEROS] = measured[:, 2]
    values[:, [_NANS, _INFS]] = 0
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
