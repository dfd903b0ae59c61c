"""What is known of a run, in memory of fixed size: curves, statistics of layers, findings."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnwidgets.training.bins import BINS
from cnnwidgets.training.halving import HalvingBuffer
from cnnwidgets.training.table import FIELDS, WIDTH, Key, Table, merged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cnnwidgets.training.findings import Finding

POINTS = 8192
"""Points of a curve that are kept."""
ROWS = 512
"""Recorded steps of layer statistics that are kept, or as many as fit, 64 at least."""
TABLE_BYTES = 8_000_000
_FEWEST = 64


class Curve(NamedTuple):
    """One scalar over the run.

    Attributes
    ----------
    steps
        int64 [points]
    values
        float64 [points]
    seconds
        float64 [points], since the run began.
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    seconds: NDArray[np.float64]


class History:
    """Curves and tables that grow step by step.

    Attributes
    ----------
    lock
        Held while it changes; hold it to read several things that belong together.
    findings, notes
        What was found, and what the recorder has to say about itself, in order.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.curves: dict[str, HalvingBuffer] = {}
        self.keys: dict[Key, int] = {}
        """Row of each (layer, quantity) in the tables."""
        self.tables: HalvingBuffer
        """`FIELDS` of all of them at each recorded step."""
        self.shares: HalvingBuffer
        """Their histograms at the same steps, as halves: they are counted of few values."""
        self.tables, self.shares = _empty()
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.version = 0
        """Another one with each change of curves and tables."""

    def add_scalar(
        self, name: str, step: int, seconds: float, value: float, count: int = 1
    ) -> bool:
        """Add a point; whether the curve was halved for it."""
        with self.lock:
            self.version += 1
            curve = self.curves.get(name)
            if curve is None:
                curve = self.curves[name] = HalvingBuffer(POINTS, 1, dtype=np.float64)
            return curve.append(step, seconds, [value], count)

    def add_table(self, step: int, seconds: float, table: Table, count: int = 1) -> bool:
        """Add what was measured of the layers; whether the tables were halved for it."""
        with self.lock:
            self.version += 1
            self._make_room(table.keys)
            row = np.full((len(self.keys), WIDTH), np.nan, np.float32)
            row[[self.keys[key] for key in table.keys]] = table.values
            numbers, shares = row[:, : len(FIELDS)], row[:, len(FIELDS) :]
            self.shares.append(step, seconds, shares.reshape(-1), count)
            return self.tables.append(step, seconds, numbers.reshape(-1), count)

    def curve(self, name: str) -> Curve:
        """Return a copy of a curve."""
        with self.lock:
            buffer = self.curves[name]
            values = buffer.rows[:, 0].astype(np.float64)
            return Curve(buffer.steps, values, buffer.seconds)

    def rows(self, key: Key) -> NDArray[np.float32]:
        """Return what was measured of one layer and quantity, [recorded steps, 8 + 249]."""
        with self.lock:
            parts = [
                buffer.rows.reshape(buffer.size, len(self.keys), -1)[:, self.keys[key]]
                for buffer in (self.tables, self.shares)
            ]
            return np.concatenate(parts, 1, dtype=np.float32)

    def clear(self) -> None:
        """Forget the curves and tables."""
        with self.lock:
            self.version += 1
            self.curves.clear()
            self.keys.clear()
            self.tables, self.shares = _empty()

    @property
    def nbytes(self) -> int:
        """Memory that curves and tables take."""
        with self.lock:
            buffers = [self.tables, self.shares, *self.curves.values()]
            return sum(buffer.nbytes for buffer in buffers)

    def _make_room(self, keys: Iterable[Key]) -> None:
        """Widen the tables for layers that were not seen before."""
        known = len(self.keys)
        for key in keys:
            self.keys.setdefault(key, len(self.keys))
        if len(self.keys) > known:
            buffers = {self.tables: len(FIELDS), self.shares: BINS}
            size = sum(width * buffer.rows.itemsize for buffer, width in buffers.items())
            fitting = TABLE_BYTES // (len(self.keys) * size)
            for buffer, width in buffers.items():
                buffer.widen(len(self.keys) * width)
                buffer.limit(int(np.clip(fitting, _FEWEST, ROWS)))


def _empty() -> tuple[HalvingBuffer, HalvingBuffer]:
    return HalvingBuffer(ROWS, 0, merged), HalvingBuffer(ROWS, 0, merged, dtype=np.float16)
