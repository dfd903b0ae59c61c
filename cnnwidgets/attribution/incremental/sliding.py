"""Convolution and pooling where they see the windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from torch.nn import functional

from cnnwidgets.attribution.incremental.axis import Axis, reached, read
from cnnwidgets.attribution.incremental.occluded import Occluded
from cnnwidgets.attribution.incremental.windows import Frame, Place, Windows, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Both = tuple[int, int]


class Compute(Protocol):
    """Compute an operation, with its padding or of a piece that has it already."""

    def __call__(self, x: Tensor, *, padded: bool) -> Tensor: ...


def pair(option: int | Sequence[int]) -> Both:
    """Return an option of two axes, given as one number or one for each."""
    return (option, option) if isinstance(option, int) else (option[0], option[-1])


def slide(
    name: str,
    x: Occluded,
    axes: tuple[Axis, Axis],
    compute: Compute,
    after: Both | None = None,
    value: float = 0.0,
) -> Occluded:
    """Slide an operation over its input where it sees the windows.

    Parameters
    ----------
    name
        Of the function.
    x
        The input, local.
    axes
        How it reads rows and columns.
    compute
        Computes it.
    after
        Padding below and to the right; as before the first row and column by default.
    value
        What the padding holds.
    """
    assert x.maps is not None
    assert x.windows is not None
    given = x.maps
    maps = x.known.maps(name, lambda: compute(given.values, padded=True))
    down, across = axes
    place = Place(
        reached(down, x.windows.place.rows, maps.size[0]),
        reached(across, x.windows.place.columns, maps.size[1]),
    )
    if place.size == maps.size:
        return Occluded.everywhere(x.known, compute(x.whole, padded=True))
    below, right = after or (down.padding, across.padding)
    frame = Frame((down.padding, below), (across.padding, right), value)
    pieces = cut(
        given, x.windows, Place(read(down, place.rows), read(across, place.columns)), frame
    )
    return Occluded.local(x.known, maps, Windows(compute(pieces, padded=False), place))


def convolve(  # noqa: PLR0917 - the arguments of torch.conv2d
    x: Any,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """Convolve (`torch.nn.functional.conv2d`)."""
    if not isinstance(x, Occluded) or isinstance(weight, Occluded):
        return NotImplemented
    kernels, strides, dilations = pair(weight.shape[2:]), pair(stride), pair(dilation)
    before, after = _paddings(padding, kernels, dilations)
    axes = _axes(kernels, strides, before, dilations)

    def compute(x: Tensor, *, padded: bool) -> Tensor:
        around = padding if padded else 0
        y = functional.conv2d(x, weight, bias, strides, around, dilations, groups)
        known.count("conv2d", (x, weight), y)
        return y

    known = x.known
    return slide("conv2d", x, axes, compute, after)


def _paddings(
    padding: int | str | Sequence[int], kernels: Both, dilations: Both
) -> tuple[Both, Both]:
    if not isinstance(padding, str):
        return pair(padding), pair(padding)
    if padding == "valid":
        return (0, 0), (0, 0)
    down, across = (d * (k - 1) for k, d in zip(kernels, dilations, strict=True))
    return (down // 2, across // 2), (down - down // 2, across - across // 2)


def _axes(kernels: Both, strides: Both, paddings: Both, dilations: Both) -> tuple[Axis, Axis]:
    down, across = zip(kernels, strides, paddings, dilations, strict=True)
    return Axis(*down), Axis(*across)


def max_pool(  # noqa: PLR0917 - the arguments of torch.max_pool2d
    x: Occluded,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the maximum (`torch.nn.functional.max_pool2d`)."""
    if return_indices:
        return NotImplemented
    kernels, paddings, dilations = pair(kernel_size), pair(padding), pair(dilation)
    strides = pair(stride) if stride else kernels

    def compute(x: Tensor, *, padded: bool) -> Tensor:
        around = paddings if padded else (0, 0)
        return functional.max_pool2d(
            x, kernels, strides, around, dilations, ceil_mode=ceil_mode and padded
        )

    axes = _axes(kernels, strides, paddings, dilations)
    assert x.maps is not None
    given = x.maps
    maps = x.known.maps("max_pool2d", lambda: compute(given.values, padded=True))
    down, across = (  # with ceil_mode the last windows may begin inside and end outside
        max(axis.padding, axis.halo(units) - axis.padding - length)
        for axis, units, length in zip(axes, maps.size, given.size, strict=True)
    )
    return slide("max_pool2d", x, axes, compute, (down, across), float("-inf"))


def average_pool(  # noqa: PLR0917 - the arguments of torch.nn.functional.avg_pool2d
    x: Occluded,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Take the mean (`torch.nn.functional.avg_pool2d`)."""
    kernels, paddings = pair(kernel_size), pair(padding)
    if ceil_mode or (any(paddings) and not count_include_pad):
        return NotImplemented  # the divisor depends on the place
    strides = pair(stride) if stride else kernels

    def compute(x: Tensor, *, padded: bool) -> Tensor:
        around = paddings if padded else (0, 0)
        return functional.avg_pool2d(x, kernels, strides, around, divisor_override=divisor_override)

    return slide("avg_pool2d", x, _axes(kernels, strides, paddings, (1, 1)), compute)
