"""The layer browser as an object: what it shows at first, its traits, what it refuses."""

from __future__ import annotations

import gc
import re
import threading
from typing import Any

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from torch import Tensor, nn

from cnnwidgets.network import Network
from cnnwidgets.widgets import layer_views as views
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.architectures import ARCHITECTURES
from tests.kernel import Browser
from tests.small import CLASSES, noise, pixels, shown_top, small_model, top
from tests.untouched import assert_untouched

pytestmark = pytest.mark.usefixtures("front_end")


def test_everything_is_there_when_the_page_opens(browser: LayerBrowser, net: Network) -> None:
    state = browser.comm.state
    assert state["layer"] == "0"
    assert [layer["name"] for layer in state["_graph"]["layers"]] == [x.name for x in net.layers]
    assert state["_graph"]["input"] == [3, 16, 16]
    assert state["_graph"]["guessed"] is False
    assert state["_classes"] == CLASSES
    assert [choice["name"] for choice in state["_choices"]] == ["one", "<i>two</i>", "grey"]
    assert state["_pictures"]["a"]["name"] == "picture"
    assert state["_pictures"]["b"] is None
    assert shown_top(browser) == top(net, noise(0))
    assert browser.target == top(net, noise(0))[0][0]
    np.testing.assert_array_equal(pixels(browser), noise(0))
    assert not [data for data, _ in browser.comm.messages if data["method"] == "update"]


def test_the_graph_says_what_the_layers_are(browser: LayerBrowser, net: Network) -> None:
    conv = browser._graph["layers"][0]
    field = net.layer("0").receptive_field
    assert field is not None
    assert conv["kind"] == "conv"
    assert conv["shape"] == [4, 14, 14]
    assert conv["filters"] == [4, 3, 3, 3]
    assert conv["receipt"] is True
    assert conv["inputs"] == ["input"]
    assert conv["parameters"] == 112
    assert conv["rf"] == {name: list(value) for name, value in field._asdict().items()}
    linear = browser._graph["layers"][-1]
    assert (linear["rf"], linear["filters"], linear["receipt"]) == (None, None, False)


def test_the_graph_says_that_a_size_is_a_guess() -> None:
    guessed = Network(nn.Sequential(nn.Conv2d(3, 2, 3)))
    assert views.describe(guessed.graph, guessed)["guessed"] is True


def test_errors_of_the_graph_end_with_a_full_stop() -> None:
    failing = Network(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(5, 1)), input_size=9)
    described = views.describe(failing.graph, failing)
    assert described["layers"][0]["error"] is None
    for error in (described["error"], described["layers"][1]["error"]):
        assert re.search(r"[^.]\.$", error)


