"""A buffer of fixed size for a series of any length, that never loses how it began.

When it is full, neighbours are averaged and each row stands for twice as many entries from then on.
So the whole length is always there, evenly thinned: a reservoir, as TensorBoard has it, keeps
random entries and loses the early ones, where the most happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.floating[Any]]
Merge: TypeAlias = Callable[[Numbers, Sequence[float]], Numbers]

_GROWTH = 64


class HalvingBuffer:
    """Rows of numbers, each with its step and time.

    Parameters
    ----------
    capacity
        Most rows that are kept; even.
    width
        Numbers in a row.
    merge
        Makes one row of several, given rows [n, width] and the weight of each. By default their
        mean, NaN if one of them is.
    dtype
        Of the numbers.
    """

    def __init__(
        self,
        capacity: int,
        width: int,
        merge: Merge | None = None,
        dtype: type[np.floating[Any]] = np.float32,
    ) -> None:
        self.capacity = max(2, capacity - capacity % 2)
        self.stride = 1
        """Entries that a row stands for, except the last one, which may still be growing."""
        self.size = 0
        self._merge: Merge = merge or _mean
        self._when = np.empty((0, 3))
        self._rows: Numbers = np.empty((0, width), dtype)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The first step that each row stands for."""
        return self._when[: self.size, 0].astype(np.int64)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """When that was, in seconds."""
        seconds: NDArray[np.float64] = self._when[: self.size, 1].copy()
        return seconds

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many entries each row stands for."""
        return self._when[: self.size, 2].astype(np.int64)

    @property
    def rows(self) -> Numbers:
        """[size, width]; a view."""
        return self._rows[: self.size]

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self._rows.nbytes + self._when.nbytes

    def since(self, first: int) -> tuple[NDArray[np.float64], Numbers]:
        """Return (step, seconds, count) [n, 3] and the rows [n, width] from an index on, copied."""
        part = slice(first, self.size)
        return self._when[part].copy(), self._rows[part].copy()

    def append(
        self, step: int, seconds: float, row: Numbers | Sequence[float], count: int = 1
    ) -> bool:
        """Add an entry, or a row that stands for several; one of the last row's step replaces it.

        Returns
        -------
        bool
            Whether the buffer was halved for it, so that all rows are others.
        """
        numbers = np.asarray(row, self._rows.dtype)
        last = self.size - 1
        held = int(self._when[last, 2]) if self.size else self.stride
        if self.size and step == self._when[last, 0] and count >= held:
            self._rows[last], self._when[last] = numbers, (step, seconds, count)
        elif held + count <= self.stride:
            self._rows[last] = self._merge(np.stack([self._rows[last], numbers]), [held, count])
            self._when[last, 2] += count
        else:
            return self._new(numbers, (step, seconds, count))
        return False

    def _new(self, numbers: Numbers, when: tuple[int, float, int]) -> bool:
        halved = self.size == self.capacity
        if halved:
            self._halve()
        if self.size == len(self._rows):
            self._grow()
        self._rows[self.size], self._when[self.size] = numbers, when
        self.size += 1
        self.stride = max(self.stride, when[2])
        return halved

    def widen(self, width: int) -> None:
        """Make the rows longer; what was not measured before is NaN."""
        wider = np.full((len(self._rows), width), np.nan, self._rows.dtype)
        wider[:, : self._rows.shape[1]] = self._rows
        self._rows = wider

    def limit(self, capacity: int) -> None:
        """Keep fewer rows from now on."""
        self.capacity = max(2, min(self.capacity, capacity - capacity % 2))
        while self.size > self.capacity:
            self._halve()

    def _halve(self) -> None:
        half = -(-self.size // 2)
        for row in range(half):
            pair = slice(2 * row, min(2 * row + 2, self.size))
            self._rows[row] = self._merge(self._rows[pair], self._when[pair, 2].tolist())
            self._when[row] = (*self._when[2 * row, :2], self._when[pair, 2].sum())
        self.size, self.stride = half, 2 * self.stride

    def _grow(self) -> None:
        more = min(max(_GROWTH, len(self._rows)), max(0, self.capacity - len(self._rows)))
        rows = np.empty((more, self._rows.shape[1]), self._rows.dtype)
        self._rows = np.concatenate([self._rows, rows])
        self._when = np.concatenate([self._when, np.empty((more, 3))])


def _mean(rows: Numbers, weights: Sequence[float]) -> Numbers:
    with np.errstate(invalid="ignore"):
        mean: Numbers = np.average(rows, axis=0, weights=weights)
    return mean
