"""The same pictures through the network as it is at one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cnnwidgets.capture import capture
from cnnwidgets.classes import first_output, scores

if TYPE_CHECKING:
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

_SHOWABLE = (1, 3)  # channels


@dataclass(frozen=True)
class Probed:
    """What the network made of the probe pictures.

    Attributes
    ----------
    activations
        Layer name → its output [N, …], float16 on the CPU.
    gradients
        Layer name → ∂score/∂activation of the same shape, the score being the logit of the class
        predicted for each picture.
    output
        Logits [N, K], float32.
    """

    activations: dict[str, Tensor]
    gradients: dict[str, Tensor]
    output: Tensor

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        maps = [*self.activations.values(), *self.gradients.values(), self.output]
        return sum(tensor.nbytes for tensor in maps)


class Probe:
    """Pictures to show the network again and again.

    Parameters
    ----------
    net
        The network. It is never changed: passes run on a copy, in evaluation mode.
    pictures
        A prepared batch [N, C, H, W], or one image.

    Attributes
    ----------
    batch
        The prepared batch.
    pictures
        uint8 [N, H, W, 1 or 3], the preprocessing undone; the mean of other numbers of channels.
    classes
        Names of the classes by index; empty if they have none.
    """

    def __init__(self, net: Network, pictures: Picture) -> None:
        self._net = net
        self.batch = net.batch(pictures).cpu()
        self.classes = list(net.classes)
        pixels = net.restore(self.batch)
        shown = pixels.shape[-1] in _SHOWABLE
        self.pictures = pixels if shown else pixels.mean(-1, keepdims=True).astype(np.uint8)

    def look(self) -> Probed:
        """Run the pictures through the network as it is now."""
        batch = self._net.batch(self.batch)
        seen = capture(self._net, batch, gradients=True, score=_predicted)
        return Probed(
            {name: _small(tensor) for name, tensor in seen.activations.items()},
            {name: _small(tensor) for name, tensor in seen.gradients.items()},
            scores(first_output(seen.output)).detach().float().cpu(),
        )


def _predicted(output: Any) -> Tensor:  # noqa: ANN401 - what the user's model returns
    return scores(output).amax(1)


def _small(tensor: Tensor) -> Tensor:
    """Copy to the CPU in half precision, which is what shows on a screen."""
    return tensor.detach().to(
        "cpu", torch.float16 if tensor.is_floating_point() else None, copy=True
    )
