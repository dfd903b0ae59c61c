"""The pictures of an ascent that are kept: within a number of bytes, evenly spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

BUDGET = 64 * 2**20
"""Bytes of all pictures that are kept."""
_SHOWABLE = (1, 3)


class Frames:
    """Pictures by step; there are at least two.

    Parameters
    ----------
    budget
        Bytes that they may have.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._apart = 1
        self._kept: dict[int, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, step: int) -> bool:
        return step in self._kept

    def __getitem__(self, step: int) -> NDArray[np.uint8]:
        return self._kept[step]

    @property
    def steps(self) -> list[int]:
        """The steps that are kept, ascending."""
        return list(self._kept)

    def items(self) -> list[tuple[int, NDArray[np.uint8]]]:
        """Return the steps that are kept and their pictures, as they are at one moment."""
        return list(self._kept.items())

    def add(self, step: int, pictures: NDArray[np.uint8]) -> None:
        """Keep the newest pictures, [P, H, W, C]; thin the others out if there is no room."""
        kept = {**self._even(), step: pictures}
        while len(kept) > 2 and len(kept) * pictures.nbytes > self._budget:  # noqa: PLR2004
            self._apart *= 2
            kept = {**self._even(), step: pictures}
        self._kept = kept  # at once: others read it meanwhile

    def nearest(self, steps: Iterable[int]) -> list[int]:
        """Return the kept steps that are nearest to some, each once."""
        kept = self.steps
        return list(dict.fromkeys(min(kept, key=lambda one: abs(one - step)) for step in steps))

    def _even(self) -> dict[int, NDArray[np.uint8]]:
        return {step: kept for step, kept in self._kept.items() if step % self._apart == 0}


def shown(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures [..., C] as they can be seen, [..., 1 or 3]: of other channels the mean."""
    if pictures.shape[-1] in _SHOWABLE:
        return pictures
    mean: NDArray[np.uint8] = pictures.mean(-1, keepdims=True).astype(pictures.dtype)
    return mean


def coarse_to_fine(steps: Sequence[int]) -> list[int]:
    """Return the same steps, the last and the first before those between, by halves."""
    found = dict.fromkeys([*steps[-1:], *steps[:1]])
    apart = 1 << len(steps).bit_length()
    while apart:
        found.update(dict.fromkeys(steps[::apart]))
        apart //= 2
    return list(found)
