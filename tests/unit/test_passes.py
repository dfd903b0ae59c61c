"""Captured passes: shared, equal to torch, within their limit, partial where the model fails."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.network import Network
from cnnwidgets.widgets import passes as module
from cnnwidgets.widgets.passes import Passes, Quantity, Range, as_maps, range_of
from tests.architectures import ARCHITECTURES
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from cnnwidgets.capture import Capture

LAYERS = 6


@pytest.fixture
def net() -> Network:
    """Conv and activation, three times: every layer's value has 4·16·16 float32 values."""
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for channels in (3, 4, 4):
        parts += [nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(inplace=True)]
    return Network(nn.Sequential(*parts), input_size=(3, 16, 16))


SIZE = 4 * 16 * 16 * 4  # bytes of one layer


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was captured: one entry per forward pass."""
    asked: list[Any] = []

    def counted(net: Network, x: Tensor, layers: Any = None, **options: Any) -> Capture:
        asked.append(layers)
        captured: Capture = original(net, x, layers, **options)
        return captured

    original = vars(module)["capture"]
    monkeypatch.setattr(module, "capture", counted)
    return asked


def picture(seed: int = 0) -> Tensor:
    return torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def test_one_pass_serves_every_layer(net: Network, count: list[Any]) -> None:
    passes, x = Passes(net), picture()
    with assert_untouched(net.model, also=(x,)):
        passes.add(1, x)
        for name, expected in net.activations(x).items():
            assert torch.equal(passes.value(Quantity(1), name), expected)
    assert len(count) == 1
    assert passes.held == LAYERS * SIZE


def test_gradients_are_passes_of_their_own_per_target() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = Network(model, input_size=tuple(x.shape[1:]))
    passes = Passes(net)
    passes.add(1, x)
    for target in (2, 7):
        expected = net.gradients(x, target)
        for name, gradient in expected.items():
            found = passes.value(Quantity(1, "gradients", target), name)
            torch.testing.assert_close(found, gradient, rtol=0, atol=0)
    assert passes.range(Quantity(1, "gradients", 2)) != passes.range(Quantity(1, "gradients", 7))


def test_the_least_recently_used_goes_first(net: Network, count: list[Any]) -> None:
    passes = Passes(net, limit=2 * LAYERS * SIZE)
    for key in (1, 2):
        passes.add(key, picture(key))
    for name in net.activations(picture()):
        passes.value(Quantity(1), name)
    passes.add(3, picture(3))
    assert passes.held <= 2 * LAYERS * SIZE
    assert passes.has(Quantity(1), "0")
    assert not passes.has(Quantity(2), "0")
    assert passes.has(Quantity(3), "5")
    assert torch.equal(passes.value(Quantity(2), "0"), net.activations(picture(2))["0"])
    assert len(count) == 4


def test_a_pass_beyond_the_limit_keeps_what_fits(net: Network, count: list[Any]) -> None:
    passes = Passes(net, limit=6 * SIZE)
    passes.add(1, picture(), "4")
    assert count == [["4", "5", "0"]]
    assert passes.held == 3 * SIZE
    for name, expected in net.activations(picture()).items():
        assert torch.equal(passes.value(Quantity(1), name), expected)
        assert passes.held <= 6 * SIZE
    assert count[1:] == [["1", "2", "3"]]


def test_a_layer_beyond_the_limit_is_computed_each_time(net: Network, count: list[Any]) -> None:
    passes = Passes(net, limit=SIZE // 2)
    passes.add(1, picture(), "2")
    for _ in range(2):
        assert torch.equal(passes.value(Quantity(1), "2"), net.activations(picture())["2"])
    assert passes.held == 0
    assert count == [["2"], ["2"], ["2"]]
    score = Quantity(1, "gradients", 0)
    assert torch.equal(passes.value(score, "5"), net.gradients(picture(), 0)["5"])


def test_the_range_covers_all_layers_with_maps(net: Network, count: list[Any]) -> None:
    passes, x = Passes(net), picture()
    passes.add(1, x)
    values = net.activations(x).values()
    expected = Range(min(float(v.min()) for v in values), max(float(v.max()) for v in values))
    assert passes.range(Quantity(1)) == expected
    passes.release()
    assert passes.held == 0
    assert passes.range(Quantity(1)) == expected
    assert len(count) == 1


def test_released_passes_are_computed_again(net: Network) -> None:
    passes, x = Passes(net), picture()
    passes.add(1, x)
    passes.release()
    assert torch.equal(passes.value(Quantity(1), "0"), net.activations(x)["0"])


def test_dropped_pictures_are_gone(net: Network) -> None:
    passes = Passes(net)
    for key in (1, 2):
        passes.add(key, picture(key))
    passes.drop(1)
    with pytest.raises(ValueError, match="the picture has changed"):
        passes.value(Quantity(1), "0")
    assert passes.held == LAYERS * SIZE
    passes.clear()
    assert passes.held == 0


class Fussy(nn.Module):
    """Fails for bright pictures, in its second half."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3)

    def forward(self, x: Tensor) -> Any:
        y = self.first(x)
        if float(x.mean()) > 1:
            raise RuntimeError("too bright")
        return self.second(y)


