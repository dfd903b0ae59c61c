"""Convolution and pooling where they see the windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from torch.nn import functional

from cnnwidgets.attribution.incremental.axis import Axis, reached, read
from cnnwidgets.attribution.incremental.windows import Frame, Patched, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cnnwidgets.attribution.incremental.windows import Maps

Both: TypeAlias = tuple[int, int]


class Sliding(Protocol):
    """An operation that slides over rows and columns."""

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """How it reads them."""

    @property
    def after(self) -> Both | None:
        """Padding below and to the right; None: as far as the last units see."""

    @property
    def value(self) -> float:
        """What the padding holds."""

    def __call__(self, x: Tensor) -> Tensor:
        """Compute it of whole maps."""

    def inside(self, x: Tensor) -> Tensor:
        """Compute it of pieces that have their padding already."""


def slide(operation: Sliding, x: Patched, maps: Maps) -> Patched | Tensor:
    """Slide an operation over patched maps where it sees the windows.

    Parameters
    ----------
    operation
        What slides.
    x
        Its input.
    maps
        What it gives without patches.

    Returns
    -------
    Patched or Tensor
        The whole maps, where it sees the windows everywhere.
    """
    down, across = operation.axes
    rows = reached(down, x.place.rows, maps.size[0])
    columns = reached(across, x.place.columns, maps.size[1])
    if (rows.length, columns.length) == maps.size:
        return operation(x.whole)
    below, right = operation.after or _after(operation.axes, x.maps.size, maps.size)
    frame = Frame((down.padding, below), (across.padding, right), operation.value)
    pieces = x.cut(Place(read(down, rows), read(across, columns)), frame)
    return Patched(maps, operation.inside(pieces), Place(rows, columns))


def _after(axes: tuple[Axis, Axis], given: Both, made: Both) -> Both:
    """Return the padding behind that the last units see; with ceil_mode more than in front."""
    below, right = (
        max(axis.padding, axis.halo(units) - axis.padding - length)
        for axis, units, length in zip(axes, made, given, strict=True)
    )
    return below, right


def pair(option: int | Sequence[int]) -> Both:
    """Return an option of two axes, given as one number or one for each."""
    return (option, option) if isinstance(option, int) else (option[0], option[-1])


def axes_of(kernels: Both, strides: Both, paddings: Both, dilations: Both) -> tuple[Axis, Axis]:
    """Combine the options of two axes."""
    down, across = zip(kernels, strides, paddings, dilations, strict=True)
    return Axis(*down), Axis(*across)


class MaxPool:
    """`torch.nn.functional.max_pool2d` with options as that has them."""

    after = None
    value = float("-inf")

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        kernels, dilations = pair(kernel_size), pair(dilation)
        strides = pair(stride) if stride else kernels
        self.axes = axes_of(kernels, strides, pair(padding), dilations)
        self._options = kernels, strides, pair(padding), dilations, ceil_mode

    def __call__(self, x: Tensor) -> Tensor:
        """Pool whole maps."""
        return functional.max_pool2d(x, *self._options)

    def inside(self, x: Tensor) -> Tensor:
        """Pool pieces that have their padding already."""
        kernels, strides, _, dilations, _ = self._options
        return functional.max_pool2d(x, kernels, strides, 0, dilations)


class AveragePool:
    """`torch.nn.functional.avg_pool2d`, where the divisor is the same everywhere."""

    after = None
    value = 0.0

    def __init__(
        self, kernels: Both, strides: Both, paddings: Both, divisor: int | None = None
    ) -> None:
        self.axes = axes_of(kernels, strides, paddings, (1, 1))
        self._options: dict[str, Any] = {
            "kernel_size": kernels,
            "stride": strides,
            "divisor_override": divisor,
        }
        self._paddings = paddings

    def __call__(self, x: Tensor) -> Tensor:
        """Pool whole maps."""
        return functional.avg_pool2d(x, padding=self._paddings, **self._options)

    def inside(self, x: Tensor) -> Tensor:
        """Pool pieces that have their padding already."""
        return functional.avg_pool2d(x, **self._options)


def average_pool(  # noqa: PLR0917 - the arguments of torch.nn.functional.avg_pool2d
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,  # noqa: FBT001, FBT002
    count_include_pad: bool = True,  # noqa: FBT001, FBT002
    divisor_override: int | None = None,
) -> AveragePool | None:
    """Return the pooling of these options of torch; None where its divisor depends on the place."""
    kernels, paddings = pair(kernel_size), pair(padding)
    if ceil_mode or (any(paddings) and not count_include_pad):
        return None
    return AveragePool(kernels, pair(stride) if stride else kernels, paddings, divisor_override)
