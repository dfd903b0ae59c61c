"""What every unit of a layer sees of the picture: exact intervals, and the closed formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from cnnwidgets import taps as _taps
from cnnwidgets.taps import NONE, Taps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NOTHING = np.array([[np.iinfo(np.int64).max, np.iinfo(np.int64).min]])


@dataclass(frozen=True, eq=False)
class Axis:
    """Receptive fields along one axis of a layer.

    Attributes
    ----------
    bounds : numpy.ndarray
        int64 [units, 2]: the half-open interval of input pixels that each unit depends on,
        clipped to the picture; (0, 0) for a unit that sees only padding. Exact.
    size : int
        Length of the receptive field in pixels, padding included (Araujo et al. 2019).
        Where units differ (adaptive pooling, upsampling), the largest.
    jump : float
        Distance in pixels between the fields of neighbouring units; 0 when all units see
        the same.
    start : float
        First pixel that the first unit sees, negative in the padding.
    """

    bounds: NDArray[np.int64]
    size: int
    jump: float
    start: float

    @property
    def units(self) -> int:
        """How many units the layer has along this axis."""
        return len(self.bounds)

    def window(self, taps: Taps, *, first: float, extent: int, stride: float) -> Axis:
        """Read this axis through windows.

        Parameters
        ----------
        taps
            [units, taps], the positions read on this axis; see `cnnwidgets.taps`.
        first, extent, stride
            The same as a formula: a window of `extent` positions that starts at position
            `first` and moves on by `stride`.
        """
        return Axis(
            self._gather(taps),
            self.size + math.ceil((extent - 1) * self.jump),
            self.jump * stride,
            self.start + first * self.jump,
        )

    def pick(self, taps: Taps) -> Axis:
        """Read this axis through taps whose formula is not known; it is measured on them."""
        low = np.where(taps == NONE, self.units, taps).min(axis=1)
        high = taps.max(axis=1)
        reads = np.flatnonzero(high >= 0)
        if not len(reads):
            return Axis(self._gather(taps), 0, 0.0, 0.0)
        steps = np.diff([low[reads], high[reads]]) / np.diff(reads)
        regular = steps.size and (steps == steps[0, 0]).all()
        stride = float(steps[0, 0]) if regular else self.units / len(taps)
        first = low[reads[0]] - reads[0] * stride
        extent = int((high - low)[reads].max()) + 1
        return self.window(taps, first=float(first), extent=extent, stride=stride)

    def everything(self, units: int) -> Axis:
        """Let each of `units` units see all that this axis sees together."""
        bounds = self._gather(_taps.everything(1, self.units)).repeat(units, axis=0)
        low, high = bounds[0].tolist()
        return Axis(bounds, high - low, 0.0, float(low))

    @staticmethod
    def whole(units: int, length: int) -> Axis:
        """Let each of `units` units see all `length` pixels."""
        return Axis(np.tile(np.array([0, length]), (units, 1)), length, 0.0, 0.0)

    @staticmethod
    def union(axes: Sequence[Axis]) -> Axis:
        """Let each unit see what it sees on any of the axes (one unit is broadcast)."""
        units = max(axis.units for axis in axes)
        stacked = [np.broadcast_to(_open(axis.bounds), (units, 2)) for axis in axes]
        low = np.min([bounds[:, 0] for bounds in stacked], axis=0)
        high = np.max([bounds[:, 1] for bounds in stacked], axis=0)
        bounds = _closed(low, high)
        if len({(axis.units, axis.jump) for axis in axes}) > 1:
            return measured(bounds)
        start = min(axis.start for axis in axes)
        end = max(axis.start + axis.size for axis in axes)
        return Axis(bounds, math.ceil(end - start), axes[0].jump, start)

    @staticmethod
    def joined(axes: Sequence[Axis]) -> Axis:
        """Lay axes one behind the other, as concatenation along space does."""
        return measured(np.concatenate([axis.bounds for axis in axes]))

    def _gather(self, taps: Taps) -> NDArray[np.int64]:
        bounds = np.concatenate([_open(self.bounds), _NOTHING])  # NONE = -1 reads the last row
        return _closed(bounds[taps, 0].min(axis=1), bounds[taps, 1].max(axis=1))


def _open(bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Make units that see nothing neutral for minimum and maximum."""
    return np.where(bounds[:, :1] < bounds[:, 1:], bounds, _NOTHING)


def _closed(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    bounds = np.stack([low, high], axis=1)
    return np.where(low[:, None] < high[:, None], bounds, 0)


def measured(bounds: NDArray[np.int64]) -> Axis:
    """Describe bounds that follow no closed formula by what they span."""
    low, high = bounds[:, 0], bounds[:, 1]
    jump = float(low[-1] - low[0] + high[-1] - high[0]) / 2 / max(len(bounds) - 1, 1)
    return Axis(bounds, int((high - low).max()), jump, float(low[0]))


@dataclass(frozen=True, eq=False)
class Field:
    """What each unit of a layer sees: the rows and the columns of the picture.

    Attributes
    ----------
    rows, columns : Axis
        The picture's rows seen by each unit along the layer's row axis; columns likewise.
    axes : (int, int)
        Which axes of the layer's output are its rows and columns, counted from the end.
        (-2, -1) for maps [N, C, H, W]; (-3, -2) after a permutation to channels last.
    """

    rows: Axis
    columns: Axis
    axes: tuple[int, int] = field(default=(-2, -1))

    @staticmethod
    def of_input(height: int, width: int) -> Field:
        """Each pixel sees itself."""
        rows, columns = (
            Axis(np.stack([np.arange(n), np.arange(1, n + 1)], axis=1), 1, 1.0, 0.0)
            for n in (height, width)
        )
        return Field(rows, columns)

    @staticmethod
    def whole(units: tuple[int, int], picture: tuple[int, int]) -> Field:
        """Each of (rows, columns) units sees the whole (height, width) of the picture."""
        rows, columns = (Axis.whole(*pair) for pair in zip(units, picture, strict=True))
        return Field(rows, columns)

    @staticmethod
    def union(fields: Sequence[Field]) -> Field:
        """Each unit sees what it sees in any of the fields, whose axes agree."""
        rows = Axis.union([field.rows for field in fields])
        columns = Axis.union([field.columns for field in fields])
        return replace(fields[0], rows=rows, columns=columns)

    def fits(self, shape: Sequence[int]) -> bool:
        """Say whether a tensor of this shape can be what the field describes."""
        if len(shape) < -min(self.axes):
            return False
        return tuple(shape[axis] for axis in self.axes) == (self.rows.units, self.columns.units)
