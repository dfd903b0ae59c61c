"""Regularisers that change a picture between steps: blurring it, clipping what is small.

Yosinski et al., "Understanding Neural Networks Through Deep Visualization" (2015), section 4.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

BLUR_EVERY = 4
"""Steps between two blurs, as in the paper."""


def blurred(pictures: Tensor, sigma: float) -> Tensor:
    """Smooth pictures [N, C, H, W] with a Gaussian of standard deviation `sigma` pixels."""
    reach = math.ceil(3 * sigma)
    offsets = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-offsets.square() / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    rows = pictures.flatten(0, 1)[:, None]
    rows = functional.pad(rows, (reach,) * 4, mode="replicate")
    rows = functional.conv2d(rows, kernel.view(1, 1, -1, 1))
    return functional.conv2d(rows, kernel.view(1, 1, 1, -1)).view_as(pictures)


def clipped(pictures: Tensor, mean: Tensor, share: float) -> Tensor:
    """Set the `share` of the pixels that differ least from the mean [C, 1, 1] to it."""
    norms = (pictures - mean).norm(dim=1, keepdim=True)
    bound = norms.flatten(1).quantile(share, dim=1)[:, None, None, None]
    return torch.where(norms < bound, mean, pictures)
