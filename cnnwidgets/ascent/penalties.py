"""What makes a picture unnatural: penalties that are subtracted from its score.

All are means over the values of a picture, so that a weight means the same at any size, and of
pixels in [0, 1], so that it means the same whatever the network's normalisation. Published weights
refer to pixels in [0, 255]; `scale` = 255 takes them as they are. A penalty of degree d grows with
scaleᵈ: a weight of 1e-3 for the total variation (d = 2) at 255 is one of 65 at 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

ROUGHNESS = 1e-6
"""Squared difference below which neighbours count as equal, where the exponent is under 2."""


def total_variation(pictures: Tensor, beta: float = 2.0) -> Tensor:
    """Measure how much neighbouring pixels differ: the mean of (Δx² + Δy²)^(β/2).

    Mahendran & Vedaldi, "Understanding Deep Image Representations by Inverting Them" (2015),
    equation 4 (β = 2); Rudin, Osher & Fatemi (1992) for β = 1.

    Parameters
    ----------
    pictures
        [N, C, H, W].
    beta
        The exponent. Small ones allow few sharp edges, 2 none.

    Returns
    -------
    Tensor
        [N].
    """
    down, across = pictures.diff(dim=2).square(), pictures.diff(dim=3).square()
    if beta == 2:  # noqa: PLR2004
        return (down.flatten(1).sum(1) + across.flatten(1).sum(1)) / pictures[0].numel()
    squares = functional.pad(down, (0, 0, 0, 1)) + functional.pad(across, (0, 1))
    return (squares + ROUGHNESS).pow(beta / 2).flatten(1).mean(1)


def smoother(pictures: Tensor) -> Tensor:
    """Return the gradient of `total_variation` (β = 2) by the pictures, [N, C, H, W].

    In one go: by autograd it would cost an ascent as much as a small layer.
    """
    found = torch.zeros_like(pictures)
    for dim in (2, 3):
        steps, last = pictures.diff(dim=dim), pictures.shape[dim] - 1
        found.narrow(dim, 1, last).add_(steps)
        found.narrow(dim, 0, last).sub_(steps)
    return found * (2 / pictures[0].numel())


def l2(centred: Tensor) -> Tensor:
    """Measure how far pictures [N, C, H, W], the data's mean taken off, are from it: [N].

    Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks" (2014), equation 1.
    """
    return centred.square().flatten(1).mean(1)


def p_norm(centred: Tensor, p: float = 6.0) -> Tensor:
    """Measure how far the most extreme values are from the data's mean: the mean of |x|ᵖ, [N].

    Mahendran & Vedaldi (2015), section 2.1 (p = 6): it hardly minds values within the valid range.
    """
    return centred.abs().pow(p).flatten(1).mean(1)
