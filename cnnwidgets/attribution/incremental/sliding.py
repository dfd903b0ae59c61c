"""Convolution and pooling where they see the windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from torch.nn import functional

from cnnwidgets.attribution.incremental.axis import Axis, reached, read
from cnnwidgets.attribution.incremental.occluded import Occluded
from cnnwidgets.attribution.incremental.windows import Frame, Patched, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Both: TypeAlias = tuple[int, int]


class Compute(Protocol):
    """Computes an operation with its padding, or of a piece that has it already."""

    def __call__(self, x: Tensor, *, padded: bool) -> Tensor:
        """Compute it."""


def pair(option: int | Sequence[int]) -> Both:
    """Return an option of two axes, given as one number or one for each."""
    return (option, option) if isinstance(option, int) else (option[0], option[-1])


def slide(
    name: str,
    x: Occluded,
    axes: tuple[Axis, Axis],
    compute: Compute,
    *,
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
    given = x.patched
    maps = x.known.maps(name, lambda: compute(given.maps.values, padded=True))
    down, across = axes
    rows = reached(down, given.place.rows, maps.size[0])
    columns = reached(across, given.place.columns, maps.size[1])
    if (rows.length, columns.length) == maps.size:
        return Occluded.everywhere(x.known, compute(x.whole, padded=True))
    below, right = after or (down.padding, across.padding)
    frame = Frame((down.padding, below), (across.padding, right), value)
    pieces = given.cut(Place(read(down, rows), read(across, columns)), frame)
    windows = compute(pieces, padded=False)
    return Occluded.local(x.known, Patched(maps, windows, Place(rows, columns)))


def convolve(  # noqa: PLR0917 - the arguments of torch.conv2d
    x: Any,  # noqa: ANN401 - the kernel may be what is occluded
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:  # noqa: ANN401
    """Convolve (`torch.nn.functional.conv2d`)."""
    if not isinstance(x, Occluded) or isinstance(weight, Occluded):
        return NotImplemented
    kernels, strides, dilations = pair(weight.shape[2:]), pair(stride), pair(dilation)
    before, after = _paddings(padding, kernels, dilations)
    known = x.known

    def compute(x: Tensor, *, padded: bool) -> Tensor:
        around = padding if padded else 0
        y = functional.conv2d(x, weight, bias, strides, around, dilations, groups)
        known.count("conv2d", (x, weight), y)
        return y

    return slide("conv2d", x, _axes(kernels, strides, before, dilations), compute, after=after)


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
    ceil_mode: bool = False,  # noqa: FBT001, FBT002
    return_indices: bool = False,  # noqa: FBT001, FBT002
) -> Any:  # noqa: ANN401
    """Take the maximum (`torch.nn.functional.max_pool2d`)."""
    if return_indices:
        return NotImplemented
    kernels, paddings, dilations = pair(kernel_size), pair(padding), pair(dilation)
    strides = pair(stride) if stride else kernels
    axes = _axes(kernels, strides, paddings, dilations)

    def compute(x: Tensor, *, padded: bool) -> Tensor:
        around, ceil = (paddings, ceil_mode) if padded else ((0, 0), False)
        return functional.max_pool2d(x, kernels, strides, around, dilations, ceil_mode=ceil)

    given = x.patched.maps
    maps = x.known.maps("max_pool2d", lambda: compute(given.values, padded=True))
    down, across = (  # with ceil_mode the last windows may end outside
        max(axis.padding, axis.halo(units) - axis.padding - length)
        for axis, units, length in zip(axes, maps.size, given.size, strict=True)
    )
    return slide("max_pool2d", x, axes, compute, after=(down, across), value=float("-inf"))


def average_pool(  # noqa: PLR0917 - the arguments of torch.nn.functional.avg_pool2d
    x: Occluded,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,  # noqa: FBT001, FBT002
    count_include_pad: bool = True,  # noqa: FBT001, FBT002
    divisor_override: int | None = None,
) -> Any:  # noqa: ANN401
    """Take the mean (`torch.nn.functional.avg_pool2d`)."""
    kernels, paddings = pair(kernel_size), pair(padding)
    if ceil_mode or (any(paddings) and not count_include_pad):
        return NotImplemented  # the divisor depends on the place
    strides = pair(stride) if stride else kernels

    def compute(x: Tensor, *, padded: bool) -> Tensor:
        around = paddings if padded else (0, 0)
        return functional.avg_pool2d(x, kernels, strides, around, divisor_override=divisor_override)

    return slide("avg_pool2d", x, _axes(kernels, strides, paddings, (1, 1)), compute)
