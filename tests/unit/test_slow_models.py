"""What nobody waits for any more ends at the next layer; what takes long says how far it is."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.capture import capture
from cnnwidgets.network import Network
from cnnwidgets.widgets import requests
from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.passes import Quantity
from tests.kernel import Browser
from tests.small import noise
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("front_end")

PAUSE, COUNT = 0.1, 15


def pause(_gradient: object = None) -> None:
    time.sleep(PAUSE)


class Slow(nn.Module):
    """A layer that takes its time, forward or backward, and catches whatever it can."""

    slow = ""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Any:
        if self.slow == "forward":
            pause()
        try:
            y = self.act(x)
        except Exception:  # noqa: BLE001 - as some models do
            return x * 0
        if self.slow == "backward" and y.requires_grad:
            y.register_hook(pause)
        return y


@pytest.fixture(params=["forward", "backward"])
def slow(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browser(slow: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LayerBrowser]:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 2, 3), *(Slow() for _ in range(COUNT)), nn.Flatten(), nn.Linear(392, 3)]
    browser = LayerBrowser(Network(nn.Sequential(*layers), input_size=16), noise(0))
    monkeypatch.setattr(Slow, "slow", slow)
    yield browser
    browser.close()


def asked(browser: LayerBrowser, of: str) -> dict[str, Any]:
    return {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0", "of": of}


def test_a_superseded_request_ends_at_the_next_layer(browser: LayerBrowser) -> None:
    page = Browser(browser)
    with assert_untouched(browser.net.model):
        first = page.ask("layer", asked(browser, "gradients"), lane="layer")
        time.sleep(3 * PAUSE)
        begun = time.monotonic()
        second = page.ask("layer", asked(browser, "activations"), lane="layer")
        cancelled, answered = (page.reply(identity).content for identity in (first, second))
        taken = time.monotonic() - begun
    assert cancelled.get("cancelled") is True
    assert answered["ok"] is True
    assert taken < 3 * PAUSE
    quantity = Quantity(browser._slots["a"].key, "gradients", browser.target)
    assert not browser._slots.passes.has(quantity, "0")


@pytest.mark.parametrize("slow", ["forward"], indirect=True)
def test_a_superseded_look_at_changed_weights_is_made_up_for(browser: LayerBrowser) -> None:
    page, weights = Browser(browser), next(browser.net.model.parameters())
    old = browser._pictures["a"]["key"]
    with torch.no_grad():
        weights.mul_(2)
    identity = page.ask("layer", asked(browser, "activations"))
    time.sleep(2 * PAUSE)
    page.send("cancel", id=identity)
    assert page.reply(identity).content.get("cancelled") is True
    assert browser._pictures["a"]["key"] == old
    assert "the picture has changed" in page.refusal("layer", **asked(browser, "activations"))
    assert browser._pictures["a"]["key"] != old


@pytest.mark.parametrize("slow", ["forward"], indirect=True)
def test_a_superseded_picture_leaves_the_one_before(browser: LayerBrowser) -> None:
    page, old = Browser(browser), browser._pictures["a"]
    browser._images["other"] = noise(1)
    identity = page.ask("pick", {"slot": "a", "index": 0})
    time.sleep(2 * PAUSE)
    page.send("cancel", id=identity)
    assert page.reply(identity).content.get("cancelled") is True
    assert browser._pictures["a"] == old
    assert page.request("layer", **asked(browser, "activations")).value["shape"] == [2, 14, 14]


class Altered(nn.Conv2d):
    """Only a pass can tell what it convolves."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.conv2d(x, self.weight * 2, self.bias)


@pytest.mark.parametrize("slow", ["forward"], indirect=True)
@pytest.mark.parametrize("name", ["receipt", "filters"])
def test_a_superseded_pass_to_a_convolution_ends_at_the_next_layer(
    slow: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = f"{COUNT}.conv2d"
    model = nn.Sequential(*(Slow() for _ in range(COUNT)), Altered(3, 2, 3))
    browser = LayerBrowser(Network(model, input_size=16), noise(0))
    page, ran = Browser(browser), itertools.count()

    def counted() -> None:
        next(ran)
        time.sleep(PAUSE)

    monkeypatch.setitem(globals(), "pause", counted)
    where = {"channel": 0, "row": 0, "column": 0} if name == "receipt" else {"first": 0, "last": 2}
    args = {**asked(browser, "activations"), "layer": last, **where}
    monkeypatch.setattr(Slow, "slow", slow)
    with assert_untouched(model):
        identity = page.ask(name, args)
        time.sleep(2 * PAUSE)
        page.send("cancel", id=identity)
        assert page.reply(identity).content.get("cancelled") is True
    assert 1 <= next(ran) < COUNT
    monkeypatch.setattr(Slow, "slow", "")
    assert page.request(name, **args).tensors
    browser.close()


def test_progress_is_told_after_a_while(
    browser: LayerBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, begun = Browser(browser), time.monotonic()
    monkeypatch.setattr(requests, "WORTH_TELLING", 5 * PAUSE)
    page.request("layer", **asked(browser, "gradients"))
    told = [m.content for m in browser.comm.custom() if m.content["kind"] == "progress"]
    total = 2 * len(browser.net.layers)
    assert {one["total"] for one in told} == {total}
    done = [one["done"] for one in told]
    assert done == sorted(set(done))
    assert 3 < len(done) < (time.monotonic() - begun) / PAUSE
    assert min(done) >= 5


def test_every_layer_is_counted_forward_and_backward() -> None:
    net = Network(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True)), input_size=8)
    steps: list[tuple[int, int]] = []
    x = torch.rand(1, 3, 8, 8)
    capture(net, x, ["0"], step=lambda *at: steps.append(at))
    assert steps == [(1, 2), (2, 2)]
    steps.clear()
    capture(net, x, ["0"], gradients=True, target=0, step=lambda *at: steps.append(at))
    assert steps == [(1, 4), (2, 4), (3, 4)]  # the backward pass ends at the first output
