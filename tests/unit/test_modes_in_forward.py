"""A forward that turns gradients off, wholly or for a part, is looked into like any other."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.capture import capture
from cnnwidgets.errors import NoGradientError
from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.requests import RequestError
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    Mode = Callable[[], AbstractContextManager[object]]

OFF = [torch.no_grad, torch.inference_mode]


class Moded(nn.Module):
    """Computes its features in one mode, and its head in another."""

    def __init__(self, features: Mode = nullcontext, head: Mode = nullcontext) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.modes = features, head
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        features, head = self.modes
        with features():
            x = self.relu(self.norm(self.conv(x))).mul_(2)
        with head():
            return self.head(torch.dropout(x.mean((2, 3)), 0.5, train=True))  # type: ignore[no-any-return]


class Decorated(Moded):
    @torch.inference_mode()
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


def modes() -> list[Moded]:
    parts = [Moded(features=mode) for mode in OFF] + [Moded(head=mode) for mode in OFF]
    return [*parts, *(Moded(mode, mode) for mode in OFF), Decorated()]


@pytest.mark.parametrize("model", modes())
def test_layers_and_activations_are_those_of_the_plain_forward(model: Moded) -> None:
    x = torch.randn(1, 3, 8, 8)
    plain = Network(Moded(), input_size=8)
    with assert_untouched(model, also=(x,)):
        net = Network(model, input_size=8)
        assert net.graph.error is None
        for layer, expected in zip(net.layers, plain.layers, strict=True):
            assert (layer.name, layer.inputs, layer.overwritten, layer.receptive_field) == (
                *(expected.name, expected.inputs, expected.overwritten),
                expected.receptive_field,
            )
        found, expected_values = net.activations(x), plain.activations(x)
        conv, given = net.convolution("conv", x)
    assert [layer.name for layer in net.layers if layer.overwritten] == ["norm", "relu"]
    assert not any(value.is_inference() for value in found.values())
    torch.testing.assert_close(found, expected_values, rtol=0, atol=0)
    torch.testing.assert_close(conv(given), found["conv"])


@pytest.mark.parametrize("mode", OFF)
def test_the_missing_gradient_says_where_they_were_turned_off(mode: Mode) -> None:
    model, x = Moded(features=mode), torch.randn(1, 3, 8, 8)
    net = Network(model, input_size=8)
    reason = "'conv' has no gradient: the forward computes 'norm', which follows, with gradients"
    with assert_untouched(model, also=(x,)):
        found = capture(net, x, gradients=True, target=0)
        with pytest.raises(NoGradientError, match=reason):
            net.gradients(x, layers=["conv"])
    assert found.gradients.keys() == {"mul", "mean", "dropout", "head"}
    assert found.missing.keys() == {"conv", "norm", "relu"}
    kept = Network(Moded(), input_size=8)
    torch.testing.assert_close(
        found.gradients["mul"], net.gradients(x, 0, ["mul"])["mul"], rtol=0, atol=0
    )
    torch.testing.assert_close(found.gradients["mul"], kept.gradients(x, 0, ["mul"])["mul"])


def test_a_score_that_depends_on_nothing_is_not_blamed_on_the_mode() -> None:
    class Aside(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                _ = x.exp()
            return x.round().detach().flatten(1) + x.flatten(1).argmax(1, keepdim=True)

    net = Network(Aside(), input_size=2)
    with pytest.raises(NoGradientError, match="'round' has no gradient: the score does not"):
        net.gradients(torch.randn(1, 3, 2, 2), layers=["round"])


@pytest.mark.parametrize("mode", OFF)
def test_the_browser_shows_layers_and_says_why_there_is_no_gradient(mode: Mode) -> None:
    model, x = Moded(mode, mode), torch.randn(3, 8, 8)
    with assert_untouched(model, also=(x,)):
        browser = LayerBrowser(Network(model, input_size=8), x)
        asked = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "conv"}
        shown = browser.answer("layer", asked)
        with pytest.raises(RequestError, match=r"conv has no gradient: .* gradients off"):
            browser.answer("layer", {**asked, "of": "gradients", "target": 0})
        browser.close()
    assert shown.value["shape"] == [4, 6, 6]


def test_what_cannot_leave_inference_mode_stays_in_it() -> None:
    class Foreign(nn.Module):
        @torch.inference_mode()
        def forward(self, x: Tensor) -> Tensor:
            made = torch.from_numpy(x.exp().numpy() + 1)  # by code that torch does not see
            return made.mul_(x).flatten(1)

    x = torch.randn(1, 3, 4, 4)
    net = Network(Foreign(), input_size=4)
    assert net.graph.error is None
    torch.testing.assert_close(net.activations(x)["exp"], x.exp())
    torch.testing.assert_close(net.output(x), ((x.exp() + 1) * x).flatten(1))
