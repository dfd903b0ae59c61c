"""Protocol buffers, as much of them as event files need: fields of a message, there and back.

See protobuf.dev, "Encoding".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Fields: TypeAlias = "dict[int, list[int | bytes]]"
"""Number of the field → its values: an integer, or bytes (8 or 4 of them for a number that is of
fixed size)."""

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_MOST = 70  # bits of a varint, and some


def fields(message: bytes) -> Fields:
    """Take a message apart.

    Raises
    ------
    ValueError
        If it is none.
    """
    found: Fields = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value: int | bytes
            value, at = _varint(message, at)
        else:
            length = {_EIGHT: 8, _FOUR: 4}.get(kind, 0)
            if kind == _BYTES:
                length, at = _varint(message, at)
            elif not length:
                raise ValueError(f"a field of unknown wire type {kind}")
            value = message[at : at + length]
            if len(value) < length:
                raise ValueError("the message ends within a field")
            at += length
        found.setdefault(key >> 3, []).append(value)
    return found


def number(values: list[int | bytes] | None, default: float = 0.0) -> float:
    """Return the last value of a float or double field."""
    if not values:
        return default
    value = values[-1]
    if isinstance(value, int) or len(value) not in {4, 8}:
        raise ValueError("a number of another type")
    found: float = struct.unpack("<d" if len(value) == 8 else "<f", value)[0]  # noqa: PLR2004 - bytes of a double
    return found


def integer(values: list[int | bytes] | None) -> int:
    """Return the last value of an integer field that is not negative; 0 if there is none."""
    value = values[-1] if values else 0
    if isinstance(value, bytes) or value >= 1 << 53:  # which a float can still tell
        raise ValueError("a number of another type")
    return value


def numbers(values: list[int | bytes] | None, dtype: str = "<f8") -> NDArray[np.float64]:
    """Return a repeated number, packed or not."""
    packed = b"".join(value for value in values or () if isinstance(value, bytes))
    return np.frombuffer(packed, dtype).astype(np.float64)


def text(values: list[int | bytes] | None) -> str:
    """Return the last value of a string field."""
    return raw(values).decode("utf-8", "replace")


def raw(values: list[int | bytes] | None) -> bytes:
    """Return the last value of a bytes field."""
    value = values[-1] if values else b""
    return value if isinstance(value, bytes) else b""


def varint(number_: int, value: int) -> bytes:
    """Encode an integer field."""
    return _encoded(number_ << 3 | _VARINT) + _encoded(value & (1 << 64) - 1)


def double(number_: int, value: float) -> bytes:
    """Encode a double field."""
    return _encoded(number_ << 3 | _EIGHT) + struct.pack("<d", value)


def single(number_: int, value: float) -> bytes:
    """Encode a float field."""
    return _encoded(number_ << 3 | _FOUR) + bytes(np.float32(value).tobytes())


def chunk(number_: int, value: bytes | str | Iterable[float]) -> bytes:
    """Encode a message, string, bytes, or packed doubles."""
    if isinstance(value, str):
        value = value.encode()
    elif not isinstance(value, bytes):
        value = bytes(np.asarray(value, "<f8").tobytes())
    return _encoded(number_ << 3 | _BYTES) + _encoded(len(value)) + value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < _MOST:
        if at >= len(message):
            raise ValueError("the message ends within a number")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - its last byte
            return value, at
    raise ValueError("a number without an end")


def _encoded(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - more bytes follow
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
