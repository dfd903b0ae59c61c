"""Where the patches of an occlusion sweep stand, and in which order they are tried."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    Pair = tuple[int, int]

    Group = Callable[[Sequence[int], Sequence[int]], tuple[list[list[int]], list[list[int]]]]

COARSEST = 4
"""The first pass tries every fourth position along both axes."""


class Block(NamedTuple):
    """Patches at each crossing of some rows and columns, tried together.

    Attributes
    ----------
    rows, columns
        First row and column of each patch, in pixels.
    at
        Where each crossing's answer belongs among all: an index [rows, columns] for each axis.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    at: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def one(self, index: int) -> Block:
        """Return one of its patches, counted along rows and around."""
        row, column = divmod(index % len(self), len(self.columns))
        where = [at.expand(len(self.rows), len(self.columns))[row, column] for at in self.at]
        at = tuple(index.view(1, 1) for index in where)
        return Block((self.rows[row],), (self.columns[column],), at)


class Layout(Protocol):
    """Where patches of one size stand."""

    @property
    def window(self) -> Pair:
        """(height, width) of a patch; one that would go over the edge ends there."""

    @property
    def positions(self) -> Tensor:
        """[…, 2]: first row and column of each patch, in pixels."""

    def blocks(self, most: int, group: Group | None = None) -> Iterator[Block]:
        """Yield all patches, at most so many together, and no two of different groups."""


@dataclass(frozen=True)
class Grid:
    """Patches at each crossing of some rows and columns.

    Attributes
    ----------
    rows, columns
        First row and column of each patch, in pixels.
    window
        (height, width) of a patch.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    window: Pair

    @classmethod
    def regular(cls, window: Pair, stride: Pair, size: Pair) -> Grid:
        """Lay patches as Captum's `Occlusion` does: ⌈(length − window) / stride⌉ + 1 an axis.

        With strides larger than the window, which Captum refuses, the last of these can be beside
        the picture: it is left out.
        """
        rows, columns = (
            tuple(range(0, min(length, length - extent + step), step))
            for extent, step, length in zip(window, stride, size, strict=True)
        )
        return cls(rows, columns, window)

    @property
    def positions(self) -> Tensor:
        """[rows, columns, 2]."""
        axes = torch.tensor(self.rows), torch.tensor(self.columns)
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)

    def blocks(self, most: int, group: Group | None = None) -> Iterator[Block]:
        """Yield every fourth row and column, then every second, then all that are left."""
        for rows, columns in self._levels():
            if group is None:
                yield from self._pieces(rows, columns, most)
                continue
            down, across = group(
                [self.rows[index] for index in rows], [self.columns[index] for index in columns]
            )
            for one, other in itertools.product(down, across):
                some = [rows[index] for index in one], [columns[index] for index in other]
                yield from self._pieces(*some, most)

    def _levels(self) -> Iterator[tuple[range, range]]:
        rows, columns = range(len(self.rows)), range(len(self.columns))
        step = COARSEST
        levels = [(rows[::step], columns[::step])]
        while step > 1:
            half = step // 2
            levels.append((rows[::step], columns[half::step]))
            levels.append((rows[half::step], columns[::half]))
            step = half
        return (level for level in levels if level[0] and level[1])

    def _pieces(self, rows: Sequence[int], columns: Sequence[int], most: int) -> Iterator[Block]:
        """Cut a block into nearly square ones."""
        side = max(1, int(most**0.5))
        for down in _parts(rows, max(side, most // len(columns))):
            for across in _parts(columns, max(1, most // len(down))):
                yield Block(
                    tuple(self.rows[index] for index in down),
                    tuple(self.columns[index] for index in across),
                    (torch.tensor(down)[:, None], torch.tensor(across)[None]),
                )


@dataclass(frozen=True)
class Listed:
    """Patches at any places.

    Attributes
    ----------
    places
        (row, column) of each.
    window
        (height, width) of a patch.
    """

    places: tuple[Pair, ...]
    window: Pair

    @property
    def positions(self) -> Tensor:
        """[P, 2]."""
        return torch.tensor(self.places).reshape(-1, 2)

    def blocks(self, most: int, group: Group | None = None) -> Iterator[Block]:  # noqa: ARG002
        """Yield the patches of one row after those of another."""
        rows: dict[int, list[int]] = {}
        for index, (row, _) in enumerate(self.places):
            rows.setdefault(row, []).append(index)
        for row, members in rows.items():
            for part in _parts(members, most):
                columns = tuple(self.places[index][1] for index in part)
                yield Block((row,), columns, (torch.tensor(part)[None],))


def _parts(items: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """Cut into as few parts of equal length as there may be."""
    count = -(-len(items) // most)
    ends = [len(items) * part // count for part in range(count + 1)]
    return [tuple(items[a:b]) for a, b in itertools.pairwise(ends)]
