"""How far an attribution that is summed up of many passes has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Progress(NamedTuple):
    """An attribution on its way.

    Attributes
    ----------
    attribution
        [C, H, W], what the passes so far say.
    done, total
        Passes so far, and passes in all.
    """

    attribution: Tensor
    done: int
    total: int


def spread(count: int) -> list[int]:
    """Order the whole numbers below `count` so that any first few lie all over the range.

    By van der Corput's sequence: their bits, reversed.
    """
    return sorted(range(count), key=_reversed_bits)


def _reversed_bits(index: int) -> float:
    return float(int(f"{index:b}"[::-1], 2) / (1 << index.bit_length()))
