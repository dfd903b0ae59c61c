"""Padding before a convolution and a ReLU after it: done by it, and only where nobody sees it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent
from cnnwidgets.ascent.forward import Forward
from tests.climbing import STILL
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNELS, SIZE = 4, (11, 14)
NAMES = {(torch._C._nn, "pad"), (torch._C._nn, "hardtanh"), (torch._C._nn, "hardtanh_")} | {
    (torch, "relu"),
    (torch, "relu_"),
}


def picture(seed: int = 0, count: int = 2) -> Tensor:
    dice = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(count, CHANNELS, *SIZE, generator=dice)


class Joins(nn.Module):
    """One convolution, what lies before it, and what is done with it."""

    def __init__(
        self, pad: nn.Module, conv: nn.Module, use: Callable[[Joins, Tensor], Any] | None = None
    ) -> None:
        super().__init__()
        self.pad, self.conv, self.relu = pad, conv, nn.ReLU()
        self.other = nn.Conv2d(CHANNELS, 6, 3)
        self.use = use

    def forward(self, x: Tensor) -> Any:
        x = 2 * x
        return self.conv(self.pad(x)) if self.use is None else self.use(self, x)


def joined(*parts: Any) -> cw.Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Joins(*parts)
        for one in model.modules():
            if isinstance(one, nn.Conv2d):
                one.reset_parameters()
    return cw.Network(model.eval(), input_size=(CHANNELS, *SIZE))


def assert_plain(net: cw.Network) -> Forward:
    """Outputs and gradients by the picture are those of plain autograd, in every pass."""
    with assert_untouched(net.model):
        forward = Forward(net, {""}, picture(count=1))
        for seed in (1, 2):
            x = picture(seed).requires_grad_()
            found, expected = forward(x).output, net.model(x)
            up = torch.randn(expected.shape, generator=torch.Generator().manual_seed(3))
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
            (mine,), (right,) = (torch.autograd.grad(y, x, up) for y in (found, expected))
            torch.testing.assert_close(mine, right, rtol=1e-4, atol=1e-5)
    return forward


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what torch really does apart."""
    found: Counter[str] = Counter()

    def spied(name: str, function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Tensor:
            found[name.rstrip("_")] += 1
            return function(*args, **kwargs)  # type: ignore[no-any-return]

        return call

    for owner, name in NAMES:
        monkeypatch.setattr(owner, name, spied(name, getattr(owner, name)))
    return found


def once(forward: Forward, calls: Counter[str]) -> dict[str, int]:
    """Count the calls of one pass."""
    calls.clear()
    forward(picture())
    return dict(calls)


def depthwise(size: int, **how: Any) -> nn.Conv2d:
    return nn.Conv2d(CHANNELS, 2 * CHANNELS, size, groups=CHANNELS, **how)


PADS: dict[str, tuple[nn.Module, nn.Conv2d, bool]] = {
    "alike": (nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3), True),
    "alike along an axis": (nn.ZeroPad2d((2, 2, 1, 1)), nn.Conv2d(4, 6, 3, stride=2), True),
    "more than the filter sees": (nn.ZeroPad2d(3), nn.Conv2d(4, 6, 3), True),
    "and own padding": (nn.ZeroPad2d(1), nn.Conv2d(4, 6, 5, padding=(2, 1)), True),
    "grouped": (nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3, groups=2), True),
    "dilated": (nn.ZeroPad2d(2), nn.Conv2d(4, 6, 3, dilation=2), True),
    "of zero": (nn.ConstantPad2d(1, 0.0), nn.Conv2d(4, 6, 3), True),
    "more after": (nn.ZeroPad2d((0, 1, 0, 1)), depthwise(3, stride=2), True),
    "more before": (nn.ZeroPad2d((2, 1, 3, 1)), depthwise(5, stride=2), True),
    "after here, before there": (nn.ZeroPad2d((0, 1, 2, 1)), depthwise(3), True),
    "more after, and own": (nn.ZeroPad2d((0, 1, 0, 1)), depthwise(3, stride=2, padding=1), True),
    "more after, dilated": (nn.ZeroPad2d((0, 1, 0, 1)), depthwise(3, dilation=2), False),
    "more after, dense": (nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(4, 6, 3, stride=2), False),
    "cuts": (nn.ZeroPad2d(-1), nn.Conv2d(4, 6, 3, padding=2), False),
    "reflects": (nn.ReflectionPad2d(1), nn.Conv2d(4, 6, 3), False),
    "of one": (nn.ConstantPad2d(1, 1.0), nn.Conv2d(4, 6, 3), False),
    "by name": (nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3, padding="same"), False),
}


@pytest.mark.parametrize("kind", PADS)
def test_padding_is_the_convolutions(kind: str, calls: Counter[str]) -> None:
    pad, conv, folds = PADS[kind]
    assert once(assert_plain(joined(pad, conv)), calls).get("pad", 0) == (not folds)


