"""A copy's filters in the order in which convolutions on the CPU want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.parameter import is_lazy

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.shadow import Shadow

_FILTERS = 4  # [K, C, H, W]


class ChannelsLast:
    """Gives a model's copy filters of its own, channels last, that follow the model's.

    Otherwise each pass reorders them, up to a quarter of its time for one picture.

    Parameters
    ----------
    shadow
        The copy; it is changed.
    """

    def __init__(self, shadow: Shadow) -> None:
        self._pairs: list[tuple[Tensor, Tensor]] = []
        made: dict[int, nn.Parameter] = {}
        for copied, original in shadow.originals.items():
            for key, filters in original._parameters.items():  # noqa: SLF001 - with its names
                if type(filters) is not nn.Parameter or is_lazy(filters):
                    continue
                if filters.ndim == _FILTERS and id(filters) not in made:
                    last = filters.detach().clone(memory_format=torch.channels_last)
                    made[id(filters)] = nn.Parameter(last, requires_grad=False)
                    self._pairs.append((filters, last))
                if id(filters) in made:
                    copied._parameters[key] = made[id(filters)]  # noqa: SLF001
        self._versions = self._counts()

    def follow(self) -> None:
        """Take over what the model has learned since; a write through ``.data`` is not noticed."""
        if (versions := self._counts()) != self._versions:
            self._versions = versions
            for filters, last in self._pairs:
                last.copy_(filters.detach())

    def _counts(self) -> list[int]:
        return [0 if one.is_inference() else one._version for one, _ in self._pairs]  # noqa: SLF001 - autograd's own count of writes
