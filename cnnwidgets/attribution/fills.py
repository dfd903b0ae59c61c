"""What stands under a patch: a whole picture of it, of which each patch shows its part."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, TypeAlias

import torch
from PIL import ImageColor
from torch import Tensor

from cnnwidgets.attribution.incremental.tape import LARGEST, tame
from cnnwidgets.errors import nearest
from cnnwidgets.images import per_channel

if TYPE_CHECKING:
    from cnnwidgets.network import Network

Color: TypeAlias = tuple[int, int, int]
Fill: TypeAlias = str | float | Color | Tensor
"""What may be given as `fill`."""

NAMES = ("mean", "blur", "noise")
_BLUR = 10.0  # the standard deviation is the picture's shorter side over this
_BYTE = 255
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
        every channel, after normalisation, as Captum's `baselines`; not a grey level of 0 to 255.
        A colour: a CSS name or
        ``"#rrggbb"``, or (red, green, blue) of 0 to 255. A tensor [C, H, W] or [1, C, H, W],
        normalised, or [C, 1, 1].
    seed
        Of the noise.

    Raises
    ------
    ValueError
        If it is none of these, or is NaN, infinite or huge.

    Warns
    -----
    UserWarning
        If a number is no pixel that the network can meet: outside what [0, 1] becomes by its
        normalisation, and outside the picture.
    """
    if isinstance(fill, Tensor):
        return _given(fill, x)
    if isinstance(fill, (int, float)) and not isinstance(fill, bool):
        _require_tame(torch.tensor(float(fill)))
        _doubt(net, x, float(fill))
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
    _require_tame(fill)
    try:
        return fill.detach().to(x).expand_as(x)
    except RuntimeError:
        raise ValueError(
            f"fill: a tensor {list(fill.shape)}; give {list(x.shape[1:])} or one value per "
            f"channel, [{x.shape[1]}, 1, 1]"
        ) from None


def _require_tame(fill: Tensor) -> None:
    if not tame(fill):
        raise ValueError(
            f"fill: it is NaN, infinite or beyond ±{LARGEST:g} somewhere; give finite numbers"
        )


def _doubt(net: Network, x: Tensor, value: float) -> None:
    """Warn of a number that no pixel has."""
    mean, std = (
        per_channel(name, given, x.shape[1])
        for name, given in (("mean", net.mean), ("std", net.std))
    )
    known = x[x.isfinite()].cpu().float()
    pixels = torch.cat([(-mean / std).flatten(), ((1 - mean) / std).flatten(), known])
    low, high = float(pixels.min()), float(pixels.max())
    if low <= value <= high:
        return
    grey = f"; for grey {value:g} of 255 give '#{3 * f'{int(value):02x}'}'"
    warnings.warn(
        f"a fill of {value:g}: a number is a value after normalisation, where pixels are "
        f"{low:.3g} to {high:.3g}"
        f"{grey if 0 <= value <= _BYTE else '; a colour may be given by name'}",
        stacklevel=3,
    )


def _colored(net: Network, x: Tensor, fill: Fill) -> Tensor:
    pixel = torch.tensor([[bytes_of(fill)]], dtype=torch.uint8)
    found = net.prepare(pixel.expand(*x.shape[2:], 3).contiguous())
    # What the network makes of a colour may have another size than this picture.
    row, column = (length // 2 for length in found.shape[2:])
    return found[..., row : row + 1, column : column + 1].to(x).expand_as(x)


def bytes_of(fill: object) -> Color:
    """Return (red, green, blue) of 0 to 255 of a colour that was given as `filled` takes it."""
    if isinstance(fill, str):
        try:
            red, green, blue, *_ = ImageColor.getrgb(fill)
        except ValueError:
            hint = nearest(fill, NAMES)
            raise ValueError(
                f"fill: {fill!r}; {hint}, or give a number, a colour or a tensor"
            ) from None
        return red, green, blue
    if isinstance(fill, tuple | list) and len(fill) == 3:  # noqa: PLR2004 - red, green, blue
        red, green, blue = fill
        if all(type(part) is int and 0 <= part <= _BYTE for part in fill):
            return red, green, blue
    hint = "(red, green, blue), each a whole number to 255"
    raise ValueError(f"fill: {fill!r}; give {hint}, a name or a number")


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
