"""Where the patches of an occlusion sweep stand, and in which order they are tried."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COARSEST = 4
"""The first pass tries every fourth position along both axes."""


@dataclass(frozen=True)
class Grid:
    """Patches of one size, at each crossing of some rows and columns of a picture.

    Attributes
    ----------
    rows, columns
        First row and column of each patch, in pixels.
    window
        (height, width) of a patch; one that would go over the edge ends there.
    size
        (height, width) of the picture.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    window: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def regular(
        cls, window: tuple[int, int], stride: tuple[int, int], size: tuple[int, int]
    ) -> Grid:
        """Lay patches as Captum's `Occlusion` does: ⌈(length − window) / stride⌉ + 1 an axis."""
        rows, columns = (
            tuple(range(0, length - extent + step, step))
            for extent, step, length in zip(window, stride, size, strict=True)
        )
        return cls(rows, columns, window, size)

    @property
    def shape(self) -> tuple[int, int]:
        """How many patches stand below and beside each other."""
        return len(self.rows), len(self.columns)

    def box(self, row: int, column: int) -> tuple[slice, slice]:
        """Return the pixels under one patch, by its place in the grid."""
        top, left = self.rows[row], self.columns[column]
        (height, width), (bottom, right) = self.window, self.size
        return slice(top, min(top + height, bottom)), slice(left, min(left + width, right))


@dataclass(frozen=True)
class Block:
    """Some rows and some columns of a grid, by their places in it; tried together."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)


def coarse_to_fine(shape: tuple[int, int]) -> Iterator[Block]:
    """Yield every fourth position, then every second, then all that are left."""
    rows, columns = (tuple(range(count)) for count in shape)
    step = COARSEST
    yield Block(rows[::step], columns[::step])
    while step > 1:
        yield from _between(rows, columns, step)
        step //= 2


def _between(rows: tuple[int, ...], columns: tuple[int, ...], step: int) -> Iterator[Block]:
    """Yield what halves a step, where there is something."""
    half = step // 2
    for block in (
        Block(rows[::step], columns[half::step]),
        Block(rows[half::step], columns[::half]),
    ):
        if len(block):
            yield block


def pieces(block: Block, most: int) -> list[Block]:
    """Cut a block into nearly square ones of at most so many patches."""
    side = max(1, int(most**0.5))
    down = _parts(block.rows, max(side, most // max(1, len(block.columns))))
    return [
        Block(rows, columns)
        for rows in down
        for columns in _parts(block.columns, max(1, most // len(rows)))
    ]


def _parts(items: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """Cut into as few parts of equal length as there may be."""
    count = -(-len(items) // most)
    ends = [len(items) * part // count for part in range(count + 1)]
    return [tuple(items[a:b]) for a, b in itertools.pairwise(ends)]
