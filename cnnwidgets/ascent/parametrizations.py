"""How a picture is held while it is climbed: its pixels, or decorrelated Fourier coefficients."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from cnnwidgets.errors import nearest

EDGE = 1 / 510
"""Sigmoid reaches black and white only at infinity; half a grey level of 255 before them."""
NOISE = 0.01
LONGEST = 40
"""Pixels; longer waves weigh no more than waves of this length."""
_CALM = 4.0
"""Lucid divides by it; larger values saturate less."""
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the colours' covariance in ImageNet, by its singular values; from Lucid."""


class Parametrization(ABC):
    """A way to hold pictures [N, C, H, W], whose pixels are in [0, 1], as parameters.

    Attributes
    ----------
    gain
        How strongly each parameter changes the picture, of mean square 1; broadcasts to them.
    """

    gain: Tensor

    @abstractmethod
    def decode(self, parameters: Tensor) -> Tensor:
        """Return the pictures [N, C, H, W] that parameters stand for."""

    @abstractmethod
    def encode(self, pictures: Tensor) -> Tensor:
        """Return parameters that stand for pictures [N, C, H, W]."""

    @abstractmethod
    def noise(self, shape: tuple[int, ...], dice: torch.Generator) -> Tensor:
        """Draw the parameters of one picture [1, C, H, W] of noise around grey."""

    @abstractmethod
    def louder(self, parameters: Tensor, factor: float) -> Tensor:
        """Return parameters of noise with `factor` times the contrast."""

    def limit(self, parameters: Tensor) -> Tensor:
        """Return parameters whose pictures are in the valid range."""
        return parameters


class Pixels(Parametrization):
    """The pixels themselves, clipped to the valid range."""

    def __init__(self, device: torch.device) -> None:
        self.gain = torch.ones((), device=device)

    def decode(self, parameters: Tensor) -> Tensor:
        """Return them."""
        return parameters

    def encode(self, pictures: Tensor) -> Tensor:
        """Return them."""
        return pictures.contiguous()

    def noise(self, shape: tuple[int, ...], dice: torch.Generator) -> Tensor:
        """Draw normal white noise."""
        return 0.5 + NOISE * torch.randn(shape, generator=dice)

    def louder(self, parameters: Tensor, factor: float) -> Tensor:
        """Move them away from grey."""
        return self.limit(0.5 + factor * (parameters - 0.5))

    def limit(self, parameters: Tensor) -> Tensor:
        """Clip to [0, 1]."""
        return parameters.clamp(0, 1)


class Fourier(Parametrization):
    """Fourier coefficients of equal energy and uncorrelated colours, through a sigmoid.

    Olah, Mordvintsev & Schubert, "Feature Visualization" (Distill 2017), "preconditioning and
    parameterization": the same objective's steepest ascent in a space where natural pictures are
    white. A coefficient's weight is 1 / its frequency, but for waves longer than `LONGEST` pixels:
    Adam moves all coefficients alike, so that those few would drive whole areas to black or white.
    Colours are mixed only where there are three channels.

    Parameters
    ----------
    size
        Height and width.
    channels
        Of the pictures.
    """

    def __init__(self, size: tuple[int, int], channels: int, device: torch.device) -> None:
        self._size = size
        rows, columns = torch.fft.fftfreq(size[0])[:, None], torch.fft.rfftfreq(size[1])
        frequency = (rows.square() + columns.square()).sqrt()
        weight = (1 / frequency.clamp(min=1 / min(LONGEST, max(size)))).to(device)[..., None]
        self.gain = weight / weight.square().mean().sqrt()
        self._weight = (weight / _CALM).repeat(1, 1, 2)  # of real and imaginary parts
        self._colours = torch.eye(channels)
        if channels == len(_COLOURS):
            colours = torch.tensor(_COLOURS)
            self._colours = colours / colours.norm(dim=0).max()
        self._colours = self._colours.to(device)

    def decode(self, parameters: Tensor) -> Tensor:
        """Weigh, transform, mix the colours, squash."""
        spectrum = torch.view_as_complex(parameters * self._weight)
        plain = torch.fft.irfft2(spectrum, s=self._size, norm="ortho")
        return torch.einsum("ij,njhw->nihw", self._colours, plain).sigmoid()

    def encode(self, pictures: Tensor) -> Tensor:
        """Do the reverse."""
        mixed = pictures.clamp(EDGE, 1 - EDGE).logit()
        plain = torch.einsum("ij,njhw->nihw", torch.linalg.inv(self._colours), mixed)
        spectrum = torch.fft.rfft2(plain, norm="ortho")
        return torch.view_as_real(spectrum).div(self._weight)

    def noise(self, shape: tuple[int, ...], dice: torch.Generator) -> Tensor:
        """Draw normal coefficients: noise whose energy falls as that of natural pictures."""
        frequencies = (*shape[:2], *self._weight.shape)
        return NOISE * torch.randn(frequencies, generator=dice)

    def louder(self, parameters: Tensor, factor: float) -> Tensor:
        """Multiply the coefficients; grey has none."""
        return factor * parameters


def parametrization_of(
    name: str, shape: tuple[int, int, int], device: torch.device
) -> Parametrization:
    """Return the parametrisation of this name for pictures of `shape` (C, H, W)."""
    if name == "pixel":
        return Pixels(device)
    if name == "fourier":
        return Fourier(shape[1:], shape[0], device)
    raise ValueError(f"parametrization: {name!r}; {nearest(name, ('fourier', 'pixel'))}")
