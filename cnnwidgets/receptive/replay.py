"""Operations that only move elements are replayed on coordinates: they need no rule each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnwidgets.receptive.fields import Axis, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnwidgets.tracing import Call

_MAP_AXES = (-2, -1)


def replayed(call: Call, field: Field) -> Field | None:
    """Move the number of each element's row and column as the call moves the elements.

    None if the rows, or the columns, of the output do not lie along an axis of their own.
    """
    width = field.columns.units
    pieces = _replay(call, _coordinates(call.input_shapes[0], field))
    lines = [_lines(piece) for piece in pieces]
    rows = [{axis: line // width for axis, line in of.items()} for of in lines]
    columns = [{axis: line % width for axis, line in of.items()} for of in lines]
    axes = _placed([_varying(rows), _varying(columns)], call.output.shape) if pieces else None
    if axes is None:
        return None
    down, across = [of[axes[0]] for of in rows], [of[axes[1]] for of in columns]
    for piece, r, c in zip(pieces, down, across, strict=True):
        if not torch.equal(piece, _grid(piece.shape, axes, r, c, width)):
            return None
    return Field(_along(field.rows, down), _along(field.columns, across), axes)


def _coordinates(shape: Sequence[int], field: Field) -> Tensor:
    """Give each position its number, row · columns + column, alike in every channel."""
    rows, columns = (torch.arange(axis.units) for axis in (field.rows, field.columns))
    return _grid(shape, field.axes, rows, columns, len(columns)).contiguous()


def _grid(
    shape: Sequence[int], axes: tuple[int, int], rows: Tensor, columns: Tensor, width: int
) -> Tensor:
    """Lay out row · width + column for rows and columns along their axes."""
    down, across = [1] * len(shape), [1] * len(shape)
    down[axes[0]], across[axes[1]] = len(rows), len(columns)
    return (rows.reshape(down) * width + columns.reshape(across)).int().expand(*shape)


def _replay(call: Call, coordinates: Tensor) -> list[Tensor]:
    """All results shaped like the call's output: which of them it is does not matter."""
    with torch._C.DisableTorchFunction():  # noqa: SLF001 - unseen by a trace in progress
        if call.module is not None:
            result = call.module.forward(coordinates)
        elif call.function is not None:
            result = call.function(coordinates, *call.args[1:], **call.kwargs)
        else:
            return []
    pieces = [result] if isinstance(result, Tensor) else result
    return [piece for piece in pieces if piece.shape == call.output.shape]


def _lines(piece: Tensor) -> dict[int, Tensor]:
    """Take the elements along each axis, counted from the end, through the first of all."""
    return {
        axis: piece.movedim(axis, -1)[(0,) * (piece.ndim - 1)] for axis in range(-piece.ndim, 0)
    }


def _varying(lines: Sequence[dict[int, Tensor]]) -> list[int]:
    return [axis for axis in lines[0] if any((of[axis] != of[axis][0]).any() for of in lines)]


def _placed(varying: Sequence[Sequence[int]], shape: Sequence[int]) -> tuple[int, int] | None:
    """Decide which axes are rows and columns; a single one may lie on any axis of length 1.

    The first axis, of the batch, is none of them.
    """
    places: list[int | None] = [axes[0] if axes else None for axes in varying]
    if any(len(axes) > 1 for axes in varying):
        return None
    for i, place in enumerate(places):
        if place is None:
            single = [axis for axis in range(-1, -len(shape), -1) if shape[axis] == 1]
            usual = _MAP_AXES[i]
            options = [usual] * (usual in single) + single + [usual]
            free = [axis for axis in options if axis not in places and axis > -len(shape)]
            places[i] = free[0] if free else None
    rows, columns = places
    return None if rows is None or columns is None or rows == columns else (rows, columns)


def _along(read: Axis, lines: Sequence[Tensor]) -> Axis:
    """Read what any of the pieces reads."""
    return read.pick(torch.stack(list(lines), dim=1).long().numpy())
