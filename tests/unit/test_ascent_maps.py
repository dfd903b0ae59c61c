"""Small maps to choose a channel by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from cnnwidgets.network import Network
from cnnwidgets.widgets.ascent_maps import SIDE, maps_of, noise_for
from cnnwidgets.widgets.gradient_ascent_viewer import GradientAscentViewer
from tests.climbing import climbed
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from torch import Tensor


def picture(*shape: int) -> Tensor:
    return torch.rand(1, *shape, generator=torch.Generator().manual_seed(1))


def test_are_those_of_the_layer_each_in_its_own_range() -> None:
    net = climbed()
    x = picture(*net.input_shape)
    with assert_untouched(net.model):
        maps = maps_of(net, "conv2", x)
    own = net.activations(x, ["conv2"])["conv2"][0]
    assert maps.shape == tuple(own.shape)
    for drawn, values in zip(maps, own.numpy(), strict=True):
        expected = (values - values.min()) / (values.max() - values.min()) * 255
        np.testing.assert_allclose(drawn, expected, atol=0.51)


def test_of_a_dead_channel_is_even() -> None:
    net = climbed()
    with torch.no_grad():
        net.model.get_parameter("conv2.bias")[3] = -100
    assert not maps_of(net, "relu2", picture(*net.input_shape))[3].any()


def test_large_ones_are_averaged() -> None:
    net = Network(torch.nn.Conv2d(1, 1, 1, bias=False), input_size=(96, 48), mean=0.0, std=1.0)
    x = torch.zeros(1, 1, 96, 48)
    x[..., :48, :] = 1
    maps = maps_of(net, net.layers[0].name, x)
    assert maps.shape == (1, SIDE, SIDE // 2)
    assert len(set(maps[0, : SIDE // 2].flat)) == len(set(maps[0, SIDE // 2 :].flat)) == 1


def test_of_units_without_places_are_their_values() -> None:
    net = climbed()
    layer = net.layers[-1].name
    x = picture(*net.input_shape)
    values = net.activations(x, [layer])[layer][0]
    maps = maps_of(net, layer, x)
    assert maps.shape == (len(values), 1, 1)
    assert maps[int(values.argmax())] == 255
    assert maps[int(values.argmin())] == 0


def test_of_noise_has_contrast() -> None:
    net = climbed(mean=0.5, std=0.5)
    assert 0.1 < float(noise_for(net).std()) < 1.5


@pytest.mark.usefixtures("front_end")
def test_are_of_the_start_picture_or_of_what_has_grown() -> None:
    net = climbed()
    viewer = GradientAscentViewer(net, "conv2:1", steps=2)
    assert viewer._pictured()[1] == "noise"
    viewer.run()
    assert viewer.wait()
    grown, of = viewer._pictured()
    assert of == "the picture of conv2:1 at step 2"
    assert torch.equal(grown[0], viewer.frames[-1].image)
    given = picture(*net.input_shape)
    viewer.start_from = given[0]
    assert viewer._pictured()[1] == "the start picture"
    assert torch.allclose(viewer._pictured()[0], given)
    viewer.close()
