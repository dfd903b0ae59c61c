"""Convolutions made ready for many passes: equal to plain ones, and only where nobody sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent
from cnnwidgets.ascent.convolving import FrozenConvolution
from cnnwidgets.ascent.forward import Forward
from cnnwidgets.ascent.layouts import Options
from cnnwidgets.classes import first_output
from tests.architectures import ARCHITECTURES
from tests.climbing import STILL
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("channels", [(3, 8, 1), (5, 4, 1), (16, 20, 4), (12, 12, 12), (20, 16, 1)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (7, 7), (2, 4), (3, 5)])
@pytest.mark.parametrize("stride", [1, 2, 3, (2, 1)])
def test_convolutions_and_their_gradients(
    channels: tuple[int, int, int], kernel: tuple[int, int], stride: Any
) -> None:
    into, out, groups = channels
    weight = torch.randn(out, into // groups, *kernel, generator=dice())
    bias = torch.randn(out, generator=dice(1))
    for padding, dilation in ((0, 1), (1, 1), (3, 1), (1, 2)):
        x = torch.randn(2, into, 17, 14, generator=dice(2)).requires_grad_()
        given = stride, padding, dilation, groups
        options = Options.of(*given)
        frozen = FrozenConvolution(weight, bias, options)
        expected, found = functional.conv2d(x, weight, bias, *given), frozen(x)
        up = torch.randn(expected.shape, generator=dice(3))
        assert torch.allclose(expected, found, atol=1e-4)
        (right,), (mine,) = (torch.autograd.grad(y, x, up) for y in (expected, found))
        assert torch.allclose(right, mine, atol=1e-4)


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("channels_last", [False, True])
def test_without_what_the_compiler_calls(
    kernel: int,
    channels_last: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("layouts", "transposing"):
        monkeypatch.setattr(f"cnnwidgets.ascent.{module}.one_dnn", lambda _: None)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(2, 16, 9, 8, generator=dice()).to(memory_format=layout).requires_grad_()
    weight = torch.randn(4, 16, kernel, kernel, generator=dice(1))
    for stride in (1, 2):
        frozen = FrozenConvolution(weight, None, Options.of(stride, 0, 1, 1))
        expected, found = functional.conv2d(x, weight, None, stride), frozen(x)
        up = torch.randn(expected.shape, generator=dice(3))
        assert torch.allclose(expected, found, atol=1e-4)
        (right,), (mine,) = (torch.autograd.grad(y, x, up) for y in (expected, found))
        assert torch.allclose(right, mine, atol=1e-4)


def test_gradients_of_gradients() -> None:
    """A network may take gradients in its own forward, and its score follows them."""
    weight, x = torch.randn(4, 3, 3, 3, generator=dice()), torch.randn(1, 3, 8, 8, generator=dice())
    options = Options.of(2, 1, 1, 1)
    bias = torch.ones(4)
    frozen = FrozenConvolution(weight, bias, options)

    def twice(convolve: Callable[[Tensor], Tensor]) -> Tensor:
        leaf = x.clone().requires_grad_()
        energy = convolve(leaf).pow(3).sum()
        (force,) = torch.autograd.grad(energy, leaf, create_graph=True)
        return torch.autograd.grad(force.square().sum(), leaf)[0]

    expected = twice(lambda leaf: functional.conv2d(leaf, weight, bias, 2, 1))
    assert torch.allclose(twice(frozen), expected, rtol=1e-4, atol=1e-2)


class Normed(nn.Module):
    """Two convolutions with a norm, and what a test does between and after them."""

    def __init__(self, between: Callable[[Any, Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6)
        self.conv2, self.bn2 = nn.Conv2d(6, 4, 3, stride=2), nn.BatchNorm2d(4, affine=False)
        self.other, self.between = nn.BatchNorm2d(6), between

    def forward(self, x: Tensor) -> Tensor:
        maps = self.conv1(x)
        normed = self.bn1(maps) if self.between is None else self.between(self, maps)
        out: Tensor = self.bn2(self.conv2(normed.relu())).mean((2, 3))
        return out


def normed(between: Callable[[Any, Tensor], Tensor] | None = None) -> cw.Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Normed(between).train()
        for _ in range(3):  # statistics that are not those of the start
            model.bn1(2 * model.conv1(torch.randn(4, 3, 12, 12)) + 1)
            model.other(model.conv1(torch.randn(4, 3, 12, 12)) - 1)
            model.bn2(model.conv2(torch.randn(4, 6, 10, 10)))
        model.bn1.get_parameter("weight").data.uniform_(0.5, 2)
    return cw.Network(model.eval(), input_size=(3, 12, 12))


def assert_plain(net: cw.Network, objective: Any, score: Callable[[Any, Tensor], Tensor]) -> None:
    """The score and its gradient by the picture are those of plain autograd."""
    ascent = Ascent(net, objective, settings=cw.ascent.Settings(**STILL))
    for seed in range(3):
        x = torch.randn(2, 3, 12, 12, generator=dice(seed))
        with torch.enable_grad():
            found, gradient = ascent._measured(x[:1])
        leaf = x[:1].clone().requires_grad_()
        expected = score(net.model, leaf)
        (right,) = torch.autograd.grad(expected, leaf)
        assert float(found) == pytest.approx(float(expected.detach()), rel=1e-4, abs=1e-6)
        assert torch.allclose(gradient, right, rtol=1e-3, atol=1e-6)


def logit(model: Any, x: Tensor) -> Tensor:
    out: Tensor = model(x)[0, 1]
    return out


@dataclass
class Counted:
    """How often torch really norms."""

    calls: int = 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    found, batch_norm = Counted(), torch.batch_norm

    def spied(*args: Any) -> Tensor:
        found.calls += 1
        return batch_norm(*args)

    monkeypatch.setattr(torch, "batch_norm", spied)
    return found


def norms(net: cw.Network, counted: Counted) -> int:
    """Count the norms of one pass."""
    forward = Forward(net, {""}, torch.zeros(1, 3, 12, 12))
    forward(torch.zeros(1, 3, 12, 12))
    counted.calls = 0
    forward(torch.zeros(1, 3, 12, 12))
    return counted.calls


def test_norms_are_folded(counted: Counted) -> None:
    net = normed()
    with assert_untouched(net.model):
        assert norms(net, counted) == 0
    assert_plain(net, cw.Logit(1), logit)


def test_layers_around_a_norm_are_what_they_are() -> None:
    net = normed()
    assert_plain(net, "conv1:2", lambda m, x: m.conv1(x)[0, 2].mean())
    assert_plain(net, "bn1:2", lambda m, x: m.bn1(m.conv1(x))[0, 2].mean())
    both = cw.Channel("conv1", 2) + cw.Channel("bn2", 1)
    assert_plain(net, both, lambda m, x: m.conv1(x)[0, 2].mean() + logit(m, x))


def cut(model: Any, maps: Tensor) -> Tensor:
    maps[:, :1] = 0
    return model.bn1(maps)  # type: ignore[no-any-return]


READ: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "also": lambda model, maps: model.bn1(maps) + maps,
    "after": lambda model, maps: model.bn1(maps).relu() + maps.clone(),
    "overwritten": lambda model, maps: model.bn1(maps.mul_(2)),
    "cut": cut,
    "by the picture": lambda _, maps: functional.batch_norm(maps, None, None, training=True),
    "no norm": lambda model, maps: maps + model.bn1.weight[:, None, None],
    "by itself": lambda model, maps: model.bn1(maps * maps.mean()),
    "twice": lambda model, maps: model.bn1(maps) + model.other(maps),
}


@pytest.mark.parametrize("read", READ)
def test_a_norm_stays_where_something_else_reads(read: str, counted: Counted) -> None:
    net = normed(READ[read])
    assert norms(net, counted) == {"no norm": 0, "twice": 2}.get(read, 1)
    assert_plain(net, cw.Logit(1), logit)


class Forks(Normed):
    """Bright pictures are normed by other numbers than those first seen."""

    def forward(self, x: Tensor) -> Tensor:
        norm = self.other if bool(x.detach().mean() > 0) else self.bn1
        return norm(self.conv1(x)).mean((2, 3))  # type: ignore[no-any-return]


class Skips(Normed):
    """Bright pictures are not normed."""

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.conv1(x)
        return (maps if bool(x.detach().mean() > 0) else self.bn1(maps)).mean((2, 3))


@pytest.mark.parametrize("kind", [Forks, Skips])
def test_a_pass_that_goes_another_way(kind: type[Normed]) -> None:
    model = normed().model
    model.__class__ = kind
    net = cw.Network(model, input_size=(3, 12, 12))
    forward = Forward(net, {""}, torch.zeros(1, 3, 12, 12))
    for level in (-2.0, 0.0, 2.0, -2.0):
        x = torch.full((1, 3, 12, 12), level)
        assert torch.allclose(forward(x).output, model(x), atol=1e-5)


class Returns(Normed):
    """What lies before the norm is returned as well."""

    def forward(self, x: Tensor) -> Any:
        maps: Tensor = self.conv1(x)
        return {"logits": self.bn1(maps).mean((2, 3)), "maps": maps}


def test_what_is_returned_is_as_it_was() -> None:
    model = normed().model
    model.__class__ = Returns
    net = cw.Network(model, input_size=(3, 12, 12))
    forward, x = Forward(net, {""}, torch.zeros(1, 3, 12, 12)), torch.ones(1, 3, 12, 12)
    for name, expected in model(x).items():
        assert torch.allclose(forward(x).output[name], expected, atol=1e-5)


SEEN: list[Tensor] = []


def test_hooks_see_what_lies_between(counted: Counted) -> None:
    net = normed()
    net.model.get_submodule("conv1").register_forward_hook(lambda *seen: SEEN.append(seen[2]))
    assert norms(net, counted) == 2
    expected = net.model.get_submodule("conv1")(torch.zeros(1, 3, 12, 12))
    assert torch.allclose(SEEN[-2], expected, atol=1e-5)


def test_it_follows_weights_and_statistics() -> None:
    net = normed()
    forward = Forward(net, {""}, torch.zeros(1, 3, 12, 12))
    x = torch.randn(1, 3, 12, 12, generator=dice())
    changes: tuple[tuple[str, str], ...] = (
        ("conv1", "weight"),
        ("bn1", "bias"),
        ("bn1", "running_mean"),
        ("bn2", "running_var"),
    )
    for module, name in changes:
        before = forward(x).output
        with torch.no_grad():
            getattr(net.model.get_submodule(module), name).mul_(3).add_(0.5)
        assert not torch.allclose(forward(x).output, before, atol=1e-3)
        assert torch.allclose(forward(x).output, net.model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_answers_as_it_does(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = cw.Network(model.eval(), input_size=tuple(x.shape[1:]))
    forward = Forward(net, {""}, x[:1])
    pictures = torch.rand(3, *x.shape[1:], generator=dice())
    with torch.no_grad():
        found = first_output(forward(pictures).output)
        expected = first_output(net.model(pictures))
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
