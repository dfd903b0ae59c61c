"""Curves and tables of a run as the browser gets them: all of it, or what is new."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnnwidgets.training.bins import BINS
from cnnwidgets.training.table import FIELDS
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnwidgets.training.halving import HalvingBuffer, Numbers
    from cnnwidgets.training.history import History

    Packed = tuple[dict[str, Any], list[bytes]]
    Entries = tuple[NDArray[np.float64], Numbers]

FINEST, NOT_MEASURED = 254, 255
"""A share of 1, and the code of what was not measured."""
SPEED = "samples_per_second"
_LATEST = 16  # points that the speed is the median of


class _Place(NamedTuple):
    """How far a buffer was sent."""

    buffer: HalvingBuffer
    stride: int
    size: int

    def still(self, buffer: HalvingBuffer | None) -> bool:
        """Whether what was sent still is how the buffer begins."""
        return buffer is self.buffer and buffer.stride == self.stride


class _Copied(NamedTuple):
    """What there is of a history from some place on, copied while nothing changed it."""

    curves: dict[str, tuple[int, Entries]]
    """Name → index of the first point, points."""
    first: int
    rows: Entries
    shares: Numbers
    keys: int
    speeds: NDArray[np.floating[Any]]


class Digest:
    """Packs a history for the pages; knows what they were sent.

    Parameters
    ----------
    history
        It is read only, and locked only while what is new is copied.

    Attributes
    ----------
    seq
        Number of the news that were sent last.
    """

    def __init__(self, history: History) -> None:
        self.seq = 0
        self._history = history
        self._lock = threading.Lock()
        self._version = -1
        self._keys = 0
        self._curves: dict[str, _Place] = {}
        self._tables = _Place(history.tables, history.tables.stride, 0)
        self._last_step, self._elapsed = 0, 0.0

    @property
    def stale(self) -> bool:
        """Whether there is more than what was sent."""
        return self._history.version != self._version

    def whole(self) -> Packed:
        """Pack everything; the news that come next go on from there."""
        with self._lock, self._history.lock:
            copied, seq = self._copied({}, 0), self.seq
            if self._version < 0:  # the first look at all: there is no need to send it once more
                self._remember()
        curves = [{"name": name, "points": len(e[0])} for name, (_, e) in copied.curves.items()]
        return {"seq": seq, **self._progress(copied), "curves": curves}, _tensors(copied)

    def news(self, *, anew: bool = False) -> Packed:
        """Pack what is new since the last news, or everything if that is asked for or needed.

        The last point and row that were sent are in it again: they may have grown.
        """
        with self._lock:
            with self._history.lock:
                reset = anew or not self._continues()
                since = {} if reset else {name: p.size - 1 for name, p in self._curves.items()}
                copied = self._copied(since, 0 if reset else max(0, self._tables.size - 1))
                self._remember()
            self.seq += 1
            seq = self.seq
        curves = [
            {"name": name, "from": first, "points": len(entries[0])}
            for name, (first, entries) in copied.curves.items()
        ]
        value = {"seq": seq, "reset": reset, **self._progress(copied), "curves": curves}
        value |= {"rows_from": copied.first, "rows": len(copied.rows[0])}
        return value, _tensors(copied)

    def _continues(self) -> bool:
        """Whether everything that was sent still holds: nothing was halved, no layer added."""
        curves = self._history.curves
        return (
            self._keys == len(self._history.keys)
            and self._tables.still(self._history.tables)
            and all(place.still(curves.get(name)) for name, place in self._curves.items())
        )

    def _copied(self, since: dict[str, int], first: int) -> _Copied:
        history = self._history
        with history.lock:
            curves = {
                name: (since.get(name, 0), curve.since(since.get(name, 0)))
                for name, curve in history.curves.items()
            }
            speeds = history.curves.get(SPEED)
            latest = np.empty(0) if speeds is None else speeds.rows[-_LATEST:, 0].copy()
            rows, (_, shares) = history.tables.since(first), history.shares.since(first)
            return _Copied(curves, first, rows, shares, len(history.keys), latest)

    def _remember(self) -> None:
        history = self._history
        self._version, self._keys = history.version, len(history.keys)
        self._curves = {n: _Place(c, c.stride, c.size) for n, c in history.curves.items()}
        self._tables = _Place(history.tables, history.tables.stride, history.tables.size)

    def _progress(self, copied: _Copied) -> dict[str, Any]:
        ends = [when[-1] for when, _ in _series(copied) if len(when)]
        self._last_step = max([self._last_step, *(int(step + n - 1) for step, _, n in ends)])
        seconds = (float(when) for _, when, _ in ends if math.isfinite(when))
        self._elapsed = max([self._elapsed, *seconds])
        speed = float(np.median(copied.speeds)) if len(copied.speeds) else math.nan
        return {
            "last_step": self._last_step,
            "speed": speed if math.isfinite(speed) else None,
            "elapsed": self._elapsed,
        }


def _series(copied: _Copied) -> list[Entries]:
    return [*(entries for _, entries in copied.curves.values()), copied.rows]


def _tensors(copied: _Copied) -> list[bytes]:
    """Pack curves [3, points], then steps and seconds, fields, histograms of the rows."""
    curves = [_numbers([when[:, 0], rows[:, 0], when[:, 1]]) for when, rows in _series(copied)[:-1]]
    when, rows = copied.rows
    fields = rows.reshape(len(rows), copied.keys, len(FIELDS))
    shares = copied.shares.reshape(len(rows), copied.keys, BINS)
    return [
        *curves,
        _numbers([when[:, 0], when[:, 1]]),
        pack(fields, "float32"),
        pack(_codes(shares), "picture"),
    ]


def _numbers(rows: Sequence[NDArray[np.floating[Any]]]) -> bytes:
    with np.errstate(over="ignore"):  # a loss of 1e300 is as good as infinite
        return pack(np.stack(rows).astype(np.float32), "float32")


def _codes(shares: Numbers) -> NDArray[np.uint8]:
    """Encode shares, finer where they are small: code / 254 is the square root."""
    measured = ~np.isnan(shares)
    roots = np.sqrt(np.where(measured, shares, 0).clip(0, 1), dtype=np.float32)
    codes: NDArray[np.uint8] = np.where(measured, np.rint(roots * FINEST), NOT_MEASURED).astype(
        np.uint8
    )
    return codes
