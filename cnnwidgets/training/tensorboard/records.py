"""TFRecord files: records of bytes, each with its length and checksums.

A record is its length (uint64), the masked CRC-32C of that, the bytes, and the masked CRC-32C of
those, all little-endian. See TensorFlow, ``tsl/lib/io/record_writer.h``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD, _CHECK = struct.Struct("<QI"), struct.Struct("<I")
_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_LONGEST = 1 << 30


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()


def masked_crc(data: bytes) -> int:
    """Return the CRC-32C of some bytes as TFRecord files have it."""
    value, table = 0xFFFFFFFF, _TABLE
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + _MASK_DELTA) & 0xFFFFFFFF


def read(file: BinaryIO) -> Iterator[bytes]:
    """Yield the records up to the end, or to where the file is torn or damaged.

    The checksum of a length is compared, that of the bytes is not: in Python it would take longer
    than everything else.
    """
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        length, check = _HEAD.unpack(head)
        if length > _LONGEST or check != masked_crc(head[:8]):
            return
        record = file.read(length + _CHECK.size)
        if len(record) < length + _CHECK.size:
            return
        yield record[:length]


def write(file: BinaryIO, record: bytes) -> None:
    """Append one record."""
    length = struct.pack("<Q", len(record))
    file.write(length + _CHECK.pack(masked_crc(length)))
    file.write(record + _CHECK.pack(masked_crc(record)))
