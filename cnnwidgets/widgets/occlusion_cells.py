"""The map of a sweep as the browser draws it: each score in the middle of its patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnwidgets.attribution.occlusion_map import OcclusionMap


@dataclass(frozen=True)
class Cells:
    """A map to draw.

    Attributes
    ----------
    values
        [H, W]: the score of the patch whose middle is nearest; NaN where nothing is known.
    bare
        The score without the moving patch.
    caption
        What the colours stand for.
    """

    values: NDArray[np.float32]
    bare: float
    caption: str

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest value, that without the patch among them; (0, 0) if none is finite."""
        known = np.append(self.values, np.float32(self.bare))
        known = known[np.isfinite(known)]
        return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


def cells_of(found: OcclusionMap, stride: int, caption: str) -> Cells:
    """Lay the scores of a sweep on its picture.

    A cell is a stride wide, so that neighbours touch; no wider than the patch, so that what no
    patch covered stays bare.
    """
    grid = found.grid
    ends = zip((grid.rows, grid.columns), grid.window, found.shape[1:], strict=True)
    down, across = (_owners(starts, window, stride, length) for starts, window, length in ends)
    values = found.scores.float().numpy()[down][:, across]
    values[down < 0] = np.nan
    values[:, across < 0] = np.nan
    return Cells(values, found.baseline, caption)


def _owners(starts: Sequence[int], window: int, stride: int, length: int) -> NDArray[np.intp]:
    """Return the cell of each pixel along an axis, -1 for none."""
    owner = np.full(length, -1, dtype=np.intp)
    wide = min(window, stride)
    for index, start in enumerate(starts):
        first = start + (window - wide) // 2
        owner[max(0, first) : max(0, first + wide)] = index
    return owner
