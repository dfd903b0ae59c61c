"""Where the ascent begins: noise, black, the data's mean, or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from cnnwidgets.errors import nearest
from cnnwidgets.images import per_channel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from torch import Tensor

    from cnnwidgets.ascent.parametrizations import Parametrization
    from cnnwidgets.network import Network

STARTS = ("noise", "zeros", "mean")


class Start:
    """The first pictures of an ascent, and what pixels are to the network.

    Parameters
    ----------
    net
        The network.
    start
        ``"noise"``, ``"zeros"`` (black), ``"mean"`` (of the data), or an image as for
        `Network.prepare`.
    size
        Height and width; None for those of an image that is preprocessed already, or else of the
        network's input.

    Attributes
    ----------
    shape
        (C, H, W) of the pictures.
    mean, std
        [C, 1, 1]: the network is given ``(pixel - mean) / std`` of pixels in [0, 1].
    """

    def __init__(self, net: Network, start: Any, size: int | Sequence[int] | None) -> None:  # noqa: ANN401 - a picture in any form
        channels, *usual = net.input_shape
        self.mean = per_channel("mean", net.mean, channels).to(net.device)
        self.std = per_channel("std", net.std, channels).to(net.device)
        self._pixels: Tensor | None = None
        chosen = _size(size)
        if isinstance(start, str) and start in STARTS:
            self.shape = (channels, *(chosen or (usual[0], usual[1])))
            if start != "noise":
                value = torch.zeros_like(self.mean) if start == "zeros" else self.mean.clamp(0, 1)
                self._pixels = value.expand(1, *self.shape)
            return
        if isinstance(start, str) and not (Path(start).suffix or Path(start).exists()):
            raise ValueError(f"start: {start!r} is no file; {nearest(start, STARTS)}")
        x = net.prepare(start).float()
        if chosen is not None and x.shape[2:] != chosen:
            x = functional.interpolate(x, chosen, mode="bilinear", antialias=True)
        self.shape = (x.shape[1], x.shape[2], x.shape[3])
        self._pixels = (x * self.std + self.mean).nan_to_num().clamp(0, 1)

    @property
    def is_noise(self) -> bool:
        """Whether it is noise."""
        return self._pixels is None

    def normalised(self, pixels: Tensor) -> Tensor:
        """Return what the network is given for pixels in [0, 1], [N, C, H, W]."""
        return (pixels - self.mean) / self.std

    def parameters(self, parametrization: Parametrization, dice: list[torch.Generator]) -> Tensor:
        """Return the parameters of the first pictures, one for each of the generators."""
        if self._pixels is None:
            shape = (1, *self.shape)
            noise = [parametrization.noise(shape, one) for one in dice]
            return torch.cat(noise).to(self.mean.device)
        return parametrization.encode(self._pixels.repeat(len(dice), 1, 1, 1))


def _size(given: int | Sequence[int] | None) -> tuple[int, int] | None:
    if given is None:
        return None
    pair = (given, given) if isinstance(given, int) else tuple(given)
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):  # noqa: PLR2004
        raise ValueError(f"size: {given!r}; give pixels, one number or (rows, columns)")
    return pair[0], pair[1]
