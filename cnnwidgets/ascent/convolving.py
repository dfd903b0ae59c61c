"""Convolutions with weights that stay as they are, and their gradients by the picture alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.grad import conv2d_input

from cnnwidgets.attribution.incremental.convolution import Convolution
from cnnwidgets.attribution.incremental.sliding import Both, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Back: TypeAlias = Callable[[Tensor, torch.Size], Tensor]
    """Gradients by what a convolution returned, the shape of what it was given → those by it."""

_FEW = 16
"""Channels below which oneDNN has no fast gradient of a strided convolution."""


class Options(NamedTuple):
    """How a convolution goes over its maps, along rows and columns."""

    strides: Both
    padding: Both
    dilations: Both
    groups: int

    @classmethod
    def of(
        cls,
        stride: int | Sequence[int],
        padding: int | Sequence[int],
        dilation: int | Sequence[int],
        groups: int,
    ) -> Options:
        """Read the arguments of `torch.nn.functional.conv2d`."""
        return cls(pair(stride), pair(padding), pair(dilation), groups)


class FrozenConvolution:
    """A convolution, with a norm after it perhaps, that costs no gradient of its weights.

    Parameters
    ----------
    convolution
        What is computed.
    options
        How.
    """

    def __init__(self, convolution: Convolution, options: Options) -> None:
        self.convolution, self._options = convolution, options

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve maps [N, C, H, W]; gradients flow back into them."""
        found: Tensor = _Forward.apply(x, self)  # type: ignore[no-untyped-call]
        return found

    @cached_property
    def back(self) -> Back:
        """What takes gradients back, laid out once."""
        return transposed(self.convolution.weight, self._options)

    @cached_property
    def linear(self) -> FrozenConvolution:
        """It without bias: its own derivative."""
        plain = Convolution(self.convolution.weight, None, *self._options)
        return FrozenConvolution(plain, self._options)


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, frozen: FrozenConvolution) -> Tensor:  # noqa: ANN401
        ctx.frozen, ctx.shape = frozen, x.shape
        return frozen.convolution(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # noqa: ANN401
        if torch.is_grad_enabled():  # as nobody asks for gradients of gradients else
            return _Back.apply(gradient, ctx.frozen, ctx.shape), None  # type: ignore[no-untyped-call]
        return ctx.frozen.back(gradient, ctx.shape), None


class _Back(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, frozen: FrozenConvolution, shape: torch.Size) -> Tensor:  # noqa: ANN401
        ctx.frozen = frozen
        return frozen.back(gradient, shape)

    @staticmethod
    def backward(ctx: Any, second: Tensor) -> Any:  # noqa: ANN401
        return ctx.frozen.linear(second), None, None


def transposed(weight: Tensor, options: Options) -> Back:
    """Return what takes gradients back through a convolution.

    Parameters
    ----------
    weight
        Its filters [K, C / groups, H, W].
    options
        How it goes over the maps.
    """
    strides, padding, dilations, groups = options
    size = weight.shape[2], weight.shape[3]
    rests = [d * (k - 1) - p for d, k, p in zip(dilations, size, padding, strict=True)]
    if strides == (1, 1) and min(rests) >= 0:
        filters = weight.view(groups, -1, *weight.shape[1:]).transpose(1, 2)
        filters = filters.flatten(0, 1).flip(2, 3)
        flipped = Convolution(filters, None, 1, rests, dilations, groups)
        return lambda gradient, _: flipped(gradient)
    if size == (1, 1) and padding == (0, 0):
        return _spread(weight, strides, groups)
    few = weight.shape[1] < _FEW and groups == 1 and dilations == (1, 1)
    if few and strides[0] == strides[1]:
        return _interleaved(weight, strides[0], padding)
    back: Any = conv2d_input
    return lambda gradient, shape: back(shape, weight, gradient, *options)


def _spread(weight: Tensor, strides: Both, groups: int) -> Back:
    """Return the gradient of a strided convolution of single pixels: zero between those it saw."""
    filters = weight.view(groups, -1, *weight.shape[1:]).transpose(1, 2).flatten(0, 1)
    flipped = Convolution(filters, None, groups=groups)
    down, across = strides

    def back(gradient: Tensor, shape: torch.Size) -> Tensor:
        seen = flipped(gradient)
        layout = torch.contiguous_format if seen.is_contiguous() else torch.channels_last
        found = torch.empty(shape, memory_format=layout).zero_()
        found[:, :, ::down, ::across] = seen
        return found

    return back


def _interleaved(weight: Tensor, stride: int, padding: Both) -> Back:
    """Return the gradient of a strided convolution, as a plain one and a reordering.

    Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network" (2016): all pixels whose row and column leave the same rests,
    divided by the stride, see the same taps of the filter.
    """
    count, channels, *size = weight.shape
    (low, rows), (left, columns) = (_taps(k, stride, p) for k, p in zip(size, padding, strict=True))
    zero = functional.pad(weight, (0, 1, 0, 1))  # where a tap lies outside
    filters = zero[:, :, rows[:, :, None, None], columns[None, None]]  # [K, C, s, h, s, w]
    filters = filters.permute(1, 2, 4, 0, 3, 5).reshape(
        channels * stride**2, count, *rows.shape[1:], -1
    )
    plain = Convolution(filters, None)

    def back(gradient: Tensor, shape: torch.Size) -> Tensor:
        pads = []
        for first, taps, axis in ((left, columns, 3), (low, rows, 2)):
            needed = -(-shape[axis] // stride) + taps.shape[1] - 1
            pads += [-first, needed + first - gradient.shape[axis]]
        found = functional.pixel_shuffle(plain(functional.pad(gradient, pads)), stride)
        return found[:, :, : shape[2], : shape[3]]

    return back


def _taps(size: int, stride: int, padding: int) -> tuple[int, Tensor]:
    """Return the first output that a pixel sees, and the taps by which each rest sees them."""
    first = -((size - 1 - padding) // stride)
    last = (stride - 1 + padding) // stride
    rests, outputs = torch.arange(stride)[:, None], torch.arange(first, last + 1)
    taps = rests + padding - stride * outputs
    return first, torch.where((taps >= 0) & (taps < size), taps, size)
