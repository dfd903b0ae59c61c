"""Small networks to climb, and plain autograd to compare with."""

# mypy: disable-error-code="no-any-return"
# Calling a module returns Any.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

import cnnwidgets as cw

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = ["cat", "dog", "bird", "fish", "frog"]
STILL: dict[str, Any] = {"jitter": 0, "zoom": 0, "rotation": 0, "tv": 0}
"""Nothing between the picture and the network, and nothing but the score."""


class Climbed(nn.Module):
    """conv - ReLU - conv - ReLU in place - function of the maps [N, 5, h, w]."""

    def __init__(self, channels: int = 3, function: Callable[[Tensor], Any] | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 4, 3)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 5, 3)
        self.relu2 = nn.ReLU(inplace=True)
        self.function = function

    def forward(self, x: Tensor) -> Any:
        maps = self.relu2(self.conv2(self.relu1(self.conv1(x))))
        return maps.mean((2, 3)) if self.function is None else self.function(maps)


def climbed(
    size: int = 12,
    channels: int = 3,
    function: Callable[[Tensor], Any] | None = None,
    **kwargs: Any,
) -> cw.Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Climbed(channels, function)
    return cw.Network(model, **{"input_size": (channels, size, size), "classes": CLASSES} | kwargs)


def plain_gradient(
    model: nn.Module, x: Tensor, score: Callable[[nn.Module, Tensor], Tensor]
) -> Any:
    """Return the score of a picture [C, H, W] and the length of its gradient, by autograd alone."""
    leaf = x[None].clone().requires_grad_()
    value = score(model, leaf)
    (gradient,) = torch.autograd.grad(value, leaf)
    return float(value.detach()), float(gradient.norm())
