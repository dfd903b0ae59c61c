"""What was measured of all layers at one step: a row of numbers and a histogram for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from cnnwidgets.training.bins import BINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnwidgets.training.halving import Numbers

Key: TypeAlias = tuple[str, str]
"""(layer, quantity), such as ``("block1.conv1", "weights")``."""

FIELDS = ("norm", "mean", "std", "zeros", "nans", "infs", "update", "dead")
"""The numbers of a row.

norm, mean, std
    Of all values: Euclidean norm, mean, standard deviation of the population. Not finite if a
    value is not.
zeros
    Share of values that are zero, as far as the histogram is made of them.
nans, infs
    How many values are.
update
    Of weights and biases: norm of what the step changed, divided by the norm.
dead
    Of a layer that a ReLU follows: share of its units that were never positive over many batches.
"""
WIDTH = len(FIELDS) + BINS


@dataclass(frozen=True)
class Table:
    """One row for each (layer, quantity).

    Attributes
    ----------
    keys
        What the rows are of.
    values
        float32 [rows, 8 + 249]: `FIELDS`, then the share of each bin. NaN: not measured.
    """

    keys: tuple[Key, ...]
    values: NDArray[np.float32]

    def get(self, layer: str, quantity: str, field: str) -> float:
        """Return one number, NaN if it was not measured."""
        row = self._rows.get((layer, quantity))
        return float("nan") if row is None else float(self.values[row, FIELDS.index(field)])

    @cached_property
    def _rows(self) -> dict[Key, int]:
        return {key: row for row, key in enumerate(self.keys)}


def merged(rows: Numbers, weights: Sequence[float]) -> Numbers:
    """Average along the first axis what was measured, each with its weight."""
    measured = ~np.isnan(rows)
    share = measured * np.asarray(weights, np.float32).reshape(-1, *[1] * (rows.ndim - 1))
    with np.errstate(invalid="ignore"):  # infinity minus infinity; nothing measured at all
        return np.asarray((np.where(measured, rows, 0) * share).sum(0) / share.sum(0), rows.dtype)
