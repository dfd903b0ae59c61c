"""Ways in which models convolve that a module's attributes do not tell."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name
from torch.nn.utils import parametrizations

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network


class Standardised(nn.Conv2d):
    """Weight standardisation (Qiao et al., arXiv:1903.10520)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, standardised(self.weight), self.bias, self.stride, self.padding)


class StandardisedInside(nn.Conv2d):
    """Keeps torch's forward and changes the weights one call further in."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
        return super()._conv_forward(x, standardised(weight), bias)


def standardised(weight: Tensor) -> Tensor:
    return (weight - weight.mean((1, 2, 3), keepdim=True)) / weight.std((1, 2, 3), keepdim=True)


class PadsItself(nn.Conv2d):
    """Says ``padding=1``, and pads more on one side."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (0, 1, 0, 2)), self.weight, self.bias)


class Forward(nn.Module):
    """A stem, a convolution, and a forward that is given."""

    def __init__(self, forward: Callable[[Forward, Tensor], Any], inputs: int = 4) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.conv = nn.Conv2d(inputs, 6, 3, padding=1)
        self.weight = nn.Parameter(torch.randn(6, 2, 3, 2))
        self.made = forward

    def forward(self, x: Tensor) -> Any:
        return self.made(self, self.stem(x))


def replaced_forward() -> nn.Module:
    """A method put on one module, as accelerate and peft do."""
    conv = nn.Conv2d(3, 4, 3)
    doubled = lambda self, x: F.conv2d(x, 2 * self.weight, self.bias)  # noqa: E731
    conv.forward = types.MethodType(doubled, conv)  # type: ignore[method-assign]
    return nn.Sequential(conv)


def hooked(**hooks: Callable[..., Any]) -> nn.Module:
    conv = nn.Conv2d(3, 4, 3)
    for kind, hook in hooks.items():
        getattr(conv, f"register_forward_{kind}")(hook)
    return nn.Sequential(nn.Identity(), conv)


def autocast(self: Forward, x: Tensor) -> Any:
    with torch.autocast("cpu", torch.bfloat16):
        return self.conv(x)


def strings(self: Forward, x: Tensor) -> Tensor:
    return torch.conv2d(x, self.weight, None, 1, "same", 2, 2)


def overload(self: Forward, x: Tensor) -> Any:
    return torch.ops.aten.conv2d.default(x, self.weight, None, [2, 1], [1], [1], 2)


def keywords(self: Forward, x: Tensor) -> Tensor:
    return F.conv2d(weight=self.weight, input=x, groups=2, stride=(1, 2), padding=1)


def transposed(self: Forward, x: Tensor) -> Tensor:
    return F.conv_transpose2d(x, self.weight[:4], None, 2, 1, 1, 2)


CASES: dict[str, Callable[[], nn.Module]] = {
    "second part of a chunk": lambda: Forward(lambda m, y: m.conv(y.chunk(2, 1)[1]), 2),
    "second part of a split": lambda: Forward(lambda m, y: m.conv(torch.split(y, [1, 3], 1)[1]), 3),
    "unbound": lambda: Forward(lambda m, y: m.conv(torch.stack([y, -y]).unbind()[1])),
    "written to before": lambda: Forward(lambda m, y: m.conv(y.relu_())),
    "a view written to": lambda: Forward(lambda m, y: (y[:, :2].zero_(), m.conv(y))[1]),
    "standardised": lambda: nn.Sequential(Standardised(3, 4, 3, padding=1)),
    "standardised inside": lambda: nn.Sequential(StandardisedInside(3, 4, 3, padding=1)),
    "pads itself": lambda: nn.Sequential(PadsItself(3, 4, 3, padding=1)),
    "replaced forward": replaced_forward,
    "reflect": lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=2, padding_mode="reflect")),
    "reflect, hooked": lambda: nn.Sequential(
        hooked(pre_hook=lambda _m, x: (3 * x[0],)),
        nn.Conv2d(4, 4, 3, padding="same", padding_mode="circular"),
    ),
    "pre-hook": lambda: hooked(pre_hook=lambda _m, x: (x[0] * 3,)),
    "a hook that convolves": lambda: hooked(
        hook=lambda _m, _x, y: 0 * F.conv2d(y, torch.ones(4, 4, 1, 1))
    ),
    "weight norm of old": lambda: nn.Sequential(nn.utils.weight_norm(nn.Conv2d(3, 4, 3))),
    "weight norm": lambda: nn.Sequential(parametrizations.weight_norm(nn.Conv2d(3, 4, 3))),
    "spectral norm": lambda: nn.Sequential(parametrizations.spectral_norm(nn.Conv2d(3, 4, 3))),
    "lazy": lambda: nn.Sequential(nn.LazyConv2d(4, 3, padding=1)),
    "autocast": lambda: Forward(autocast),
    "same, dilated, groups": lambda: Forward(strings),
    "torch.ops": lambda: Forward(overload),
    "keywords": lambda: Forward(keywords),
    "transposed": lambda: Forward(transposed),
    "made in the forward": lambda: Forward(
        lambda m, y: F.conv2d(y, m.conv.weight * y.mean().sigmoid(), padding=1)
    ),
    "several images": lambda: Forward(lambda m, y: m.conv(torch.cat([y, y.flip(3)]))),
}


def last_convolution(net: Network) -> Layer:
    return [layer for layer in net.layers if layer.filters is not None][-1]