def bright(x: Tensor) -> bool:
    return bool(x.detach().sum() > 0)


def twice(model: Joins, x: Tensor) -> Tensor:
    maps = model.pad(x)
    return model.conv(maps) + model.other(maps)  # type: ignore[no-any-return]


def also_read(model: Joins, x: Tensor) -> Tensor:
    maps = model.pad(x)
    return model.conv(maps) + maps.mean()  # type: ignore[no-any-return]


def read_when_bright(model: Joins, x: Tensor) -> Tensor:
    maps = model.pad(x)
    return model.conv(maps) + (maps.mean() if bright(x) else 0)  # type: ignore[no-any-return]


def not_convolved_when_bright(model: Joins, x: Tensor) -> Tensor:
    maps = model.pad(x)
    return maps if bright(x) else model.conv(maps)  # type: ignore[no-any-return]


def otherwise_when_bright(model: Joins, x: Tensor) -> Tensor:
    lit = bright(x)
    return (model.other if lit else model.conv)(model.pad(x))  # type: ignore[no-any-return]


def returned_when_bright(model: Joins, x: Tensor) -> Tensor:
    lit, maps = bright(x), model.pad(x)
    return maps if lit else model.conv(maps)  # type: ignore[no-any-return]


def skipped_when_bright(model: Joins, x: Tensor) -> Tensor:
    lit, maps = bright(x), model.pad(x)
    return model.conv(x if lit else maps)  # type: ignore[no-any-return]


def caught_when_bright(model: Joins, x: Tensor) -> Tensor:
    lit, maps = bright(x), model.pad(x)
    try:
        return model.conv(maps.square() if lit else maps)  # type: ignore[no-any-return]
    except BaseException:  # noqa: BLE001 - as models do
        return x


def overwritten(model: Joins, x: Tensor) -> Tensor:
    return model.conv(model.pad(x).mul_(2))  # type: ignore[no-any-return]


def measured(model: Joins, x: Tensor) -> Tensor:
    maps = model.pad(x)
    return model.conv(maps) * maps.shape[2]  # type: ignore[no-any-return]


def measured_before(model: Joins, x: Tensor) -> Tensor:
    maps = model.pad(x)
    height = maps.shape[2]
    return model.conv(maps) * height  # type: ignore[no-any-return]


def named(model: Joins, x: Tensor) -> Tensor:
    maps = functional.pad(input=x, pad=[1, 1, 1, 1])
    return functional.conv2d(input=maps, weight=model.conv.get_parameter("weight"))


def one_of_two(model: Joins, x: Tensor) -> Tensor:
    return model.conv(model.pad(x)) + twice(model, x)[..., :1, :1]  # type: ignore[no-any-return]


PADDED: dict[Callable[[Joins, Tensor], Tensor], int] = {
    **dict.fromkeys((twice, also_read, overwritten, measured, measured_before), 1),
    **dict.fromkeys((read_when_bright, not_convolved_when_bright, otherwise_when_bright), 1),
    **dict.fromkeys((returned_when_bright, skipped_when_bright, caught_when_bright), 1),
    named: 0,
    one_of_two: 1,
}


@pytest.mark.parametrize("use", PADDED, ids=lambda use: use.__name__)
def test_padding_stays_where_something_else_reads(
    use: Callable[[Joins, Tensor], Tensor], calls: Counter[str]
) -> None:
    net = joined(nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3), use)
    forward = Forward(net, {""}, -picture(count=1).abs())
    for level in (-1.0, 1.0, -1.0):
        x = (level * picture().abs()).requires_grad_()
        found, expected = forward(x).output, net.model(x)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
        (mine,), (right,) = (torch.autograd.grad(y.square().sum(), x) for y in (found, expected))
        torch.testing.assert_close(mine, right, rtol=1e-3, atol=1e-3)
    assert once(forward, calls).get("pad", 0) == PADDED[use]


def test_padding_is_asked_for_itself() -> None:
    net = joined(nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3))
    ascent = Ascent(net, cw.Channel("pad", 1), settings=cw.ascent.Settings(**STILL))
    with torch.enable_grad():
        found, _ = ascent._measured(picture(count=1))
    torch.testing.assert_close(
        found[0], net.model.get_submodule("pad")(2 * picture(count=1))[0, 1].mean()
    )


SEEN: list[Tensor] = []


@pytest.mark.parametrize("module", ["pad", "conv", "relu"])
def test_hooks_see_all(module: str, calls: Counter[str]) -> None:
    net = joined(nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3), lambda m, x: m.relu(m.conv(m.pad(x))))
    net.model.get_submodule(module).register_forward_hook(lambda *given: SEEN.append(given[2]))
    forward = Forward(net, {""}, picture(count=1))
    assert once(forward, calls) == {"pad": 1, "relu": 1}
    mine = SEEN[-1]
    net.model(picture())
    assert SEEN[-1] is not mine
    torch.testing.assert_close(mine, SEEN[-1], rtol=1e-4, atol=1e-5)


