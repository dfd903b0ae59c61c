"""What a network says of pictures as they are kept: its answer, and the class next to it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from cnnwidgets.ascent.forward import Forward
from cnnwidgets.ascent.frame import Answers
from cnnwidgets.ascent.objectives import OUTPUT
from cnnwidgets.classes import first_output
from cnnwidgets.images import per_channel
from cnnwidgets.isolation import isolated

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.classes import Prediction
    from cnnwidgets.network import Network

Said: TypeAlias = "list[Prediction]"
"""The likeliest class and the next; empty where the network has no classes."""
_SAID = 2


class Asking:
    """Asks a network, with its weights as they are then.

    Parameters
    ----------
    net
        The network.
    classifies
        Whether it has classes at its usual size.
    """

    def __init__(self, net: Network, *, classifies: bool) -> None:
        self._net = net
        self._forward: Forward | None = None
        self.classifies = classifies

    def normalised(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Return kept pictures [N, H, W, C] as the network is given them, [N, C, H, W]."""
        pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
        mean, std = (
            per_channel(name, getattr(self._net, name), pixels.shape[1]) for name in ("mean", "std")
        )
        return ((pixels - mean) / std).to(self._net.device)

    def __call__(self, pictures: NDArray[np.uint8]) -> list[Said]:
        """Ask for kept pictures [N, H, W, C]."""
        if not self.classifies:
            return [[] for _ in pictures]
        x = self.normalised(pictures)
        try:
            if self._forward is None:
                self._forward = Forward(self._net, [OUTPUT], x[:1])
            with isolated(self._net.device, grad=False):
                logits = first_output(self._forward(x).output)
                return [self._net.classes.ranking(row[None], _SAID) for row in logits]
        except Exception:  # noqa: BLE001 - a layer may be asked at sizes the whole cannot take
            self.classifies = False
            return [[] for _ in pictures]


class Later(Answers):
    """The answer to one kept picture, once somebody asks."""

    def __init__(self, ask: Callable[[], list[Said]]) -> None:
        self._ask = ask

    @cached_property
    def predictions(self) -> list[Prediction | None]:
        """The likeliest class of the picture."""
        return [said[0] if said else None for said in self._ask()]


def told(said: Said, place: int) -> dict[str, Any] | None:
    """Return the class at a place of the ranking as the browser is told of it."""
    if len(said) <= place:
        return None
    one = said[place]
    chance = one.probability if 0 <= one.probability <= 1 else None
    return {"index": one.index, "name": one.name, "probability": chance}
