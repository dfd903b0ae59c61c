"""Small random networks that call their ReLU in any way, and what Captum says of them."""

# mypy: disable-error-code="no-any-return"
# Calling a module returns Any.
from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any

import torch
from captum import attr
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.classes import scores

if TYPE_CHECKING:
    from collections.abc import Callable

RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x, inplace=True),
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "Tensor.relu": Tensor.relu,
    "clamp": lambda x: x.clamp(min=0),
    "clamp_min_": lambda x: x.clamp_min_(0),
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
    "hardtanh": lambda x: F.hardtanh(x, 0.0, 1e9),
    "forgets its result": lambda x: F.relu_(x) is x and x,  # type: ignore[dict-item,return-value]
}
KINDS = ("module", "in place", "one for all", *RELUS)


class Explained(nn.Module):
    """conv - norm - ReLU - (pool) - conv - ReLU (+ shortcut) - ReLU - mean or dense."""

    def __init__(
        self,
        relu: str,
        channels: int = 3,
        width: int = 4,
        *,
        norm: bool,
        shortcut: bool,
        dense: bool,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.norm: nn.Module = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.head = nn.Linear(width * 16 if dense else width, 5)
        self.shortcut = shortcut
        self.dense = dense
        self.relu = relu
        made = [nn.ReLU(inplace=relu == "in place") for _ in range(3)]
        self.relus = nn.ModuleList(made[:1] * 3 if relu == "one for all" else made)

    def rectify(self, x: Tensor, index: int) -> Tensor:
        if self.relu in RELUS:
            return RELUS[self.relu](x)
        return self.relus[index](x)

    def forward(self, x: Tensor) -> Tensor:
        x = self.rectify(self.norm(self.conv1(x)), 0)
        y = self.conv2(F.max_pool2d(x, 2))
        y = self.rectify(y, 1)
        if self.shortcut:
            y = self.rectify(y * 0.5 - F.avg_pool2d(x, 2), 2)
        y = F.adaptive_avg_pool2d(y, 4 if self.dense else 1)
        return self.head(y.flatten(1))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Explained, Tensor]:
    """A network in double precision, in training mode, and a picture for it."""
    seed = draw(st.integers(0, 1000))
    channels = draw(st.sampled_from([1, 3, 5]))
    flags = {name: draw(st.booleans()) for name in ("norm", "shortcut", "dense")}
    relu = draw(st.sampled_from(KINDS))
    height, width = draw(st.integers(8, 15)), draw(st.integers(8, 15))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Explained(relu, channels, draw(st.integers(1, 5)), **flags).double()
        if flags["norm"]:
            model(torch.randn(4, channels, height, width, dtype=torch.float64))
        return model, torch.randn(1, channels, height, width, dtype=torch.float64)


def with_modules(model: Explained) -> Explained:
    """The same network, each ReLU a module of its own, out of place: as Captum wants it."""
    twin = copy.deepcopy(model)
    twin.relu = "module"
    twin.relus = nn.ModuleList(nn.ReLU() for _ in range(3))
    return twin.eval()


class Scored(nn.Module):
    """Any network as one that returns scores [N, K], in evaluation mode."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).eval()

    def forward(self, x: Tensor) -> Tensor:
        return scores(self.model(x.clone()))


def captum(method: str, model: nn.Module, x: Tensor, *more: Any, **kwargs: Any) -> Tensor:
    """What a class of Captum's returns, [C, H, W]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = getattr(attr, method)(model, *more).attribute(x.clone(), **kwargs)
    return found[0].detach()


def assert_same(found: Tensor, expected: Tensor, within: float = 1e-5) -> None:
    """Equal relative to the largest value."""
    assert found.shape == expected.shape
    largest = max(float(expected.abs().max()), 1e-30)
    gap = float((found.double() - expected.double()).abs().max()) / largest
    assert gap < within, gap
