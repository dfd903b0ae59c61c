"""Layers and the layer graph: names, kinds, shapes, parameters, receptive fields."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch.nn.parameter import is_lazy

from cnnwidgets.blocks import blocks_of
from cnnwidgets.classes import class_count
from cnnwidgets.convolutions import filter_shape
from cnnwidgets.errors import nearest
from cnnwidgets.kinds import detail_of, kind_of
from cnnwidgets.provenance import writes
from cnnwidgets.receptive import Field, propagate
from cnnwidgets.tracing import Call, Failure, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from cnnwidgets.shadow import Shadow

Bounds = tuple[int, int, int, int]
"""(top, left, bottom, right), half-open."""


class ReceptiveField(NamedTuple):
    """What a unit sees of the input, in input pixels as (rows, columns).

    Attributes
    ----------
    size
        Height and width of what one unit sees, padding included.
    jump
        Distance between what neighbouring units see.
    start
        First row and column that unit (0, 0) sees, negative in the padding.
    """

    size: tuple[int, int]
    jump: tuple[float, float]
    start: tuple[float, float]


def _no_bounds() -> NDArray[np.int64]:
    return np.empty((0, 2), np.int64)


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a network: a module's or a function's turn in the forward pass.

    Attributes
    ----------
    name
        Module path (``layer1.0.conv1``) or, for a function, the path of the module that
        calls it and the function's name (``layer1.0.add``); ``#2`` … when repeated.
    kind
        conv, transposed conv, linear, activation, pool, norm, dropout, softmax, add,
        multiply, concat, flatten, reshape, mean, upsample, embedding, recurrent, attention,
        identity or other.
    output_shape
        Without the batch axis; None if the layer failed.
    parameters
        How many parameters it uses. A reused module has them each time.
    receptive_field
        None if the output has no rows and columns.
    module
        The user's module; None for a function.
    inputs
        Names of the layers its input comes from; ``"input"`` for the picture.
    block
        Path of the module that it is grouped under; see `blocks_of`.
    detail
        Its class or function where the kind does not tell it, and its settings: ``ReLU6``,
        ``max 2×2, stride 2``, ``3×3, stride 2, padding 1, groups 32``.
    error
        Why the forward pass ended here; None if it did not.
    overwritten
        Whether a later layer overwrites its output in place.
    filters
        Shape of a two-dimensional convolution's filters, [out channels, in channels / groups,
        rows, columns]; None for other layers.
    direct
        Whether it is given the output of its only input as it is, not a part of it.
    row_bounds, column_bounds
        int [units, 2]: the half-open interval of input rows (columns) that each unit
        row (column) sees; empty if there is no receptive field.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    parameters: int
    receptive_field: ReceptiveField | None
    module: nn.Module | None = dataclasses.field(repr=False)
    inputs: tuple[str, ...]
    detail: str
    block: str = dataclasses.field(default="", repr=False)
    error: str | None = None
    overwritten: bool = dataclasses.field(default=False, repr=False)
    filters: tuple[int, ...] | None = dataclasses.field(default=None, repr=False)
    direct: bool = dataclasses.field(default=False, repr=False)
    row_bounds: NDArray[np.int64] = dataclasses.field(default_factory=_no_bounds, repr=False)
    column_bounds: NDArray[np.int64] = dataclasses.field(default_factory=_no_bounds, repr=False)

    def field(self, row: int, column: int) -> Bounds:
        """Return what a unit sees of the input, clipped to the picture.

        Raises
        ------
        ValueError
            If the layer has no rows and columns, or no such unit.
        """
        rows, columns = len(self.row_bounds), len(self.column_bounds)
        if not rows:
            raise ValueError(f"layer {self.name!r} has no rows and columns of units")
        if not (0 <= row < rows and 0 <= column < columns):
            raise ValueError(
                f"unit ({row}, {column}) is not in layer {self.name!r}, "
                f"which has {rows} rows and {columns} columns"
            )
        (top, bottom), (left, right) = self.row_bounds[row], self.column_bounds[column]
        return int(top), int(left), int(bottom), int(right)

    def seen_by(self, row: int, column: int) -> Bounds | None:
        """Return the units that see an input pixel; None if none does."""
        rows = _seeing(self.row_bounds, row)
        columns = _seeing(self.column_bounds, column)
        return (rows[0], columns[0], rows[1], columns[1]) if rows and columns else None


def _seeing(bounds: NDArray[np.int64], pixel: int) -> tuple[int, int] | None:
    units = np.flatnonzero((bounds[:, 0] <= pixel) & (pixel < bounds[:, 1]))
    return (int(units[0]), int(units[-1]) + 1) if len(units) else None


@dataclass(frozen=True, eq=False)
class LayerGraph:
    """The layers of one forward pass, in execution order.

    Attributes
    ----------
    layers
        Up to and including the one that failed, if one did.
    error
        Why the forward pass ended early; None if it did not.
    total_parameters
        Every parameter of the model, each counted once.
    classes
        How many classes it scores; None where its output does not tell.
    """

    layers: tuple[Layer, ...]
    error: str | None
    total_parameters: int
    classes: int | None

    def __getitem__(self, name: str) -> Layer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"there is no layer {name!r}; {nearest(name, [layer.name for layer in self.layers])}"
        )

    def choose(self, names: Iterable[str] | None = None) -> list[Layer]:
        """Return the layers of these names, or all, without one that failed.

        Raises
        ------
        ValueError
            If there is no layer of a name; the message names the nearest.
        """
        chosen = self.layers if names is None else [self[name] for name in names]
        return [layer for layer in chosen if layer.error is None]

    def __contains__(self, name: object) -> bool:
        return any(layer.name == name for layer in self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)


def layer_graph(shadow: Shadow, x: Tensor) -> LayerGraph:
    """Run one forward pass and describe its layers.

    Parameters
    ----------
    shadow
        The model, from `cnnwidgets.shadow.shadow`.
    x
        A batch of one, [1, C, H, W]; its values do not matter.
    """
    picture = x.shape[-2], x.shape[-1]
    fields: dict[str, Field | None] = {"input": Field.of_input(*picture)}
    outputs = {"input": x}
    made: list[tuple[Layer, Tensor, int]] = []

    def add(call: Call) -> None:
        seen = propagate(call, [fields[name] for name in call.inputs], picture)
        fields[call.name] = seen
        first = call.args[0] if call.args else None
        direct = len(call.inputs) == 1 and first is outputs[call.inputs[0]]
        layer = dataclasses.replace(_layer(call, shadow, seen), direct=direct)
        outputs[call.name] = call.output
        made.append((layer, call.output, writes(call.output)))

    output, failure = trace(shadow, x, add)
    layers = [
        dataclasses.replace(layer, overwritten=True) if writes(output) != version else layer
        for layer, output, version in made
    ]
    if failure is not None:
        layers.append(_failed_layer(failure, shadow))
    blocks = blocks_of(shadow.model, [layer.name for layer in layers])
    layers = [dataclasses.replace(layer, block=blocks[layer.name]) for layer in layers]
    built = (parameter for parameter in shadow.model.parameters() if not is_lazy(parameter))
    total = sum(parameter.numel() for parameter in built)
    error = layers[-1].error if layers else None
    return LayerGraph(tuple(layers), error, total, class_count(output))


def _layer(call: Call, shadow: Shadow, seen: Field | None) -> Layer:
    maps = seen if seen is not None and seen.axes == (-2, -1) else None
    return Layer(
        name=call.name,
        kind=kind_of(call.module, call.function),
        output_shape=tuple(call.output.shape[1:]),
        parameters=sum(parameter.numel() for parameter in call.parameters),
        receptive_field=_receptive_field(maps) if maps else None,
        module=_users_module(call, shadow),
        inputs=tuple(dict.fromkeys(call.inputs)),
        detail=detail_of(call),
        filters=filter_shape(call),
        row_bounds=maps.rows.bounds if maps else _no_bounds(),
        column_bounds=maps.columns.bounds if maps else _no_bounds(),
    )


def _failed_layer(failure: Failure, shadow: Shadow) -> Layer:
    error = failure.error
    return Layer(
        name=failure.name,
        kind=kind_of(failure.module, failure.function),
        output_shape=None,
        parameters=0,
        receptive_field=None,
        module=_users_module(failure, shadow),
        inputs=failure.inputs,
        detail=detail_of(failure),
        error=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__,
    )


def _users_module(call: Call | Failure, shadow: Shadow) -> nn.Module | None:
    """Return the module called, or the convolution or dense layer that a function computes."""
    if call.module is not None:
        return shadow.originals[call.module]
    kind = kind_of(None, call.function)
    computes = kind in _WEIGHTED and kind_of(call.owner, None) == kind
    return shadow.originals[call.owner] if computes else None


def _receptive_field(seen: Field) -> ReceptiveField:
    rows, columns = seen.rows, seen.columns
    return ReceptiveField(
        (rows.size, columns.size), (rows.jump, columns.jump), (rows.start, columns.start)
    )


_WEIGHTED = {"conv", "transposed conv", "linear"}
