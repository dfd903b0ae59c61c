"""Gradients by the picture are Captum's, also where Captum cannot see the ReLU."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

import cnnwidgets as cw
from tests.architectures import ARCHITECTURES
from tests.explained import Explained, Scored, assert_same, captum, cases, with_modules
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

GATED = {"guided_backprop": "GuidedBackprop", "deconvnet": "Deconvolution"}

OTHER_ACTIVATIONS = {"mobilenet_block": "hardswish", "tiny_vit": "gelu"}
MODULE_RELUS = {"vgg16", "resnet18", "inception_block", "unet", "first_cnn"}


def network(model: nn.Module, x: Tensor) -> cw.Network:
    return cw.Network(model, input_size=tuple(x.shape[1:]))


@settings(max_examples=25, deadline=None)
@given(case=cases())
def test_gradients_are_captums(case: tuple[Explained, Tensor]) -> None:
    model, x = case
    net = network(model, x)
    twin = with_modules(model)
    with assert_untouched(model, also=(x,)):
        found = {
            name: getattr(cw, name)(net, x, 2)
            for name in ("saliency", "gradient_x_input", "guided_backprop", "deconvnet")
        }
    assert_same(found["saliency"], captum("Saliency", twin, x, target=2, abs=False))
    assert_same(found["gradient_x_input"], captum("InputXGradient", twin, x, target=2))
    for name, theirs in GATED.items():
        assert_same(found[name], captum(theirs, twin, x, target=2))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = network(model, x)
    twin = Scored(model)
    target = int(twin(x).argmax())
    with assert_untouched(model, also=(x,)):
        saliency = cw.saliency(net, x)
    assert_same(saliency, captum("Saliency", twin, x, target=target, abs=False), 1e-4)
    assert_same(cw.gradient_x_input(net, x), captum("InputXGradient", twin, x, target=target), 1e-4)
    for ours, theirs in GATED.items():
        method: Callable[..., Tensor] = getattr(cw, ours)
        if name == "dict_output":
            with pytest.raises(ValueError, match="leaky_relu"):
                method(net, x)
            continue
        with assert_untouched(model, also=(x,)), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = method(net, x)
        others = OTHER_ACTIVATIONS.get(name)
        assert len(caught) == int(others is not None)
        assert all(str(others) in str(one.message) for one in caught)
        if name in MODULE_RELUS:
            assert_same(found, captum(theirs, twin, x, target=target), 1e-4)
        else:  # which Captum gives the plain gradient of
            assert not torch.allclose(found, saliency, atol=1e-3 * float(saliency.abs().max()))


class Preactivated(nn.Module):
    """A ReLU whose input goes a second way as well."""

    def __init__(self, relu: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return (self.relu(x) * 2 - x).mean((2, 3))


@pytest.mark.parametrize("relu", [F.relu, nn.ReLU()], ids=["function", "module"])
@pytest.mark.parametrize("method", GATED)
def test_only_what_comes_through_the_relu_is_gated(
    method: str, relu: Callable[[Tensor], Tensor]
) -> None:
    torch.manual_seed(0)
    model = Preactivated(relu)
    x = torch.randn(1, 1, 6, 6)
    found = getattr(cw, method)(network(model, x), x, 0)
    maps = model.conv(x)
    through = (2 / 16) * ((maps[:, :1] > 0) if method == "guided_backprop" else 1)
    ones = torch.ones(1, 1, 4, 4)
    gradient = torch.cat([through * ones - ones / 16, torch.zeros(1, 1, 4, 4)], 1)
    expected = F.conv_transpose2d(gradient, model.conv.weight).detach()[0]
    assert_same(found, expected)


@pytest.mark.parametrize("method", GATED)
def test_relu6_is_a_rectifier(method: str) -> None:
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3), nn.ReLU6(inplace=True), nn.Flatten(), nn.Linear(64, 3)
    x = 9 * torch.randn(1, 1, 6, 6)
    found = getattr(cw, method)(network(nn.Sequential(*layers), x), x, 1)
    maps = layers[0](x)
    back = layers[3].weight[1].view(1, 4, 4, 4).clamp(min=0)
    if method == "guided_backprop":
        assert (maps > 6).any()
        back = back * ((maps > 0) & (maps < 6))
    assert_same(found, F.conv_transpose2d(back, layers[0].weight).detach()[0])


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.SiLU(), r"calls none \(it has silu\).*cw\.saliency"),
        (nn.Tanh(), "calls none: the result would be the plain gradient"),
        (nn.Hardtanh(), r"it has hardtanh"),
    ],
)
def test_no_relu_is_said(layer: nn.Module, says: str) -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), layer, nn.Flatten(), nn.LazyLinear(4))
    model(torch.zeros(1, 3, 8, 8))
    for method in GATED:
        with pytest.raises(ValueError, match=f"{method} changes.*{says}"):
            getattr(cw, method)(model, torch.randn(3, 8, 8))


def test_warning_points_at_the_caller() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.SiLU(), nn.Flatten(), nn.Linear(72, 4))
    with pytest.warns(UserWarning, match="silu in this network kept the usual one") as caught:
        cw.guided_backprop(cw.Network(model, input_size=8), torch.randn(3, 8, 8))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    exact = cw.saliency(network(model, x), x, 3)
    net = network(model.to(dtype), x)
    for name in ("saliency", "gradient_x_input", "guided_backprop", "deconvnet"):
        found = getattr(cw, name)(net, x, 3)
        assert found.dtype == dtype
        assert bool(found.isfinite().all())
    found = cw.saliency(net, x, 3)
    expected = captum("Saliency", Scored(model), x.to(dtype), target=3, abs=False)
    assert_same(found, expected, 1e-3)
    assert float(F.cosine_similarity(found.float().flatten(), exact.flatten(), 0)) > 0.95


def test_measures() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = network(model, x)
    leaf = x.clone().requires_grad_()
    chance = model.eval()(leaf).softmax(1)[0, 3]
    expected = {
        "probability": chance,
        "log-odds": chance.log() - (1 - chance).log(),
    }
    for measure, score in expected.items():
        (gradient,) = torch.autograd.grad(score, leaf, retain_graph=True)
        assert_same(cw.saliency(net, x, 3, measure=measure), gradient[0], 1e-4)
    model.train()


@pytest.mark.parametrize("last", [nn.Softmax(1), nn.Sigmoid()])
def test_outputs_that_are_probabilities_are_taken_as_such(last: nn.Module) -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    model = nn.Sequential(model, last)
    net = network(model, x)
    as_it_is = cw.saliency(net, x, 3, measure="logit")
    assert torch.equal(cw.saliency(net, x, 3, measure="probability"), as_it_is)
    chance = float(net.output(x)[0, 3])
    odds = cw.saliency(net, x, 3, measure="log-odds")
    assert_same(odds, as_it_is / (chance * (1 - chance)), 1e-4)


def test_own_score() -> None:
    model, x = ARCHITECTURES["dict_output"]()
    found = cw.saliency(network(model, x), x, score=lambda y: y["mask"].flatten(1).sum(1))
    leaf = x.clone().requires_grad_()
    model.eval()(leaf)["mask"].sum().backward()
    assert leaf.grad is not None
    assert_same(found, leaf.grad[0])


def test_threads_do_not_see_each_other() -> None:
    """While one thread gates its ReLUs, another's gradients are the plain ones."""
    model, x = ARCHITECTURES["resnet18"]()
    net = network(model, x)
    alone = {name: getattr(cw, name)(net, x, 1) for name in ("saliency", "guided_backprop")}
    same: list[bool] = []

    def repeat(name: str) -> None:
        same.extend(torch.equal(getattr(cw, name)(net, x, 1), alone[name]) for _ in range(8))

    threads = [threading.Thread(target=repeat, args=(name,)) for name in alone]
    with assert_untouched(model):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert same == [True] * 16
