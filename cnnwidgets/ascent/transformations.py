"""Transformation robustness: each step sees the picture moved, zoomed and turned a little.

Mordvintsev, Olah & Tyka, "Inceptionism" (2015), jitter; Olah, Mordvintsev & Schubert, "Feature
Visualization" (Distill 2017), "transformation robustness".
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional


def drawn(
    size: tuple[int, int], dice: torch.Generator, *, jitter: float, zoom: float, rotation: float
) -> Tensor:
    """Draw one affine map [2, 3], as `torch.nn.functional.affine_grid` takes it.

    Parameters
    ----------
    size
        Height and width.
    dice
        Four numbers are drawn from it, whatever is asked for.
    jitter
        Most pixels along each axis; whole ones, unless the picture is zoomed or turned as well.
    zoom
        By up to this share larger or smaller.
    rotation
        Most degrees to either side.
    """
    down, across, log, turn = (2 * torch.rand(4, generator=dice) - 1).tolist()
    down, across = jitter * down, jitter * across
    if not zoom and not rotation:
        down, across = round(down), round(across)
    factor = (1 + zoom) ** log
    angle = math.radians(rotation * turn)
    cosine, sine = factor * math.cos(angle), factor * math.sin(angle)
    height, width = size
    return torch.tensor(
        [
            [cosine, -sine * height / width, 2 * across / width],
            [sine * width / height, cosine, 2 * down / height],
        ]
    )


def transformed(pictures: Tensor, maps: Tensor) -> Tensor:
    """Move pictures [N, C, H, W] by affine maps [N, 2, 3]; the outside is mirrored."""
    seen = _grid(maps.to(pictures), pictures.shape[2], pictures.shape[3])
    return functional.grid_sample(
        pictures, seen, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _grid(maps: Tensor, height: int, width: int) -> Tensor:
    """Return where each pixel looks, [N, H, W, 2]: `affine_grid` without its slow product."""
    across, down = _middles(width).to(maps), _middles(height).to(maps)
    by_column = maps[:, None, :, 0] * across[:, None]
    by_row = maps[:, None, :, 1] * down[:, None] + maps[:, None, :, 2]
    return by_row[:, :, None] + by_column[:, None]


@lru_cache(8)
def _middles(count: int) -> Tensor:
    """Return the middles of so many pixels, whose outer edges are at −1 and 1."""
    return torch.linspace(1 - count, count - 1, count) / count
