"""A picture of a shape that the network does not take: every way in says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

import cnnwidgets as cw
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS: list[Callable[[cw.Network, torch.Tensor], object]] = [
    lambda net, x: net.predict(x),
    lambda net, x: net.activations(x),
    lambda net, x: net.gradients(x, 1),
    cw.saliency,
    lambda net, x: cw.guided_backprop(net, x, 1),
    lambda net, x: cw.grad_cam(net, x, 1),
    lambda net, x: cw.smoothgrad(net, x, 1, samples=2),
    lambda net, x: cw.occlusion(net, x, window=4),
]


def make(*last: nn.Module) -> cw.Network:
    first = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()]
    return cw.Network(nn.Sequential(*first, *last).eval(), input_size=(1, 12, 12))


@pytest.mark.parametrize("way", WAYS)
def test_the_shapes_are_named(way: Callable[[cw.Network, torch.Tensor], object]) -> None:
    net = make(nn.Flatten(), nn.Linear(4 * 12 * 12, 3))
    said = r"image: 1×16×16 where the network takes 1×12×12; mat1 and mat2"
    x = torch.rand(1, 16, 16)
    with assert_untouched(net.model), pytest.raises(ValueError, match=said) as caught:
        way(net, x)
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("way", WAYS)
def test_a_network_that_takes_any_size_takes_it(
    way: Callable[[cw.Network, torch.Tensor], object],
) -> None:
    net = make(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    assert way(net, torch.rand(1, 16, 16)) is not None


def test_an_error_of_the_right_shape_stays_as_it_is() -> None:
    net = make(nn.Flatten(), nn.Linear(4 * 12 * 12, 3))
    net.predict(torch.rand(1, 12, 12))
    net.model.get_submodule("3").weight.data = torch.zeros(3, 5)
    x = torch.rand(1, 12, 12)
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2"):
        net.predict(x)
