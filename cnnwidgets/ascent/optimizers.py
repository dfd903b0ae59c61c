"""Steps uphill. Not `torch.optim`: its hooks are there for the user's own training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from torch import Tensor

_TINY = 1e-8
EASING = range(128, 256)
"""Steps over which the rate falls."""
LEAST = 0.2
"""Share of the rate that it falls to: large steps find a form, small ones its detail."""


def eased(step: int) -> float:
    """Return the share of the rate that a step is taken with: 1, then by a cosine to `LEAST`.

    Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5,
    without restarts. It does not depend on how many steps are asked for, so that fewer show the
    same pictures.

    Parameters
    ----------
    step
        Steps taken before.
    """
    way = min(max(step - EASING.start, 0) / len(EASING), 1)
    return LEAST + (1 - LEAST) * (1 + math.cos(math.pi * way)) / 2


class Optimizer(ABC):
    """Turns gradients [N, …] of pictures into steps, for a rate of 1."""

    @abstractmethod
    def step(self, gradient: Tensor) -> Tensor:
        """Return what to add to the parameters."""


class Adam(Optimizer):
    """Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), with its β and ε."""

    def __init__(self, like: Tensor, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self._betas = betas
        self._steps = 0
        self._mean, self._square = torch.zeros_like(like), torch.zeros_like(like)

    def step(self, gradient: Tensor) -> Tensor:
        """Divide the mean gradient by the root of the mean square."""
        first, second = self._betas
        self._steps += 1
        self._mean.lerp_(gradient, 1 - first)
        self._square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        mean = self._mean / (1 - first**self._steps)
        square = self._square / (1 - second**self._steps)
        return mean.div_(square.sqrt_().add_(_TINY))


class NormalisedSGD(Optimizer):
    """The gradient divided by its root mean square, picture by picture.

    Mordvintsev, Olah & Tyka, "Inceptionism" (2015): the rate means the same for every unit. Squares
    are weighed by how strongly a parameter changes the picture, so that the picture changes by as
    much as where each parameter changes by the rate, as with Adam.

    Parameters
    ----------
    gain
        Root of these weights, of mean square 1; broadcasts to the gradient.
    """

    def __init__(self, gain: Tensor) -> None:
        self._gain = gain

    def step(self, gradient: Tensor) -> Tensor:
        """Divide it."""
        size = (gradient * self._gain).flatten(1).square().mean(1).sqrt()
        return gradient / (size + torch.finfo(size.dtype).tiny).view(-1, *[1] * (gradient.ndim - 1))


def optimizer_of(name: str, parameters: Tensor, gain: Tensor) -> Optimizer:
    """Return the optimizer of this name, ``"adam"`` or ``"sgd"``."""
    if name == "adam":
        return Adam(parameters)
    if name == "sgd":
        return NormalisedSGD(gain)
    raise ValueError(f"optimizer: {name!r}; {nearest(name, ('adam', 'sgd'))}")
