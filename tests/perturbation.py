"""What each unit really depends on: change one pixel at a time and see which units change."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnwidgets.receptive import Field, propagate
from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import Call, trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Seen = NDArray[np.int64]


def positive(model: nn.Module) -> nn.Module:
    """Random positive weights, so that nothing cancels, in double precision."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, 0.1, 1.0, generator=generator)
    return model.double()


def traced(model: nn.Module, x: Tensor) -> dict[str, tuple[Call, Field | None]]:
    picture = x.shape[-2], x.shape[-1]
    fields: dict[str, Field | None] = {"input": Field.of_input(*picture)}
    calls: dict[str, Call] = {}

    def add(call: Call) -> None:
        fields[call.name] = propagate(call, [fields[name] for name in call.inputs], picture)
        calls[call.name] = replace(call, output=call.output.clone())  # before it is overwritten

    failure = trace(shadow(model), x, add).failure
    assert failure is None, failure
    return {name: (call, fields[name]) for name, call in calls.items()}


def perturbed(channels: int, height: int, width: int, by: float) -> Tensor:
    """A picture, and copies of it with one pixel (all channels) changed in each."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(1, channels, height, width, generator=generator, dtype=torch.float64)
    pixels = torch.eye(height * width, dtype=torch.float64).reshape(-1, 1, height, width)
    return torch.cat([x, x + by * pixels])


def boxes(call: Call, field: Field, height: int, width: int) -> tuple[Seen, Seen]:
    """Rows and columns [rows, columns, 2] of the pixels on which each unit depends."""
    y = call.output.detach().double().movedim(field.axes, (-2, -1))
    y = y.reshape(len(y), math.prod(y.shape[1:-2]), *y.shape[-2:])
    changed = ((y[1:] - y[:1]).abs() > 1e-11 * y.abs().mean()).any(dim=1)
    pixels = changed.reshape(height, width, *changed.shape[1:])
    return interval(pixels.any(dim=1).numpy()), interval(pixels.any(dim=0).numpy())


def interval(reads: NDArray[np.bool_]) -> Seen:
    first = reads.argmax(axis=0)
    last = len(reads) - reads[::-1].argmax(axis=0)
    seen: Seen = np.where(reads.any(axis=0), [first, last], 0)
    return np.moveaxis(seen, 0, -1)


def claimed(field: Field) -> tuple[Seen, Seen]:
    """The same as `boxes` from the field; a unit that sees no row sees no column."""
    rows, columns = field.rows.bounds[:, None], field.columns.bounds[None]
    shape = (field.rows.units, field.columns.units, 2)
    seen = (rows[..., :1] < rows[..., 1:]) & (columns[..., :1] < columns[..., 1:])
    return tuple(np.where(seen, np.broadcast_to(b, shape), 0) for b in (rows, columns))  # type: ignore[return-value]


def assert_exact(
    model: nn.Module, size: tuple[int, int], channels: int = 2, by: float = 1e6
) -> None:
    """Every layer that has rows and columns sees exactly what its field says."""
    for name, (call, field) in traced(model, perturbed(channels, *size, by)).items():
        if field is not None:
            for axis, real, said in zip(
                "rc", boxes(call, field, *size), claimed(field), strict=True
            ):
                np.testing.assert_array_equal(said, real, err_msg=f"{name} {axis} of {model}")


def assert_safe(
    model: nn.Module, size: tuple[int, int], channels: int = 2, by: float = 0.5
) -> None:
    """No layer sees more than its field says."""
    fields = traced(model, perturbed(channels, *size, by))
    for name, (call, field) in fields.items():
        if field is not None:
            for real, said in zip(boxes(call, field, *size), claimed(field), strict=True):
                seen = real[..., 0] < real[..., 1]
                assert (said[..., 0] <= real[..., 0])[seen].all(), name
                assert (said[..., 1] >= real[..., 1])[seen].all(), name


class Apply(nn.Module):
    """A function as a model, with the modules that it uses."""

    def __init__(self, function: Callable[..., Any], *modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Any:
        return self.function(x, *self.parts)


def conv(*args: Any, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(2, 2, *args, **options)
