"""A module is replaced while the browser shows the network: the next answer tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from torch import nn

from cnnwidgets.widgets import slots
from tests.small import noise, shown_top, small_model, top
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnwidgets.network import Network
    from cnnwidgets.widgets.layer_browser import LayerBrowser
    from tests.kernel import Browser

ASKED = {"slot": "a", "of": "activations"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "RENEW_SECONDS", 0.0)


@pytest.fixture
def model(net: Network) -> Any:
    return net.model


def look_again(browser: LayerBrowser, page: Browser) -> None:
    key = browser._pictures["a"]["key"]
    with assert_untouched(browser.net.model):
        assert "picture has changed" in page.refusal("layer", **ASKED, key=key, layer=browser.layer)


WAYS: list[Callable[[Any, Any], object]] = [look_again, lambda browser, _: browser.show(noise(0))]


@pytest.mark.parametrize("way", WAYS)
def test_the_layers_are_described_anew(
    browser: LayerBrowser, page: Browser, model: Any, way: Callable[[Any, Any], object]
) -> None:
    browser.channel, browser.unit = 3, (13, 13)
    model[0] = nn.Conv2d(3, 2, 5)
    model[1], model[3] = nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1)
    way(browser, page)
    states = [data["state"] for data, _ in browser.comm.messages if data["method"] == "update"]
    (sent,) = [state["_graph"] for state in states if "_graph" in state]
    assert [layer["name"] for layer in sent["layers"]] == list("012345")
    assert sent["layers"][0]["shape"] == [2, 12, 12]
    assert (browser.layer, browser.channel) == ("0", 0)
    key = browser._pictures["a"]["key"]
    assert page.request("layer", **ASKED, key=key, layer="0").value["shape"] == [2, 12, 12]
    assert shown_top(browser) == top(browser.net, noise(0))
    assert browser.unit is None


def test_a_layer_and_a_class_that_are_gone(
    browser: LayerBrowser, page: Browser, model: Any
) -> None:
    browser.layer, browser.target = "5", 4
    browser.net._given = None
    del model[5]
    model.insert(4, nn.AdaptiveAvgPool2d(1))
    look_again(browser, page)
    assert browser.layer == "5"
    assert browser._classes == ["class 0", "class 1"]
    assert browser.target in {0, 1}
    del model[4:]  # they have no weights
    look_again(browser, page)
    assert browser.layer == "0"
    assert browser._repr_mimebundle_() is not None
    assert browser.error is None


def test_other_weights_are_the_same_graph(browser: LayerBrowser, page: Browser, model: Any) -> None:
    described = browser._graph
    model.load_state_dict({k: v * 2 for k, v in small_model().state_dict().items()})
    look_again(browser, page)
    assert browser._graph is described
