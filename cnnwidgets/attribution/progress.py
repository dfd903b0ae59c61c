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
