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
    pieces = _replay(call, _coordinates(call.input_shapes[0], field))
    if not pieces:
        return None
    rows = [piece // field.columns.units for piece in pieces]
    columns = [piece % field.columns.units for piece in pieces]
    axes = _placed([_varying(rows), _varying(columns)], pieces[0].shape)
    if axes is None:
        return None
    return Field(_along(axes[0], field.rows, rows), _along(axes[1], field.columns, columns), axes)


def _coordinates(shape: Sequence[int], field: Field) -> Tensor:
    """Give each position its number, row · columns + column, alike in every channel."""
    height, width = field.rows.units, field.columns.units
    view_of_rows, view_of_columns = [1] * len(shape), [1] * len(shape)
    view_of_rows[field.axes[0]], view_of_columns[field.axes[1]] = height, width
    rows = torch.arange(height, dtype=torch.int32).reshape(view_of_rows)
    columns = torch.arange(width, dtype=torch.int32).reshape(view_of_columns)
    return (rows * width + columns).expand(*shape).contiguous()


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


def _varying(pieces: Sequence[Tensor]) -> list[int]:
    """Along which axes, counted from the end, the values vary."""
    axes = range(-pieces[0].ndim, 0)
    return [a for a in axes if any((piece != piece.narrow(a, 0, 1)).any() for piece in pieces)]


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


def _along(axis: int, read: Axis, pieces: Sequence[Tensor]) -> Axis:
    """Read along one axis of the result what any of its pieces reads."""
    lines = [piece.movedim(axis, 0).reshape(piece.shape[axis], -1)[:, 0] for piece in pieces]
    return read.pick(torch.stack(lines, dim=1).long().numpy())
