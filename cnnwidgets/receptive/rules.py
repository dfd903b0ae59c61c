"""How each operation passes receptive fields on from its inputs to its output."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import Tensor, nn

from cnnwidgets import taps
from cnnwidgets.arithmetic import output_size
from cnnwidgets.receptive.fields import Axis, Field
from cnnwidgets.receptive.operations import ELEMENTWISE, MOVES, REDUCTIONS, operation, option
from cnnwidgets.receptive.replay import replayed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cnnwidgets.tracing import Call

Rule: TypeAlias = "Callable[[Call, Field], Field | None]"

_MAP_AXES = 4  # [N, C, H, W]
_CONCATENATIONS = {"cat", "concat", "concatenate"}
_PADS = {
    nn.ReflectionPad2d: "reflect",
    nn.ReplicationPad2d: "replicate",
    nn.CircularPad2d: "circular",
}


def propagate(call: Call, inputs: Sequence[Field | None], picture: tuple[int, int]) -> Field | None:
    """Pass the receptive fields of a call's inputs on to its output.

    Parameters
    ----------
    call
        One layer's call: its module or function, arguments, input shapes and output.
    inputs
        The field of each of `call.inputs`; None where it has no spatial axes.
    picture
        (height, width) of the network's input.

    Returns
    -------
    Field or None
        The output's field; None if the output has no spatial axes. An output with four axes
        whose field cannot be known exactly sees the whole picture. A field whose `axes` are
        not (-2, -1) belongs to a tensor that is not laid out as maps (channels last).
    """
    shape = call.output.shape
    fields = [
        field if field is not None and field.fits(of) else None
        for field, of in zip(inputs, call.input_shapes, strict=True)
    ]
    field = _exact(call, fields)
    if field is not None and field.fits(shape):
        return field
    if len(shape) != _MAP_AXES:
        return None
    return Field.whole((shape[-2], shape[-1]), picture)


def _exact(call: Call, fields: Sequence[Field | None]) -> Field | None:
    known = [field for field in fields if field is not None]
    if not known or len(known) < len(fields) or len({field.axes for field in known}) > 1:
        return None
    try:
        return _by_rule(call, known)
    except (TypeError, ValueError, IndexError, AttributeError, RuntimeError):
        return None  # arguments in a form not foreseen: stay on the safe side


def _by_rule(call: Call, fields: Sequence[Field]) -> Field | None:
    name = operation(call)
    if name in ELEMENTWISE:
        return Field.union(fields)
    if name in _CONCATENATIONS:
        return _concatenated(call, fields)
    rule = _RULES.get(name or "")
    if rule is None or (len(fields) > 1 and not _of_one_tensor(call)):
        return None
    return rule(call, Field.union(fields))


def _of_one_tensor(call: Call) -> bool:
    """Say whether all inputs are sources of one tensor, which several layers wrote to."""
    given = (*call.args[1:], *call.kwargs.values())
    return not any(isinstance(a, Tensor) and not isinstance(a, nn.Parameter) for a in given)


def _pair(value: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a number or a sequence of one or two
    return (value, value) if isinstance(value, int | float) else tuple(value * 2)[:2]


def _each_axis(field: Field, rule: Callable[[int, Axis], Axis]) -> Field | None:
    """Apply ``rule(0, rows)`` and ``rule(1, columns)`` to maps [N, C, H, W]."""
    if field.axes != (-2, -1):
        return None
    return Field(rule(0, field.rows), rule(1, field.columns))


def _window(axis: Axis, units: int, kernel: int, *, stride: int, before: int = 0,
            dilation: int = 1, mode: str = "zeros") -> Axis:  # fmt: skip
    reads = taps.window(
        units, axis.units, kernel, stride=stride, before=before, dilation=dilation, mode=mode
    )
    extent = (kernel - 1) * dilation + 1
    return axis.window(reads, first=-before, extent=extent, stride=stride)


def _convolution(call: Call, field: Field) -> Field | None:
    kernel = _pair(option(call, "kernel_size", default=option(call, "weight").shape[2:]))
    strides, dilations = (_pair(option(call, name, default=1)) for name in ("stride", "dilation"))
    padding = option(call, "padding", default=0)
    mode = option(call, "padding_mode", default="zeros")

    def rule(i: int, axis: Axis) -> Axis:
        size, stride, dilation = kernel[i], strides[i], dilations[i]
        amount = padding if isinstance(padding, str) else _pair(padding)[i]
        before = {"same": (size - 1) * dilation // 2, "valid": 0}.get(amount, amount)
        units = output_size(axis.units, size, stride, amount, dilation)
        return _window(
            axis, units, size, stride=stride, before=before, dilation=dilation, mode=mode
        )

    return _each_axis(field, rule)


def _pooling(call: Call, field: Field) -> Field | None:
    kernel = _pair(option(call, "kernel_size"))
    strides = _pair(option(call, "stride") or kernel)
    padding = _pair(option(call, "padding", default=0))
    dilations = _pair(option(call, "dilation", default=1))
    ceil_mode = option(call, "ceil_mode", default=False)

    def rule(i: int, axis: Axis) -> Axis:
        size, stride, before, dilation = kernel[i], strides[i], padding[i], dilations[i]
        units = output_size(axis.units, size, stride, before, dilation, ceil_mode)
        return _window(axis, units, size, stride=stride, before=before, dilation=dilation)

    return _each_axis(field, rule)


def _transposed_convolution(call: Call, field: Field) -> Field | None:
    kernel = _pair(option(call, "kernel_size", default=option(call, "weight").shape[2:]))
    stride, dilation = (_pair(option(call, name, default=1)) for name in ("stride", "dilation"))
    padding = _pair(option(call, "padding", default=0))

    def rule(i: int, axis: Axis) -> Axis:
        reach = (kernel[i] - 1) * dilation[i]
        units = call.output.shape[i - 2]
        least = (axis.units - 1) * stride[i] - 2 * padding[i] + reach + 1
        if not 0 <= units - least < max(stride[i], dilation[i]):  # the output padding
            raise ValueError(units)
        reads = taps.transposed(
            units, axis.units, kernel[i], stride=stride[i], before=padding[i], dilation=dilation[i]
        )
        first = math.ceil((padding[i] - reach) / stride[i])
        return axis.window(reads, first=first, extent=reach // stride[i] + 1, stride=1 / stride[i])

    return _each_axis(field, rule)


def _adaptive_pooling(call: Call, field: Field) -> Field | None:
    def rule(i: int, axis: Axis) -> Axis:
        units = call.output.shape[i - 2]
        return axis.pick(taps.adaptive(units, axis.units)) if units > 1 else axis.everything(1)

    return _each_axis(field, rule)


def _interpolation(call: Call, field: Field) -> Field | None:
    size, scale = option(call, "size"), option(call, "scale_factor")

    def rule(i: int, axis: Axis) -> Axis:
        reads = taps.resized(
            axis.units,
            size=None if size is None else _pair(size)[i],
            scale=None if scale is None else _pair(scale)[i],
            mode=option(call, "mode", default="nearest"),
            align_corners=option(call, "align_corners"),
            recompute=option(call, "recompute_scale_factor"),
            antialias=option(call, "antialias", default=False),
        )
        return axis.pick(reads)

    return _each_axis(field, rule)


def _padding(call: Call, field: Field) -> Field | None:
    module = call.module
    if module is None:
        amounts, mode = option(call, "pad"), option(call, "mode", default="constant")
    else:
        amounts = module.padding
        mode = next((mode for kind, mode in _PADS.items() if isinstance(module, kind)), "constant")

    def rule(axis: Axis, position: int) -> Axis:
        pair = -2 * position - 2  # the amounts begin with the last axis
        before, after = (*amounts[pair : pair + 2], 0, 0)[:2]
        reads = taps.padded(axis.units, before, after, mode)
        return axis.window(reads, first=-before, extent=1, stride=1)

    rows, columns = rule(field.rows, field.axes[0]), rule(field.columns, field.axes[1])
    return replace(field, rows=rows, columns=columns)


def _pixel_unshuffle(call: Call, field: Field) -> Field | None:
    factor = option(call, "downscale_factor")
    return _each_axis(
        field, lambda _, axis: _window(axis, axis.units // factor, factor, stride=factor)
    )


def _mixed(field: Field, dims: Iterable[int], ndim: int, units: int | None = None) -> Field:
    """Let each position along `dims`, of which there are `units` now, depend on all of them."""
    last = {dim % ndim - ndim for dim in dims}
    rows, columns = (
        axis.everything(units or axis.units) if position in last else axis
        for axis, position in zip((field.rows, field.columns), field.axes, strict=True)
    )
    return replace(field, rows=rows, columns=columns)


def _along(call: Call, field: Field) -> Field | None:
    """Softmax and its like: mixing along one axis."""
    dim = option(call, "dim")
    return None if dim is None else _mixed(field, [dim], len(call.input_shapes[0]))


def _normalize(call: Call, field: Field) -> Field | None:
    return _mixed(field, [option(call, "dim", default=1)], len(call.input_shapes[0]))


def _glu(call: Call, field: Field) -> Field | None:
    dim = option(call, "dim", default=-1)
    ndim = len(call.input_shapes[0])
    return None if dim % ndim - ndim in field.axes else field


def _layer_norm(call: Call, field: Field) -> Field | None:
    normalized = option(call, "normalized_shape")
    return _mixed(field, range(-len(normalized), 0), len(call.input_shapes[0]))


def _global_norm(call: Call, field: Field) -> Field | None:
    """Group and instance normalisation: statistics over all positions."""
    return _mixed(field, field.axes, len(call.input_shapes[0]))


def _batch_norm(call: Call, field: Field) -> Field | None:
    """With running statistics each position is on its own; with the batch's, all are mixed."""
    module = call.module
    if module is not None:
        own = module.running_mean is not None and not module.training
    else:
        own = not option(call, "training", default=False)
    return field if own else _global_norm(call, field)


