"""What stands under a patch: a whole picture of it, of which each patch shows its part."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

import torch
from PIL import ImageColor
from torch import Tensor

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from cnnwidgets.network import Network

Color: TypeAlias = tuple[int, int, int]
Fill: TypeAlias = str | float | Color | Tensor
"""What may be given as `fill`."""

NAMES = ("mean", "blur", "noise")
_BLUR = 10.0  # the standard deviation is the picture's shorter side over this
_RANGES = 3  # standard deviations on either side that a Gaussian is cut off at


def filled(net: Network, x: Tensor, fill: Fill, *, seed: int = 0) -> Tensor:
    """Return what patches show, [1, C, H, W], normalised as the picture `x` [1, C, H, W] is.

    Parameters
    ----------
    net
        The network, whose normalisation colours go through.
    x
        The prepared picture.
    fill
        ``"mean"``: the picture's mean colour. ``"blur"``: the picture, blurred. ``"noise"``: normal
        noise of the picture's mean and deviation per channel. A number: that value in
        every channel, after normalisation, as Captum's `baselines`. A colour: a CSS name or
        ``"#rrggbb"``, or (red, green, blue) of 0 to 255. A tensor [C, H, W] or [1, C, H, W],
        normalised, or [C, 1, 1].
    seed
        Of the noise.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(fill, Tensor):
        return _given(fill, x)
    if isinstance(fill, (int, float)) and not isinstance(fill, bool):
        return torch.full_like(x, float(fill))
    if fill == "mean":
        return x.mean((2, 3), keepdim=True).expand_as(x)
    if fill == "blur":
        return _blurred(x, min(x.shape[2:]) / _BLUR)
    if fill == "noise":
        dice = torch.Generator().manual_seed(seed)
        deviation, mean = torch.std_mean(x, (2, 3), keepdim=True)
        return torch.randn(x.shape, generator=dice).to(x) * deviation + mean
    return _colored(net, x, fill)


def _given(fill: Tensor, x: Tensor) -> Tensor:
    try:
        return fill.detach().to(x).expand_as(x)
    except RuntimeError:
        raise ValueError(
            f"fill: a tensor {list(fill.shape)}; give {list(x.shape[1:])} or one value per "
            f"channel, [{x.shape[1]}, 1, 1]"
        ) from None


def _colored(net: Network, x: Tensor, fill: Fill) -> Tensor:
    try:
        red, green, blue = (
            ImageColor.getrgb(fill)[:3] if isinstance(fill, str) else cast("Color", fill)
        )
    except (ValueError, TypeError):
        hint = nearest(str(fill), NAMES)
        raise ValueError(
            f"fill: {fill!r}; {hint}, or give a number, a colour or a tensor"
        ) from None
    pixel = torch.tensor([[[red, green, blue]]], dtype=torch.uint8)
    return net.prepare(pixel.expand(*x.shape[2:], 3).contiguous()).to(x)


def _blurred(x: Tensor, sigma: float) -> Tensor:
    """Convolve with a Gaussian, the border mirrored."""
    reach = min(int(_RANGES * sigma + 0.5), min(x.shape[2:]) - 1)
    at = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    for axes in (kernel, kernel.transpose(2, 3)):
        pads = (reach, reach, 0, 0) if axes.shape[3] > 1 else (0, 0, reach, reach)
        wide = torch.nn.functional.pad(x, pads, mode="reflect")
        x = torch.nn.functional.conv2d(wide, axes, groups=x.shape[1])
    return x
