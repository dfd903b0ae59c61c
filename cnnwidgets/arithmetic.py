"""Convolution arithmetic: output sizes, parameter counts, and the receipt of one output pixel.

output_size
    How many positions a convolution or pooling window takes.
conv_parameters
    How many parameters a convolution has.
receipt
    How a convolution came to one number of its output, as a `Receipt`.

The size formulas are those of Dumoulin & Visin, "A guide to convolution arithmetic for deep
learning" (arXiv:1603.07285, 2016), relationships 6 and 15.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnwidgets import taps

Pair: TypeAlias = int | Sequence[int]
"""One integer for both axes, or (rows, columns)."""


@overload
def output_size(
    size: int,
    kernel: int,
    stride: int = ...,
    padding: int | str = ...,
    dilation: int = ...,
    ceil_mode: bool = ...,  # noqa: FBT001
) -> int: ...
@overload
def output_size(
    size: Sequence[int],
    kernel: Pair,
    stride: Pair = ...,
    padding: Pair | str = ...,
    dilation: Pair = ...,
    ceil_mode: bool = ...,  # noqa: FBT001
) -> tuple[int, int]: ...
def output_size(  # noqa: PLR0917 - torch's own order of arguments
    size: Pair,
    kernel: Pair,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,  # noqa: FBT001, FBT002
) -> int | tuple[int, int]:
    """Compute how many positions a convolution or pooling window takes.

    ⌊(size + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1, rounded up instead of down
    in ceil mode, where a last window that would start beyond the input and its leading padding
    is dropped (as torch does).

    Parameters
    ----------
    size
        Length of the input in pixels, or (height, width).
    kernel, stride, padding, dilation
        As in `torch.nn.Conv2d`; integers, or (rows, columns). `padding` may be "valid", or
        "same" with stride 1. For a pooling pass its stride: torch's default there is the kernel.
    ceil_mode
        As in `torch.nn.MaxPool2d`.

    Returns
    -------
    int or (int, int)
        A pair if any argument is one.

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer or pair of integers, is out of range, or the window is
        larger than the padded input.

    Examples
    --------
    >>> output_size(224, 7, stride=2, padding=3)
    112
    """
    lengths, kernels = _pair("size", size, 1), _pair("kernel", kernel, 1)
    strides, dilations = _pair("stride", stride, 1), _pair("dilation", dilation, 1)
    paddings = (0, 0) if isinstance(padding, str) else _pair("padding", padding, 0)
    if padding == "same":
        if strides != (1, 1):
            raise ValueError(f"padding: 'same' needs stride 1, not {stride}")
        sizes = lengths
    elif isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding: {padding!r} is unknown; give integers, 'same' or 'valid'")
    else:
        each = zip(lengths, kernels, strides, paddings, dilations, strict=True)
        rows, columns = (_positions(*one, ceil_mode=ceil_mode) for one in each)
        sizes = rows, columns
    pairs = (one for one in (size, kernel, stride, padding, dilation) if not isinstance(one, str))
    return sizes if any(isinstance(one, Sequence) for one in pairs) else sizes[0]


def conv_parameters(
    in_channels: int, out_channels: int, kernel: Pair, *, bias: bool = True, groups: int = 1
) -> int:
    """Count the parameters of a convolution: (kh·kw·in_channels/groups + [bias])·out_channels.

    Parameters
    ----------
    in_channels, out_channels, groups
        As in `torch.nn.Conv2d`; `groups` divides both numbers of channels.
    kernel
        Side of the kernel, or (rows, columns).
    bias
        Whether each output channel has one.

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer, is below 1, or `groups` does not divide the channels.

    Examples
    --------
    >>> conv_parameters(3, 64, 3)
    1792
    """
    height, width = _pair("kernel", kernel, 1)
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    groups = _integer("groups", groups, 1)
    for name, value in channels.items():
        if _integer(name, value, 1) % groups:
            raise ValueError(f"groups: {groups} does not divide {name} = {value}")
    return (height * width * in_channels // groups + bool(bias)) * out_channels


@dataclass(frozen=True, eq=False)
class Receipt:
    """How a convolution came to one number of its output, item by item.

    All numbers are float64 on the CPU, whatever the convolution computes in; its own result
    differs by its rounding.

    Attributes
    ----------
    patch : torch.Tensor
        [C_in/groups, kh, kw], what the kernel lies on; the padding's values where it overhangs.
    inside : torch.Tensor
        Bool [kh, kw], false where the kernel lies on padding.
    weights : torch.Tensor
        [C_in/groups, kh, kw], the kernel of this output channel.
    products : torch.Tensor
        [C_in/groups, kh, kw], ``patch * weights``.
    sums : torch.Tensor
        [C_in/groups], the sum of the products of each input channel.
    bias : float
        0 if the convolution has none.
    result : float
        ``sums.sum() + bias``.
    magnitude : float
        Σ |products| + |bias|, by which the rounding of the sum is measured.
    dtype : torch.dtype
        What the convolution puts out.
    precision : str
        What it computes in: ``float32``, or on a GPU ``TF32``, ``float16`` …
    tolerance : float
        How much of `magnitude` rounding may change in this precision.
    input_channels : range
        The input channels that this output channel reads: its group's.
    rows, columns : tuple of int
        Input coordinates under the kernel, outside the input where it lies on padding.
    channel, row, column : int
        The output pixel.
    """

    patch: Tensor
    inside: Tensor
    weights: Tensor
    products: Tensor
    sums: Tensor
    bias: float
    result: float
    magnitude: float
    dtype: torch.dtype
    precision: str
    tolerance: float
    input_channels: range
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    channel: int
    row: int
    column: int
    _padding: tuple[int, int, int, int]
    _padding_mode: str

    def agrees(self, value: float) -> bool:
        """Whether a convolution that computes `value` differs from `result` by rounding only.

        Cancellation makes a small result of large products, so that the error is measured by
        those. Values that are not finite, or too large for `dtype`, agree with one another.
        """
        if not math.isfinite(value):
            return not math.isfinite(torch.tensor(self.result, dtype=self.dtype).item())
        least = torch.finfo(self.dtype).tiny  # below it numbers lie no closer together
        return abs(self.result - value) <= self.tolerance * max(self.magnitude, least)

    def code(self) -> str:
        """Write the Python that computes `result` again from ``conv`` and its input ``x``."""
        left, _, top, _ = self._padding
        rows, columns = _slice(self.rows, top), _slice(self.columns, left)
        channels = f"{self.input_channels.start}:{self.input_channels.stop}"
        lines = [
            "padded = x.detach().double().reshape(1, *x.shape[-3:])",
            f"padded = torch.nn.functional.pad(padded, {self._padding}, {self._padding_mode!r})",
            f"patch = padded[0, {channels}, {rows}, {columns}]",
            f"products = patch * conv.weight[{self.channel}].detach().double()",
            "sums = products.sum(dim=(1, 2))  # one per input channel",
            "result = sums.sum()",
        ]
        if not any(self._padding):
            del lines[1]
        if self.bias:
            lines[-1] += f" + conv.bias[{self.channel}].detach().double()"
        return "\n".join(["import torch", "", *lines, ""])


def receipt(conv: nn.Conv2d, x: Tensor, channel: int, row: int, column: int) -> Receipt:
    """Account for one pixel of a convolution's output.

    Parameters
    ----------
    conv
        The convolution, with any stride, padding, padding mode, dilation and groups.
    x
        What it is given: [1, C, H, W] or [C, H, W].
    channel, row, column
        The output pixel, counted from 0.

    Returns
    -------
    Receipt
        Every product, the sum of each input channel, the bias and the result, accumulated in
        float64.

    Raises
    ------
    TypeError
        If `conv` is not a `torch.nn.Conv2d`.
    ValueError
        If `x` does not fit it, or there is no such output pixel.

    Notes
    -----
    The weights are those of ``conv.weight``, parametrised or not. A subclass whose forward
    changes them first, as weight standardisation does, computes another number:
    `Network.convolution` returns what is really convolved.
    """
    image = _image(conv, x)
    height, width = output_size(
        tuple(image.shape[1:]), conv.kernel_size, conv.stride, conv.padding, conv.dilation
    )
    channel = _position("channel", channel, conv.out_channels)
    row, column = _position("row", row, height), _position("column", column, width)
    per_group = conv.in_channels // conv.groups
    first = channel // (conv.out_channels // conv.groups) * per_group
    (rows, read_rows), (columns, read_columns) = (
        _under_kernel(conv, axis, unit, image.shape[axis + 1])
        for axis, unit in enumerate((row, column))
    )
    patch = image[first : first + per_group, read_rows[:, None], read_columns].double()
    patch[:, (read_rows[:, None] == taps.NONE) | (read_columns == taps.NONE)] = 0
    weights = conv.weight[channel].detach().to("cpu", torch.float64, copy=True)
    products = patch * weights
    sums = products.sum(dim=(1, 2))
    bias = 0.0 if conv.bias is None else float(conv.bias[channel].detach())
    precision, tolerance = _precision(conv.weight)
    return Receipt(
        patch=patch,
        inside=_within(rows, image.shape[1])[:, None] & _within(columns, image.shape[2]),
        weights=weights,
        products=products,
        sums=sums,
        bias=bias,
        result=float(sums.sum()) + bias,
        magnitude=float(products.abs().sum()) + abs(bias),
        dtype=conv.weight.dtype,
        precision=precision,
        tolerance=tolerance,
        input_channels=range(first, first + per_group),
        rows=rows,
        columns=columns,
        channel=channel,
        row=row,
        column=column,
        _padding=(*_amounts(conv, 1), *_amounts(conv, 0)),
        _padding_mode=conv.padding_mode.replace("zeros", "constant"),
    )


def _precision(weight: Tensor) -> tuple[str, float]:
    """Name what a convolution computes in, and what its rounding may change."""
    if weight.is_cuda and weight.dtype == torch.float32 and torch.backends.cudnn.allow_tf32:
        return "TF32", 2.0**-10
    return str(weight.dtype).removeprefix("torch."), max(1e-5, torch.finfo(weight.dtype).eps)


def _integer(name: str, value: object, least: int) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: {value!r} is not an integer") from None
    if number < least:
        raise ValueError(f"{name}: {value} is below {least}")
    return number


def _pair(name: str, value: Pair, least: int) -> tuple[int, int]:
    match value:
        case [rows, columns]:
            return _integer(name, rows, least), _integer(name, columns, least)
        case [*_]:
            raise ValueError(f"{name}: {value!r} is neither an integer nor a pair of them")
    number = _integer(name, value, least)
    return number, number


def _positions(
    length: int, kernel: int, stride: int, padding: int, dilation: int, *, ceil_mode: bool
) -> int:
    extent = dilation * (kernel - 1) + 1
    padded = length + 2 * padding
    positions = (padded - extent + (stride - 1) * ceil_mode) // stride + 1
    if ceil_mode and (positions - 1) * stride >= length + padding:
        positions -= 1
    if positions < 1:
        raise ValueError(
            f"kernel: {kernel} covers {extent} pixels, more than the {padded} of the padded "
            f"input; make the input larger, or the kernel or dilation smaller"
        )
    return positions


def _image(conv: nn.Module, x: Tensor) -> Tensor:
    """Check a convolution and its input; return the input as [C, H, W] on the CPU."""
    if not isinstance(conv, nn.Conv2d):
        kind = type(conv).__name__
        raise TypeError(f"conv: a receipt is written for torch.nn.Conv2d, not for {kind}")
    if is_lazy(conv.weight):
        raise ValueError("conv: its weights are not initialised yet; run the model once")
    if not x.is_floating_point():
        raise TypeError(f"x: {x.dtype}, but a convolution takes floats; convert it with x.float()")
    match list(x.shape):
        case [channels, _, _] | [1, channels, _, _] if channels == conv.in_channels:
            return x.detach().reshape(x.shape[-3:]).cpu()
    raise ValueError(
        f"x: shape {list(x.shape)}, but the convolution takes "
        f"[{conv.in_channels}, H, W] or [1, {conv.in_channels}, H, W]"
    )


def _position(name: str, value: int, count: int) -> int:
    if _integer(name, value, 0) >= count:
        raise ValueError(f"{name}: {value} is beyond the output, which has {count} of them")
    return operator.index(value)


def _amounts(conv: nn.Conv2d, axis: int) -> tuple[int, int]:
    """Tell the padding before and after along an axis; "same" puts an odd one after."""
    if conv.padding == "same":
        total = conv.dilation[axis] * (conv.kernel_size[axis] - 1)
        return total // 2, total - total // 2
    amount = 0 if isinstance(conv.padding, str) else conv.padding[axis]
    return amount, amount


def _under_kernel(
    conv: nn.Conv2d, axis: int, unit: int, length: int
) -> tuple[tuple[int, ...], Tensor]:
    """Coordinates under the kernel of an output unit, and where their values are read."""
    before, _ = _amounts(conv, axis)
    kernel, stride, dilation = (one[axis] for one in (conv.kernel_size, conv.stride, conv.dilation))
    start = unit * stride - before
    reads = taps.inside(np.arange(kernel) * dilation + start, length, conv.padding_mode)
    return tuple(range(start, start + kernel * dilation, dilation)), torch.from_numpy(reads)


def _within(coordinates: tuple[int, ...], length: int) -> Tensor:
    return torch.tensor([0 <= coordinate < length for coordinate in coordinates])


def _slice(coordinates: tuple[int, ...], padding: int) -> str:
    step = coordinates[1] - coordinates[0] if len(coordinates) > 1 else 1
    text = f"{coordinates[0] + padding}:{coordinates[-1] + padding + 1}"
    return text if step == 1 else f"{text}:{step}"
