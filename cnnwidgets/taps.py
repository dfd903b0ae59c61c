"""Which input positions each output position reads, along one axis.

Taps are int64 arrays [units, taps]: row ``i`` lists the input positions that output unit ``i``
reads; `NONE` stands for a place outside the input (padding), which reads nothing. The index
arithmetic is that of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(arXiv:1603.07285, 2016).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

Taps: TypeAlias = NDArray[np.int64]

NONE = -1

_ROUNDING = 1e-6  # weights below are none: true ones are fractions of the sizes


def window(
    units: int, length: int, kernel: int, *, stride: int, before: int, dilation: int, mode: str
) -> Taps:
    """Taps of a convolution or a pooling: position ``i·stride - before + k·dilation``."""
    start = np.arange(units)[:, None] * stride - before
    return inside(start + np.arange(kernel) * dilation, length, mode)


def transposed(
    units: int, length: int, kernel: int, *, stride: int, before: int, dilation: int
) -> Taps:
    """Taps of a transposed convolution: unit ``j·stride - before + k·dilation`` reads ``j``."""
    position = np.arange(units)[:, None] + before - np.arange(kernel) * dilation
    taps = np.where(position % stride == 0, position // stride, NONE)
    return inside(taps, length, "zeros")


def adaptive(units: int, length: int) -> Taps:
    """Taps of an adaptive pooling: from ⌊i·length/units⌋ to ⌈(i+1)·length/units⌉."""
    unit = np.arange(units)
    first = unit * length // units
    last = -(-(unit + 1) * length // units)
    taps = first[:, None] + np.arange((last - first).max())
    return np.where(taps < last[:, None], taps, NONE)


def padded(length: int, before: int, after: int, mode: str) -> Taps:
    """Taps of a padding; negative amounts crop."""
    return inside(np.arange(-before, length + after)[:, None], length, mode)


def everything(units: int, length: int) -> Taps:
    """Every unit reads every position."""
    return np.broadcast_to(np.arange(length), (units, length))


def resized(
    length: int,
    *,
    size: int | None,
    scale: float | None,
    mode: str,
    align_corners: bool | None,
    recompute: bool | None,
    antialias: bool,
) -> Taps:
    """Taps of an interpolation, found by resizing one indicator per input position."""
    indicators = torch.eye(length).reshape(length, 1, 1, length)
    weights = functional.interpolate(
        indicators,
        size=None if size is None else (1, size),
        scale_factor=None if scale is None else (1.0, scale),
        mode=mode,
        align_corners=align_corners,
        recompute_scale_factor=recompute,
        antialias=antialias,
    )
    reads = weights[:, 0, 0].T.abs().numpy() > _ROUNDING
    return np.where(reads, np.arange(length), NONE)


def inside(positions: Taps, length: int, mode: str) -> Taps:
    """Replace positions outside the input by nothing, or by the element that stands in."""
    taps: Taps = np.where((positions >= 0) & (positions < length), positions, NONE)
    if mode == "circular":
        taps = positions % length
    elif mode == "replicate":
        taps = positions.clip(0, length - 1)
    elif mode == "reflect":
        mirrored = np.abs(positions)
        taps = np.where(mirrored < length, mirrored, 2 * (length - 1) - mirrored)
    return taps
