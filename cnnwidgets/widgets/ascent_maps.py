"""Small maps of a layer's channels, to choose one by: how each answers one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from cnnwidgets.ascent.parametrizations import parametrization_of
from cnnwidgets.ascent.starts import Start
from cnnwidgets.ascent.units import channels_first

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.network import Network

SIDE = 24
"""Most rows and columns."""
_LOUD = 128.0
"""Times the noise of a start: coefficients about as large as those of photographs."""
_MAPS = 4  # axes [1, C, H, W]


def maps_of(net: Network, layer: str, x: Tensor) -> NDArray[np.uint8]:
    """Return the maps [C, h, w] of a layer's channels, each from its least to its largest value.

    Of channels without rows and columns [C, 1, 1], from the least to the largest of the layer.

    Parameters
    ----------
    net
        The network.
    layer
        Name of one of its layers.
    x
        A picture [1, C, H, W] as the network is given it.
    """
    found = channels_first(net.activations(x, [layer])[layer]).float().nan_to_num()
    if found.ndim != _MAPS:
        found = found.reshape(*found.shape[:2], -1).mean(2)[..., None, None]
    height, width = found.shape[2:]
    shrink = min(1, SIDE / max(height, width))
    size = max(1, round(height * shrink)), max(1, round(width * shrink))
    (maps,) = functional.adaptive_avg_pool2d(found, size)
    over = (0, 1, 2) if maps[0].numel() == 1 else (1, 2)
    least, most = maps.amin(over, keepdim=True), maps.amax(over, keepdim=True)
    grey = (maps - least) / (most - least).clamp(min=torch.finfo(maps.dtype).tiny)
    pixels: NDArray[np.uint8] = (255 * grey).round().byte().cpu().numpy()
    return pixels


def noise_for(net: Network) -> Tensor:
    """Return a picture of noise as strong as photographs are, as the network is given it."""
    start = Start(net, "noise", None)
    held = parametrization_of("fourier", start.shape, net.device)
    quiet = start.parameters(held, [torch.Generator().manual_seed(0)])
    return start.normalised(held.decode(held.louder(quiet, _LOUD)))
