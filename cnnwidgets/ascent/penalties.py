"""What makes a picture unnatural: penalties that are subtracted from its score.

All are means over the values of a picture, so that a weight means the same at any size, and of
pixels in [0, 1], so that it means the same whatever the network's normalisation. Published weights
refer to pixels in [0, 255]; `scale` = 255 takes them as they are. A penalty of degree d grows with
scaleᵈ: a weight of 1e-3 for the total variation (d = 2) at 255 is one of 65 at 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from typing import Any

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
    if beta == 2:  # noqa: PLR2004
        steps: Tensor = _Steps.apply(pictures)  # type: ignore[no-untyped-call]
        return steps / pictures[0].numel()
    down, across = pictures.diff(dim=2).square(), pictures.diff(dim=3).square()
    squares = functional.pad(down, (0, 0, 0, 1)) + functional.pad(across, (0, 1))
    return (squares + ROUGHNESS).pow(beta / 2).flatten(1).mean(1)


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


class _Steps(torch.autograd.Function):
    """Sum of the squared differences between neighbours, [N, C, H, W] → [N].

    Its gradient in one go: taking it apart would cost an ascent as much as a small layer.
    """

    @staticmethod
    def forward(ctx: Any, pictures: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(pictures)
        down, across = pictures.diff(dim=2), pictures.diff(dim=3)
        return down.square().flatten(1).sum(1) + across.square().flatten(1).sum(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # noqa: ANN401
        (pictures,) = ctx.saved_tensors
        pull = torch.zeros_like(pictures)
        for dim in (2, 3):
            steps, last = pictures.diff(dim=dim), pictures.shape[dim] - 1
            pull.narrow(dim, 1, last).add_(steps)
            pull.narrow(dim, 0, last).sub_(steps)
        return 2 * gradient[:, None, None, None] * pull