def test_a_pass_that_fails_keeps_what_it_reached() -> None:
    net = Network(Fussy(), input_size=(1, 8, 8))
    passes, bright = Passes(net), torch.full((1, 1, 8, 8), 3.0)
    with assert_untouched(net.model):
        captured = passes.add(1, bright)
    assert captured.failure is not None
    assert str(captured.failure.error) == "too bright"
    assert passes.value(Quantity(1), "first").shape == (1, 2, 6, 6)
    with pytest.raises(ValueError, match="did not reach second"):
        passes.value(Quantity(1), "second")
    with pytest.raises(ValueError, match="has no gradient"):
        passes.value(Quantity(1, "gradients", 0), "first")


def test_an_interrupted_pass_leaves_nothing(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    passes = Passes(net)
    with monkeypatch.context() as patch, assert_untouched(net.model):
        patch.setattr(nn.ReLU, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            passes.add(1, picture())
    with pytest.raises(ValueError, match="the picture has changed"):
        passes.value(Quantity(1), "0")
    passes.add(1, picture())
    assert passes.has(Quantity(1), "5")


def test_threads_may_share_passes(net: Network) -> None:
    passes = Passes(net, limit=8 * SIZE)
    errors: list[BaseException] = []

    def look(key: int) -> None:
        try:
            passes.add(key, picture(key))
            for name, expected in net.activations(picture(key)).items():
                assert torch.equal(passes.value(Quantity(key), name), expected)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=look, args=(key,)) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert passes.held <= 8 * SIZE


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 5), (5,)),
        ((1,), (1,)),
        ((), (1,)),
        ((1, 1), (1,)),
        ((1, 7, 3), (7, 1, 3)),
        ((7, 1, 3), (7, 1, 3)),
        ((1, 2, 3, 4), (2, 3, 4)),
        ((1, 2, 3, 4, 5), (6, 4, 5)),
        ((1, 0, 4, 4), (0, 4, 4)),
    ],
)
def test_any_output_becomes_maps_or_a_vector(
    shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert as_maps(torch.zeros(shape)).shape == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.int64, torch.bool, torch.complex64])
def test_any_dtype_becomes_float32(dtype: torch.dtype) -> None:
    maps = as_maps(torch.ones(1, 2, 2, 2, dtype=dtype))
    assert maps.dtype == torch.float32
    assert bool((maps == 1).all())


def test_ranges_are_of_finite_values() -> None:
    nan, inf = math.nan, math.inf
    assert range_of(torch.tensor([nan, -2.0, inf, 3.0, -inf])) == (-2, 3)
    assert range_of(torch.tensor([nan, inf])) == (0, 0)
    assert range_of(torch.empty(0)) == (0, 0)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = Network(model, input_size=tuple(x.shape[1:]))
    passes = Passes(net, limit=1 << 16)
    with assert_untouched(model, also=(x,)):
        passes.add(1, x)
        for layer, expected in net.activations(x).items():
            assert torch.equal(passes.value(Quantity(1), layer), expected)
    assert passes.held <= 1 << 16
