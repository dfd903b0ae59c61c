"""Gradients of convolutions by what they were given, with weights that stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch
from torch.nn import functional

from cnnwidgets.ascent.layouts import Options, laid_out, one_dnn
from cnnwidgets.attribution.incremental.convolution import known

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from cnnwidgets.ascent.layouts import Run
    from cnnwidgets.attribution.incremental.sliding import Both

    Back: TypeAlias = Callable[[Tensor, torch.Size], Tensor]
    """Gradients by what a convolution returned, the shape of what it was given → those by it."""

_FEW = 16
"""Channels below which oneDNN has no fast gradient of a strided convolution."""


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
        turned = weight if size == (1, 1) else weight.flip(2, 3)
        filters = _swapped(turned, groups)
        flipped = laid_out(filters, None, Options.of(1, rests, dilations, groups))
        return lambda gradient, _: flipped(gradient)
    if size == (1, 1) and padding == (0, 0):
        return _spread(weight, strides, groups)
    few = weight.shape[1] < _FEW and groups == 1 and dilations == (1, 1)
    if few and strides[0] == strides[1]:
        return _interleaved(weight, strides[0], padding)
    if known(weight) and one_dnn("_reorder_convolution_transpose_weight") is not None:
        return _packed(weight, options)
    return _plain(weight, options)


def _swapped(weight: Tensor, groups: int) -> Tensor:
    """Return the filters with what they read and what they make in each other's place."""
    return weight.view(groups, -1, *weight.shape[1:]).transpose(1, 2).flatten(0, 1)


def _plain(weight: Tensor, options: Options) -> Back:
    """Return the gradient as torch has it."""
    strides, padding, dilations, groups = options
    how = None, strides, padding, dilations, False, (0, 0), groups, (True, False, False)

    def back(gradient: Tensor, shape: torch.Size) -> Tensor:
        given = _empty(shape, gradient)  # its layout is that of what is returned
        found: Tensor
        found, *_ = torch.ops.aten.convolution_backward.default(gradient, given, weight, *how)
        return found

    return back


def _packed(weight: Tensor, options: Options) -> Back:
    """Return the gradient as torch's compiler calls it on the CPU: weights laid out once."""
    strides, padding, dilations, groups = options
    pack, run = (
        one_dnn("_reorder_convolution_transpose_weight"),
        one_dnn("_convolution_transpose_pointwise"),
    )
    size = weight.shape[2:]
    ready: dict[tuple[torch.Size, torch.Size], tuple[Tensor, list[int]]] = {}

    def lay(given: torch.Size, shape: torch.Size) -> tuple[Tensor, list[int]]:
        """Return the filters, and how many pixels at the end no filter has seen."""
        seen = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(given[2:], strides, padding, dilations, size, strict=True)
        ]
        rest = [n - one for n, one in zip(shape[2:], seen, strict=True)]
        return pack(weight, padding, rest, strides, dilations, groups, given), rest

    def back(gradient: Tensor, shape: torch.Size) -> Tensor:
        key = gradient.shape, shape
        if key not in ready:
            ready[key] = lay(*key)
        filters, rest = ready[key]
        found: Tensor = run(
            gradient, filters, None, padding, rest, strides, dilations, groups, "none", [], ""
        )
        return found

    return back


def _spread(weight: Tensor, strides: Both, groups: int) -> Back:
    """Return the gradient of a strided convolution of single pixels: zero between those it saw."""
    flipped = laid_out(_swapped(weight, groups), None, Options(groups=groups))
    down, across = strides

    def back(gradient: Tensor, shape: torch.Size) -> Tensor:
        seen = flipped(gradient)
        found = _empty(shape, seen).zero_()
        found[:, :, ::down, ::across] = seen
        return found

    return back


def _empty(shape: torch.Size, like: Tensor) -> Tensor:
    """Return maps that lie in memory as others do."""
    layout = torch.contiguous_format if like.is_contiguous() else torch.channels_last
    return torch.empty(shape, memory_format=layout)


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
    filters = filters.permute(2, 4, 1, 0, 3, 5).reshape(
        stride**2 * channels, count, *rows.shape[1:], -1
    )
    ready: dict[Both, Run] = {}

    def back(gradient: Tensor, shape: torch.Size) -> Tensor:
        blocks = [-(-n // stride) for n in shape[2:]]
        after = [
            n + taps.shape[1] - 1 + first - given
            for n, first, taps, given in zip(
                blocks, (low, left), (rows, columns), gradient.shape[2:], strict=True
            )
        ]
        pads = max(0, after[0]), max(0, after[1])  # never less than before
        if pads not in ready:
            ready[pads] = laid_out(filters, None, Options(padding=pads))
        made = ready[pads](gradient)
        first = pads[0] + low, pads[1] + left
        made = made[:, :, first[0] : first[0] + blocks[0], first[1] : first[1] + blocks[1]]
        return _shuffled(made, stride)[:, :, : shape[2], : shape[3]]

    return back


def _shuffled(maps: Tensor, stride: int) -> Tensor:
    """Put maps [N, s·s·C, H, W] between one another, [N, C, H·s, W·s]."""
    count, _, height, width = maps.shape
    blocks = maps.permute(0, 2, 3, 1).reshape(count, height, width, stride, stride, -1)
    rows = blocks.transpose(2, 3).reshape(count, height * stride, width * stride, -1)
    return rows.permute(0, 3, 1, 2)


def _taps(size: int, stride: int, padding: int) -> tuple[int, Tensor]:
    """Return the first output that a pixel sees, and the taps by which each rest sees them."""
    first = -((size - 1 - padding) // stride)
    last = (stride - 1 + padding) // stride
    rests, outputs = torch.arange(stride)[:, None], torch.arange(first, last + 1)
    taps = rests + padding - stride * outputs
    return first, torch.where((taps >= 0) & (taps < size), taps, size)
