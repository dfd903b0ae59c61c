"""The one pack and unpack for tensors on their way to the browser (`wire.ts` is the other half).

Each buffer describes itself; everything is little-endian::

    0 "CNNW" | 4 u8 encoding | 5 u8 number of axes d | 6 u16 zero | 8 d x u32 shape
    "quantised" only: per map f32 low, f32 high | data in C order

A map is the last two axes; a tensor of at most two axes is one map.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

Encoding: TypeAlias = Literal["picture", "quantised", "float16", "float32"]
Buffer: TypeAlias = bytes | bytearray | memoryview

LEVELS = 252
"""Codes 0 … 252 are values between a map's low and high; the next three are not finite."""
NEGATIVE_INFINITY, POSITIVE_INFINITY, NOT_A_NUMBER = 253, 254, 255

_MAGIC = b"CNNW"
_ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)  # a buffer holds the position in this list
_ITEMS = ("u1", "u1", "<f2", "<f4")
_HALF_MAX = 65504.0
_NARROWEST = 1e-35  # below this range, 252 / range is not a float32
_PIECE = 1 << 18  # values quantised at a time, so that they stay in the processor's cache


def pack(array: Tensor | NDArray[np.generic], encoding: Encoding = "quantised") -> bytes:
    """Write a tensor as one buffer.

    Parameters
    ----------
    array
        Any shape (up to 255 axes), any real dtype, any device; uint8 for a picture.
    encoding
        ``"quantised"``: one byte a value, with each map's finite range; the error is at
        most half of a 252nd of that range, NaN and infinities survive.
        ``"float16"``: becomes float32 if a finite value would not fit.
        ``"float32"``: exact. ``"picture"``: uint8 as it is.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If `encoding` is unknown, or a picture is not uint8.
    """
    if encoding not in _ENCODINGS:
        raise ValueError(f"encoding: there is no {encoding!r}; {nearest(encoding, _ENCODINGS)}")
    tensor = torch.as_tensor(array).detach().cpu()
    if encoding == "picture":
        if tensor.dtype != torch.uint8:
            raise ValueError(f"array: a picture is uint8, not {tensor.dtype}; round and cast it")
        return _header(encoding, tensor) + tensor.contiguous().numpy().tobytes()
    tensor = tensor.to(torch.float32).contiguous()
    if encoding == "float16" and not _fits_half(tensor):
        encoding = "float32"
    header = _header(encoding, tensor)
    if encoding == "quantised":
        ranges, codes = quantise(tensor)
        return b"".join((header, ranges.numpy().astype("<f4", copy=False).data, codes.numpy().data))
    return header + tensor.numpy().astype(_ITEMS[_ENCODINGS.index(encoding)]).tobytes()


def unpack(buffer: Buffer) -> NDArray[np.generic]:
    """Read a buffer that `pack` wrote.

    Returns
    -------
    numpy.ndarray
        uint8 for a picture, float16 or float32 as packed, float32 for quantised maps.

    Raises
    ------
    ValueError
        If the buffer is none of ours, or of the wrong length.
    """
    data = bytes(buffer)
    if len(data) < 8 or data[:4] != _MAGIC or data[4] >= len(_ENCODINGS):  # noqa: PLR2004 - header
        raise ValueError("buffer: not a cnnwidgets tensor")
    encoding, axes = data[4], data[5]
    shape = struct.unpack_from(f"<{axes}I", data, 8)
    start, item = 8 + 4 * axes, np.dtype(_ITEMS[encoding])
    maps = math.prod(shape[:-2]) if _ENCODINGS[encoding] == "quantised" else 0
    if len(data) != start + 8 * maps + math.prod(shape) * item.itemsize:
        raise ValueError("buffer: a cnnwidgets tensor of the wrong length")
    values: NDArray[Any] = np.frombuffer(data, item, offset=start + 8 * maps)
    if _ENCODINGS[encoding] == "quantised":
        ranges = np.frombuffer(data, "<f4", 2 * maps, start).reshape(maps, 2).astype(np.float64)
        return _restore(values.reshape(maps, math.prod(shape[-2:])), ranges).reshape(shape)
    return values.reshape(shape)


def quantise(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise each map of a float32 tensor: ranges [maps, 2] and uint8 codes [maps, values]."""
    size = math.prod(tensor.shape[-2:])
    maps = tensor.reshape(math.prod(tensor.shape[:-2]), size)
    codes = torch.empty(maps.shape, dtype=torch.uint8)
    if not maps.numel():
        return torch.zeros(len(maps), 2), codes
    low, high = maps.amin(1), maps.amax(1)  # NaN if the map holds one
    width = high - low
    scale = torch.where(width > 0, LEVELS / width, 0.0)
    step = max(1, _PIECE // size)
    for at in range(0, len(maps), step):
        piece = slice(at, at + step)
        levels = (maps[piece] - low[piece, None]).mul_(scale[piece, None])
        codes[piece] = levels.add_(0.5)
    rough = ~(width.isfinite() & ((width == 0) | (width > _NARROWEST)))
    if rough.any():
        low[rough], high[rough], codes[rough] = _quantise_with_care(maps[rough])
    return torch.stack([low, high], 1), codes


def _quantise_with_care(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Quantise maps with values that are not finite, or with ranges that float32 cannot hold."""
    wide = maps.double()
    finite = wide.isfinite()
    some = finite.any(1)
    low = torch.where(some, wide.where(finite, math.inf).amin(1), 0.0)
    high = torch.where(some, wide.where(finite, -math.inf).amax(1), 0.0)
    scale = torch.where(high > low, LEVELS / (high - low), 0.0)
    levels = (wide - low[:, None]) * scale[:, None]
    codes = levels.where(finite, 0.0).round().to(torch.uint8)
    codes[wide == -math.inf] = NEGATIVE_INFINITY
    codes[wide == math.inf] = POSITIVE_INFINITY
    codes[wide.isnan()] = NOT_A_NUMBER
    return low.float(), high.float(), codes


def _restore(codes: NDArray[np.uint8], ranges: NDArray[np.float64]) -> NDArray[np.float32]:
    low, high = ranges[:, :1], ranges[:, 1:]
    levels = np.minimum(codes, LEVELS)  # beyond them, float32 may overflow
    values: NDArray[np.float32] = (low + levels * (high - low) / LEVELS).astype(np.float32)
    values[codes == NEGATIVE_INFINITY] = -np.inf
    values[codes == POSITIVE_INFINITY] = np.inf
    values[codes == NOT_A_NUMBER] = np.nan
    return values


def _fits_half(tensor: Tensor) -> bool:
    sizes = tensor.abs()
    return not bool(((sizes > _HALF_MAX) & sizes.isfinite()).any())


def _header(encoding: Encoding, tensor: Tensor) -> bytes:
    kind, axes = _ENCODINGS.index(encoding), tensor.dim()
    return struct.pack(f"<4sBBH{axes}I", _MAGIC, kind, axes, 0, *tensor.shape)