def _instance_norm(call: Call, field: Field) -> Field | None:
    if call.module is not None:
        return _batch_norm(call, field)
    return _global_norm(call, field) if option(call, "use_input_stats", default=True) else field


def _linear(call: Call, field: Field) -> Field | None:
    """Dense along the last axis: pointwise on channels-last maps, global along columns."""
    return _mixed(field, [-1], call.output.ndim, call.output.shape[-1])


def _reduction(call: Call, field: Field) -> Field | None:
    ndim = len(call.input_shapes[0])
    dims = option(call, "dim")
    if dims is None:
        return None
    removed = {dim % ndim - ndim for dim in ([dims] if isinstance(dims, int) else dims)}
    if call.output.ndim == ndim:
        return _mixed(field, removed, ndim, 1)
    if removed & set(field.axes):
        return None
    rows, columns = (axis + sum(dim > axis for dim in removed) for axis in field.axes)
    return replace(field, axes=(rows, columns))


def _concatenated(call: Call, fields: Sequence[Field]) -> Field | None:
    axes = fields[0].axes
    dim = option(call, "dim", default=0)
    dim = dim % call.output.ndim - call.output.ndim
    rows, columns = (
        Axis.joined(parts) if position == dim else Axis.union(parts)
        for position, parts in zip(
            axes, ([f.rows for f in fields], [f.columns for f in fields]), strict=True
        )
    )
    return Field(rows, columns, axes)


_RULES: dict[str, Rule] = {
    **dict.fromkeys(MOVES, replayed),
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(["avg_pool2d", "lp_pool2d", "max_pool2d"], _pooling),
    **dict.fromkeys(["max_pool2d_with_indices"], _pooling),
    **dict.fromkeys(["adaptive_avg_pool2d", "adaptive_max_pool2d"], _adaptive_pooling),
    **dict.fromkeys(["adaptive_max_pool2d_with_indices"], _adaptive_pooling),
    **dict.fromkeys(["softmax", "log_softmax", "softmin", "cumsum", "cumprod"], _along),
    **dict.fromkeys(["interpolate", "upsample"], _interpolation),
    **dict.fromkeys(["layer_norm", "rms_norm"], _layer_norm),
    "batch_norm": _batch_norm,
    "conv2d": _convolution,
    "conv_transpose2d": _transposed_convolution,
    "glu": _glu,
    "group_norm": _global_norm,
    "instance_norm": _instance_norm,
    "linear": _linear,
    "normalize": _normalize,
    "pad": _padding,
    "pixel_unshuffle": _pixel_unshuffle,
}
