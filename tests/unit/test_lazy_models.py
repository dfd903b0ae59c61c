"""Models whose layers are built by their first pass: looked into, and still not built."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnwidgets.network import Network
from tests.small import noise
from tests.untouched import assert_untouched

pytestmark = pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")


def lazy_model(classes: int = 5) -> nn.Sequential:
    return nn.Sequential(
        nn.LazyConv2d(4, 3),
        nn.LazyBatchNorm2d(),
        nn.ReLU(),
        nn.LazyConvTranspose2d(6, 3, groups=2),
        nn.Flatten(),
        nn.LazyLinear(classes),
    )


def test_a_lazy_network_is_described_as_its_pass_builds_it() -> None:
    model = lazy_model()
    with assert_untouched(model):
        net = Network(model, input_size=16)
        parameters = [layer.parameters for layer in net.layers]
        assert net.graph.error is None
        assert len(net.predict(noise(0))) == 5
        assert set(net.gradients(noise(0))) == {layer.name for layer in net.layers}
    model.eval()(torch.zeros(1, 3, 16, 16))
    assert parameters == [sum(p.numel() for p in module.parameters()) for module in model]


def test_a_lazy_network_that_fails_before_it_is_built() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(1, 1), nn.LazyLinear(3))
    with assert_untouched(model):
        graph = Network(model, input_size=16).graph
    assert [layer.error is None for layer in graph] == [True, False]
    assert graph.total_parameters == 4 * 28 + 2