def test_one_forward_serves_the_first_display(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    net.graph  # noqa: B018 - the pass that finds the layers
    ran: list[int] = []
    forward = nn.Linear.forward

    def counted(self: nn.Linear, x: Tensor) -> Tensor:
        ran.append(1)
        return forward(self, x)

    monkeypatch.setattr(nn.Linear, "forward", counted)
    browser = LayerBrowser(net, noise(0))
    page = Browser(browser)
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "of": "activations"}
    assert browser._repr_mimebundle_() is not None
    for layer in ("0", "3"):
        page.request("layer", **args, layer=layer)
        page.request("maps", **args, layer=layer, first=0, last=2)
    assert len(ran) == 1
    browser.close()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_any_model_can_be_opened_bare(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    with assert_untouched(model, also=(x,)):
        browser = LayerBrowser(Network(model, input_size=tuple(x.shape[1:])), x[0])
        assert browser._repr_mimebundle_() is not None
        assert browser.error is None
        browser.close()


def test_a_bare_module_is_taken() -> None:
    browser = LayerBrowser(nn.Sequential(nn.Conv2d(3, 2, 3)), noise(0))
    assert browser._predictions["a"]["rows"] is None
    assert "no classifier" in browser._predictions["a"]["note"]
    assert browser._classes == []
    assert browser.target == 0
    browser.close()


@pytest.mark.parametrize(
    ("traits", "sentence"),
    [
        ({"layer": "conv"}, "there is no layer 'conv'; choose one of"),
        ({"channel": 4}, "channel: layer '0' has no 4; choose 0 to 3"),
        ({"channel": -1}, "choose 0 to 3"),
        ({"view": "map"}, r"view: there is no 'map'; did you mean 'maps'\?"),
        ({"color_range": "chanel"}, r"did you mean 'channel'\?"),
        ({"unit": (14, 0)}, "has 14 rows and 14 columns"),
        ({"unit": (0, -1)}, "has 14 rows and 14 columns"),
        ({"target": 5}, "target: there is no class 5; choose 0 to 4"),
        ({"target": -1}, "choose 0 to 4"),
        ({"target": "brid"}, r"target: no class is named 'brid'; did you mean 'bird'\?"),
        ({"target": 1.5}, "target: 1.5 is neither a class index nor a name"),
        ({"target": True}, "target: True is neither"),
    ],
)
def test_traits_are_checked(browser: LayerBrowser, traits: dict[str, Any], sentence: str) -> None:
    (name,) = traits
    before = getattr(browser, name)
    with pytest.raises(ValueError, match=sentence):
        browser.set_trait(name, traits[name])
    assert getattr(browser, name) == before
    Browser(browser).set(**traits)
    assert getattr(browser, name) == before
    assert browser._error is not None


def test_a_target_may_be_given_by_name(page: Browser, browser: LayerBrowser) -> None:
    browser.target = "bird"
    assert browser.target == 2
    assert browser.comm.messages[-1][0]["state"] == {"target": 2}
    page.set(target="frog")
    assert (browser.target, browser._error) == (4, None)
    browser.target = np.int64(1)
    assert type(browser.target) is int


@pytest.mark.parametrize(
    ("model", "target", "sentence"),
    [
        (small_model(), "zebra", "the classes have no names: give an index"),
        (small_model(), 5, "choose 0 to 4"),
        (nn.Conv2d(3, 2, 3), 1, "target: there is no class 1; the network is no classifier"),
    ],
)
def test_targets_of_classes_without_names(model: nn.Module, target: Any, sentence: str) -> None:
    net = Network(model, input_size=16)
    with pytest.raises(ValueError, match=sentence):
        LayerBrowser(net, noise(0), target=target)
    browser = LayerBrowser(net, noise(0))
    with pytest.raises(ValueError, match=sentence):
        browser.target = target
    browser.close()


def test_layer_and_channel_may_change_together(page: Browser, browser: LayerBrowser) -> None:
    page.set(layer="5", channel=4)
    assert (browser.layer, browser.channel, browser._error) == ("5", 4, None)
    page.set(layer="3", channel=1, unit=[11, 0])
    assert browser.unit == (11, 0)
    page.set(layer="0")
    assert browser.unit == (11, 0)
    browser.channel = 3
    page.set(layer="3")
    assert (browser.channel, browser._error) == (0, None)
    browser.layer = "4"
    assert browser.unit is None


def test_first_values_of_traits(net: Network) -> None:
    browser = LayerBrowser(
        net,
        noise(0),
        "3",
        compare=noise(1),
        target="bird",
        channel=1,
        view="gradients",
        color_range="network",
        unit=(2, 3),
    )
    assert (browser.layer, browser.channel, browser.unit) == ("3", 1, (2, 3))
    assert (browser.target, browser.view, browser.color_range) == (2, "gradients", "network")
    assert browser._pictures["b"] is not None
    browser.close()


@pytest.mark.parametrize(
    ("keywords", "error", "sentence"),
    [
        ({"layr": "0"}, TypeError, r"there is no keyword 'layr'; did you mean 'layer'\?"),
        ({"compar": 1}, TypeError, r"did you mean 'compare'\?"),
        ({"colour_range": 1}, TypeError, r"did you mean 'color_range'\?"),
        ({"layer": "9"}, ValueError, "there is no layer '9'"),
        ({"view": "all"}, ValueError, "there is no 'all'"),
        ({"channel": 99}, ValueError, "choose 0 to 3"),
        ({"target": "dgo"}, ValueError, "no class is named 'dgo'"),
        ({"target": 5}, ValueError, "choose 0 to 4"),
        ({"image": np.zeros((4, 4))}, ValueError, "takes \\[3, H, W\\]"),
        ({"image": "no such file.png"}, FileNotFoundError, "there is no file"),
        ({"image": torch.zeros(1, 16, 16)}, ValueError, "takes \\[3, H, W\\]"),
        ({"image": torch.zeros(3, 20, 24)}, ValueError, r"input_size=\(20, 24\)"),
        ({"compare": "no such file.png"}, FileNotFoundError, "there is no file"),
        ({"images": [noise(0), "gone.png"]}, FileNotFoundError, "images, gone.png: image: there"),
        ({"images": "photos"}, TypeError, "images: str is no list; give one of pictures or paths"),
        ({"images": range(2001)}, ValueError, "2001 pictures are too many"),
    ],
)
def test_wrong_arguments_raise_and_leave_nothing(
    net: Network, keywords: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    before, comms = len(_instances), threading.active_count()
    image = keywords.pop("image", noise(0))
    with assert_untouched(net.model), pytest.raises(error, match=sentence):
        LayerBrowser(net, image, **keywords)
    gc.collect()
    assert len(_instances) == before
    assert threading.active_count() <= comms


@pytest.mark.parametrize("image", [noise(0), "cat.png"])
def test_arguments_in_the_wrong_order(net: Network, image: Any) -> None:
    for network in (net, net.model):
        with pytest.raises(TypeError, match="net: the network comes first, then the image"):
            LayerBrowser(image, network)  # type: ignore[arg-type]


def test_html_in_names_stays_text(browser: LayerBrowser) -> None:
    assert CLASSES[1] in [row["name"] for row in browser._predictions["a"]["rows"]]
    browser.figure()
