"""Windows of maps, and pieces of maps with windows in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import pad

from cnnwidgets.attribution.incremental.axis import (
    Span,
    positions,
    runs,
    shifted,
    steady,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Frame(NamedTuple):
    """What is put around maps: rows (above, below), columns (left, right), and their value."""

    rows: tuple[int, int] = (0, 0)
    columns: tuple[int, int] = (0, 0)
    value: float = 0.0


NO_FRAME = Frame()


class Place(NamedTuple):
    """Where windows stand: one at each crossing of the rows' and the columns' spans."""

    rows: Span
    columns: Span

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of each window."""
        return self.rows.length, self.columns.length

    @property
    def grid(self) -> tuple[int, int]:
        """How many windows stand below and beside each other."""
        return len(self.rows.starts), len(self.columns.starts)

    def moved(self, rows: int, columns: int) -> Place:
        """Move every window."""
        if not (rows or columns):
            return self
        return Place(shifted(self.rows, rows), shifted(self.columns, columns))


def cover(places: Sequence[Place], size: tuple[int, int]) -> Place:
    """Return the place within maps of (H, W) that covers the windows of all."""
    different = tuple(dict.fromkeys(places))
    if len(different) == 1:
        return different[0]
    rows, columns = zip(*different, strict=True)
    return Place(union(rows, size[0]), union(columns, size[1]))


class Maps:
    """The maps [1, C, H, W] of the picture as it is."""

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.size = values.shape[2], values.shape[3]
        self._framed: dict[Frame, Tensor] = {}

    def pieces(self, place: Place, frame: Frame = NO_FRAME) -> Tensor:
        """Copy pieces [rows, columns, h, w, C] out of the framed maps."""
        known = self._within(frame)
        (rows, height, _), (columns, width, _) = place
        down, across = steady(place.rows), steady(place.columns)
        if down is not None and across is not None:
            row, column, channel = known.stride()
            return known.as_strided(
                (len(rows), len(columns), height, width, known.shape[2]),
                (down * row, across * column, row, column, channel),
                rows[0] * row + columns[0] * column,
            ).clone(memory_format=torch.contiguous_format)
        at = positions(place.rows)[:, None, :, None] * known.shape[1]
        index = (at + positions(place.columns)[None, :, None, :]).flatten()
        flat = known.view(-1, known.shape[2])
        return flat.index_select(0, index.to(known.device)).view(*place.grid, height, width, -1)

    def _within(self, frame: Frame) -> Tensor:
        """Return the maps as [H', W', C] with a frame around them, made once."""
        if frame not in self._framed:
            wide = pad(self.values, (*frame.columns, *frame.rows), value=frame.value)
            self._framed[frame] = wide[0].permute(1, 2, 0).contiguous()
        return self._framed[frame]


class Patched:
    """Maps with a different window in each of N copies.

    Parameters
    ----------
    maps
        The maps without their window.
    windows
        [N, C, h, w], row by row of `place`.
    place
        Where the windows stand.

    Attributes
    ----------
    copies
        [N, C, H, W], once somebody has asked for the `whole`.
    """

    __slots__ = ("copies", "maps", "place", "windows")

    def __init__(self, maps: Maps, windows: Tensor, place: Place) -> None:
        self.maps, self.windows, self.place = maps, windows, place
        self.copies: Tensor | None = None

    @property
    def whole(self) -> Tensor:
        """[N, C, H, W]: the copies themselves."""
        if self.copies is None:
            (down, across), (height, width) = self.place.grid, self.maps.size
            self.copies = self.cut(Place(Span((0,) * down, height), Span((0,) * across, width)))
        return self.copies

    def cut(self, place: Place, frame: Frame = NO_FRAME) -> Tensor:
        """Cut a piece [N, C, h, w] out of each copy, `place` being that in the framed maps."""
        own = self.place.moved(frame.rows[0], frame.columns[0])
        if own == place:
            return self.windows
        pieces = self.maps.pieces(place, frame)
        values = self.windows.permute(0, 2, 3, 1)
        values = values.view(*place.grid, *values.shape[1:])
        down, across = runs(own.rows, place.rows), runs(own.columns, place.columns)
        if len(down) == len(across) == 1:
            _paste(values, pieces, down[0].offset, across[0].offset)
        else:
            for below, top in down:
                for beside, left in across:
                    _paste(values[below, beside], pieces[below, beside], top, left)
        return pieces.flatten(0, 1).permute(0, 3, 1, 2)


def _paste(values: Tensor, pieces: Tensor, top: int, left: int) -> None:
    """Lay values [..., h, w, C] over pieces at (top, left); what is outside is cut off."""
    (h, w), (height, width) = values.shape[2:4], pieces.shape[2:4]
    down, up = max(0, top), min(top + h, height)
    right, edge = max(0, left), min(left + w, width)
    if down < up and right < edge:
        target = pieces[:, :, down:up, right:edge]
        target.copy_(values[:, :, down - top : up - top, right - left : edge - left])
