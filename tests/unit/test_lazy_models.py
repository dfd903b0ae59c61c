"""Models whose layers are built by their first pass: looked into, and still not built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

import cnnwidgets as cw
from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.kernel import Browser
from tests.small import noise
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize("layer", ["0", "3"])
@pytest.mark.usefixtures("front_end")
def test_the_browser_shows_what_the_pass_built(layer: str, tmp_path: Path) -> None:
    model = lazy_model()
    with assert_untouched(model):
        browser = LayerBrowser(Network(model, input_size=16), noise(0), layer, view="filters")
        page, described = Browser(browser), browser._graph["layers"]
        assert [one["filters"] for one in described] == [
            [4, 3, 3, 3], None, None, [6, 2, 3, 3], None, None,
        ]  # fmt: skip
        assert [one["receipt"] for one in described] == [True, *[False] * 5]
        asked = {"layer": layer, "input": "sum", "first": 0, "last": 6}
        filters = page.request("filters", **asked).tensors[0]
        assert filters.any()
        np.testing.assert_array_equal(filters, page.request("filters", **asked).tensors[0])
        assert browser.figure().axes[-1].get_ylabel() == "weight"
        assert browser._repr_mimebundle_() is not None
        assert '"filters"' in browser.to_html(tmp_path / "page.html").read_text()
        assert browser.error is None
        browser.close()


@pytest.mark.usefixtures("front_end")
def test_a_receipt_of_a_layer_that_only_the_pass_built() -> None:
    model = lazy_model()
    with assert_untouched(model):
        browser = LayerBrowser(Network(model, input_size=16), noise(0))
        asked = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0"}
        unit = {"channel": 1, "row": 2, "column": 3}
        value = Browser(browser).request("receipt", **asked, **unit).value
        assert value["equal"] is True
        assert value["result"] == pytest.approx(value["torch"], rel=1e-4)
        browser.close()


def test_a_patch_on_a_lazy_network_asks_for_a_first_pass() -> None:
    model, picture = lazy_model(), torch.rand(3, 16, 16)
    net = Network(model, input_size=16)
    for look in (
        lambda: cw.occlusion(net, picture, window=4),
        lambda: cw.OcclusionProbe(net, picture),
        lambda: cw.OcclusionSlider(net, picture),
    ):
        with (
            assert_untouched(model),
            pytest.raises(ValueError, match=r"^net: .* run it once, on a"),
        ):
            look()
    model(picture[None])
    assert cw.occlusion(net, picture, window=4, stride=4).scores.shape == (4, 4)
