"""What can be turned while a picture climbs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import torch

from cnnwidgets.ascent.penalties import l2, p_norm, smoother

if TYPE_CHECKING:
    from torch import Tensor

Weight: TypeAlias = "float | Sequence[float]"
"""One number for all pictures of a batch, or one each."""


CALM = 0.5
"""How strongly the total variation pulls at a pixel by default, compared with the score."""


JITTER = 16
"""By default a picture is moved by at most this part of its shorter side."""
LARGE = 64
"""Pixels of the shorter side from which on a picture has room for more than one size of a form."""
_MOVES = {False: (0.05, 5.0), True: (0.2, 10.0)}


def usual_moves(side: int, room: float) -> tuple[float, float, float]:
    """Return jitter in pixels, zoom as a share and rotation in degrees by default.

    Parameters
    ----------
    side
        The picture's shorter one, in pixels.
    room
        Pixels by which it may be moved and the unit sees the same part; infinite where that does
        not matter.
    """
    large = side >= LARGE and math.isinf(room)
    return (min(max(1, round(side / JITTER)), room), *_MOVES[large])


@dataclass(frozen=True)
class Settings:
    """What an `Ascent` goes by, and may be given anew between two steps.

    Attributes
    ----------
    lr
        Step size at first: of a Fourier coefficient, or of a pixel in [0, 1].
    direction
        1 upwards, −1 downwards (the SadMap).
    tv, l2, p_norm
        Weights of `total_variation`, `l2` and `p_norm`, in the score's unit; one number, or one
        for each picture. None for `tv`: one that follows the unit.
    calm
        Where `tv` is None, how strongly it pulls at a pixel, compared with the score.
    scale
        What white is where black is 0, for the penalties; 255 for published weights.
    clip
        Share of the pixels, those nearest the mean, set to it after each step.
    blur_sigma
        Standard deviation in pixels of the Gaussian applied every 4 steps.
    jitter
        Most pixels that a step sees the picture moved by; None for 1/16 of its shorter side, for a
        `Neuron` at most a quarter of its layer's jump.
    zoom
        Most that it sees it larger or smaller, as a share; None for 0.05, or 0.2 from 64 pixels on.
    rotation
        Most degrees that it sees it turned; None for 5, or 10 from 64 pixels on.

    Raises
    ------
    ValueError
        If one of them makes no sense; the message names it.
    """

    lr: float = 0.05
    direction: int = 1
    tv: Weight | None = None
    calm: Weight = CALM
    l2: Weight = 0.0
    p_norm: Weight = 0.0
    scale: float = 1.0
    clip: float = 0.0
    blur_sigma: float = 0.0
    jitter: float | None = None
    zoom: float | None = None
    rotation: float | None = None

    def __post_init__(self) -> None:
        if self.direction not in {1, -1}:
            raise ValueError(f"direction: {self.direction!r}; give 1 (upwards) or -1 (downwards)")
        for name in ("lr", "scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: {getattr(self, name)!r}; give a number above 0")
        for name in ("tv", "calm", "l2", "p_norm", "blur_sigma", "jitter", "zoom", "rotation"):
            given = getattr(self, name)
            if not all(0 <= one < math.inf for one in _each(given)):
                raise ValueError(f"{name}: {given!r}; give a number from 0 on")
        if not 0 <= self.clip < 1:
            raise ValueError(f"clip: {self.clip!r}; give a share of the pixels, 0 to below 1")

    def check(self, count: int) -> None:
        """Refuse weights for another number of pictures than `count`."""
        for name in ("tv", "calm", "l2", "p_norm"):
            if len(_each(getattr(self, name))) not in {1, count}:
                raise ValueError(f"{name}: {getattr(self, name)!r} for {count} pictures; give one")

    def smoothing(self, uphill: Tensor) -> Tensor:
        """Return the weights of the total variation, [N], given or as they follow the unit.

        Parameters
        ----------
        uphill
            The gradient of the scores by the pixels, [N, C, H, W].
        """
        if self.tv is not None:
            return torch.tensor(_each(self.tv), device=uphill.device).expand(len(uphill))
        calm = torch.tensor(_each(self.calm), device=uphill.device) / self.scale**2
        return calm * uphill.flatten(1).square().mean(1).sqrt() * uphill[0].numel()

    def downhill(self, pixels: Tensor, mean: Tensor, smoothing: Tensor) -> Tensor:
        """Return the gradient of what is taken off the scores, [N, C, H, W].

        Parameters
        ----------
        pixels
            [N, C, H, W], in [0, 1].
        mean
            [C, 1, 1], of the data.
        smoothing
            Weights of the total variation, [N].
        """
        pixels = pixels.detach()
        found = (self.scale**2 * smoothing)[:, None, None, None] * smoother(pixels)
        for given, measure in ((self.l2, l2), (self.p_norm, p_norm)):
            if any(_each(given)):
                leaf = pixels.clone().requires_grad_()
                measured = measure((leaf - mean) * self.scale)
                weighed = torch.tensor(_each(given)).to(measured) * measured
                found += torch.autograd.grad(weighed.sum(), leaf)[0]
        return found


def _each(given: Weight | None) -> list[float]:
    if given is None:
        return [0.0]
    return [float(one) for one in given] if isinstance(given, Sequence) else [float(given)]


NAMES = tuple(field.name for field in fields(Settings))