LIMITS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "relu in place": lambda maps: functional.relu(maps, inplace=True),
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "Tensor.relu": lambda maps: maps.relu(),
    "Tensor.relu_": lambda maps: maps.relu_(),
    "relu6": functional.relu6,
    "hardtanh": lambda maps: functional.hardtanh(maps, 0.0, 0.5),
    "hardtanh in place": lambda maps: functional.hardtanh(maps, 0.0, 0.5, inplace=True),
}


def limited(use: Callable[[Joins, Tensor], Any], norm: bool = False) -> cw.Network:  # noqa: FBT001, FBT002
    return joined(nn.BatchNorm2d(6) if norm else nn.Identity(), nn.Conv2d(4, 6, 3), use)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("limit", LIMITS)
def test_relus_are_the_convolutions(limit: str, norm: bool, calls: Counter[str]) -> None:  # noqa: FBT001
    cut = LIMITS[limit]
    net = limited(lambda model, x: cut(model.pad(model.conv(x))).square(), norm)
    forward = assert_plain(net)
    if not limit.startswith("Tensor"):  # which cannot be counted
        assert once(forward, calls) == {}


RELUS: dict[str, Callable[[Joins, Tensor], Tensor]] = {
    "read before": lambda model, x: (maps := model.conv(x)).relu() + maps,
    "twice": lambda model, x: functional.relu(maps := model.conv(x)) + functional.relu6(maps),
    "of both signs": lambda model, x: functional.hardtanh(model.conv(x)),
    "overwritten": lambda model, x: functional.relu6(model.conv(x)).add_(1).square(),
    "cut": lambda model, x: functional.relu6(model.conv(x))[:, :3].mul_(2),
    "one of two convolutions": lambda model, x: model.conv(x).relu() + model.conv(x),
    "leaky": lambda model, x: functional.leaky_relu(model.conv(x)),
}


def test_filters_that_are_used_twice_cut_nothing_off(calls: Counter[str]) -> None:
    def use(model: Joins, x: Tensor) -> Tensor:
        maps: Tensor = model.conv(x) + functional.relu(model.conv(x))
        return maps[..., :1, :1] + functional.relu(model.other(x))

    assert once(assert_plain(limited(use)), calls) == {"relu": 1}


def test_a_convolution_of_single_pixels_may_be_overwritten() -> None:
    conv = nn.Conv2d(4, 6, 1)
    assert_plain(joined(nn.Identity(), conv, lambda model, x: model.conv(x).mul_(2).square()))


@pytest.mark.parametrize("use", RELUS)
def test_relus_stay_where_something_else_reads(use: str) -> None:
    assert_plain(limited(RELUS[use]))


@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model.conv(x) if bright(x) else functional.relu(model.conv(x)),
        lambda model, x: (functional.relu6 if bright(x) else functional.relu)(model.conv(x)),
    ],
)
def test_a_pass_without_its_relu(use: Callable[[Joins, Tensor], Tensor]) -> None:
    net = limited(use)
    forward = Forward(net, {""}, -picture(count=1).abs())
    for level in (-1.0, 1.0, -1.0):
        x = level * picture().abs()
        torch.testing.assert_close(forward(x).output, net.model(x), rtol=1e-4, atol=1e-5)


def test_relus_pass_nan_on() -> None:
    net = limited(lambda model, x: functional.relu6(model.conv(x)))
    with torch.no_grad():
        net.model.get_parameter("conv.weight")[2, 1] = float("nan")
    found = Forward(net, {""}, picture(count=1))(picture()).output
    assert found.isnan().all((0, 2, 3)).tolist() == [one == 2 for one in range(6)]


def test_gradients_of_gradients_of_relus() -> None:
    net = limited(lambda model, x: functional.relu6(model.conv(x)))
    forward = Forward(net, {""}, picture(count=1))

    def twice(run: Callable[[Tensor], Tensor]) -> Tensor:
        leaf = picture().requires_grad_()
        (force,) = torch.autograd.grad(run(leaf).pow(3).sum(), leaf, create_graph=True)
        return torch.autograd.grad(force.square().sum(), leaf)[0]

    expected = twice(net.model)
    found = twice(lambda leaf: forward(leaf).output)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-2)


def test_a_model_that_fails_says_so() -> None:
    def fails(model: Joins, x: Tensor) -> Tensor:
        if bright(x):
            raise ValueError("too bright")
        return model.conv(model.pad(x))  # type: ignore[no-any-return]

    net = joined(nn.ZeroPad2d(1), nn.Conv2d(4, 6, 3), fails)
    forward = Forward(net, {""}, -picture(count=1).abs())
    with pytest.raises(ValueError, match="too bright"):
        forward(picture().abs())
    x = -picture().abs()
    torch.testing.assert_close(forward(x).output, net.model(x), rtol=1e-4, atol=1e-5)
