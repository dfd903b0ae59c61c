"""The layer browser survives failing models, changing weights, interrupts; and leaves nothing."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnwidgets.network import Network
from cnnwidgets.widgets import slots as slots_module
from cnnwidgets.widgets import worker
from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.passes import Quantity
from tests.kernel import Browser, eventually
from tests.small import noise, shown_top, top
from tests.untouched import assert_untouched

pytestmark = pytest.mark.usefixtures("front_end")


class Fussy(nn.Module):
    """Fails at its second layer for bright pictures, or always."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.first, self.second, self.limit = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 3), limit

    def forward(self, x: Tensor) -> Any:
        y = self.first(x)
        if float(x.mean()) > self.limit:
            raise RuntimeError("too bright <b>")
        return self.second(y).mean((2, 3))


def test_a_model_that_always_fails_shows_what_it_reached() -> None:
    model = Fussy(-1.0)
    with assert_untouched(model):
        browser = LayerBrowser(Network(model, input_size=16), noise(0))
        assert browser.layer == "first"
        assert "too bright" in browser._graph["error"]
        failed = browser._graph["layers"][-1]
        assert failed["shape"] is None
        assert "too bright" in failed["error"]
        assert (
            "No prediction, the model failed: RuntimeError: too bright"
            in (browser._predictions["a"]["note"])
        )
        page = Browser(browser)
        args = {"slot": "a", "key": browser._pictures["a"]["key"], "of": "activations"}
        assert page.request("layer", **args, layer="first").value["shape"] == [2, 14, 14]
        assert browser._repr_mimebundle_() is not None
        page.set(layer=failed["name"])
        assert browser.layer == failed["name"]
        assert browser._repr_mimebundle_() is not None
        assert browser.error is None
        browser.close()


def test_a_model_that_fails_for_one_picture() -> None:
    model = Fussy(0.9)
    browser = LayerBrowser(Network(model, input_size=16), noise(0))
    assert browser._predictions["a"]["rows"] is not None
    page = Browser(browser)
    with assert_untouched(model):
        browser.show(np.full((16, 16, 3), 255, np.uint8))
    assert "too bright" in browser._predictions["a"]["note"]
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "of": "activations"}
    assert "did not reach second" in page.refusal("layer", **args, layer="second")
    browser.layer = "second"
    assert browser._repr_mimebundle_() is not None
    browser.close()


def test_changed_weights_are_noticed(page: Browser, browser: LayerBrowser, net: Network) -> None:
    key = browser._pictures["a"]["key"]
    args = {"slot": "a", "key": key, "layer": "0", "of": "activations", "channel": 1}
    page.request("map", **args)
    with torch.no_grad():
        next(net.model.parameters()).mul_(2)
    assert "the picture has changed" in page.refusal("map", **args)
    now = browser._pictures["a"]["key"]
    assert now != key
    found = page.request("map", **{**args, "key": now}).tensors[0]
    np.testing.assert_array_equal(found, net.activations(noise(0))["0"][0, 1])
    assert shown_top(browser) == top(net, noise(0))


def test_while_the_model_trains_a_snapshot_is_shown(
    page: Browser, browser: LayerBrowser, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = next(net.model.parameters())
    monkeypatch.setattr(slots_module, "RENEW_SECONDS", 30.0)

    def step() -> None:
        with torch.no_grad():
            weight.add_(0.01)

    step()
    args = {"slot": "a", "layer": "0", "of": "activations"}
    page.refusal("mean", **args, key=browser._pictures["a"]["key"])
    key = browser._pictures["a"]["key"]
    shown = net.activations(noise(0))
    for layer in ("0", "3"):
        step()
        found = page.request("mean", **{**args, "layer": layer}, key=key).tensors[0]
        np.testing.assert_array_equal(found, shown[layer][0].mean(0))
    unit = {"channel": 0, "row": 0, "column": 0}
    assert "the picture has changed" in page.refusal("receipt", **args, **unit, key=key)
    key = browser._pictures["a"]["key"]
    step()
    browser._slots.passes.release()
    assert "the picture has changed" in page.refusal("mean", **args, key=key)


def test_two_pages_see_the_same(browser: LayerBrowser) -> None:
    one, two = Browser(browser, "one"), Browser(browser, "two")
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0", "of": "activations"}
    asked = [page.ask("mean", args) for page in (one, two)]
    first, second = (page.reply(i).tensors[0] for page, i in zip((one, two), asked, strict=True))
    np.testing.assert_array_equal(first, second)


def test_passes_are_freed_when_no_page_is_left(browser: LayerBrowser) -> None:
    one, two = Browser(browser, "one"), Browser(browser, "two")
    for page in (one, two):
        page.send("hello")
    one.send("bye")
    assert browser._slots.passes.held > 0
    two.send("bye")
    assert browser._slots.passes.held == 0
    again = Browser(browser, "three")
    again.send("hello")
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0", "of": "activations"}
    assert again.request("mean", **args).content["ok"]


def test_a_page_that_died_does_not_keep_the_passes(browser: LayerBrowser) -> None:
    for name in ("dead", "new"):
        Browser(browser, name).send("hello")
    Browser(browser, "new").send("bye")
    assert browser._slots.passes.held == 0


def test_a_page_that_speaks_keeps_the_passes(browser: LayerBrowser) -> None:
    one, two = Browser(browser, "one"), Browser(browser, "two")
    for page in (one, two):
        page.send("hello")
    args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0", "of": "activations"}
    assert one.request("mean", **args).content["ok"]
    two.send("bye")
    assert browser._slots.passes.held > 0
    one.send("bye")
    one.send("cancel", id="late")
    assert browser._slots.passes.held == 0
    assert not browser._pages


def test_an_interrupt_in_the_middle_leaves_everything_usable(
    browser: LayerBrowser, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = browser._pictures
    with monkeypatch.context() as patch, assert_untouched(net.model):
        patch.setattr(nn.ReLU, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            browser.show(noise(9))
    assert browser._pictures == before
    browser.show(noise(9))
    assert shown_top(browser) == top(net, noise(9))


def test_closing_frees_the_passes(browser: LayerBrowser) -> None:
    page = Browser(browser)
    passes = browser._slots.passes
    key = browser._slots["a"].key
    held = weakref.ref(passes.value(Quantity(key), "0"))
    assert passes.held > 0
    browser.close()
    browser.close()
    gc.collect()
    assert passes.held == 0
    assert held() is None
    with pytest.raises(ValueError, match="the widget is closed"):
        browser.figure()
    page.send("request", id="late", name="mean", args={"slot": "a", "key": key})
    with pytest.raises(ValueError, match="closed"):
        browser.show(noise(1))


def tensor_bytes() -> int:
    """Bytes of every tensor that is alive, which tracemalloc does not see."""
    gc.collect()
    tensors = [x for x in gc.get_objects() if issubclass(type(x), Tensor) and not is_lazy(x)]
    strided = [x for x in tensors if x.layout is torch.strided]  # others have no storage
    storages = {s.data_ptr(): s.nbytes() for s in (x.untyped_storage() for x in strided)}
    return sum(storages.values())


def hook_count(model: nn.Module) -> int:
    """Hooks on the modules, and on their parameters and buffers."""
    tensors = [*model.parameters(), *model.buffers()]
    owners = [vars(module) for module in model.modules()]
    owners += [{"hooks": t._backward_hooks} for t in tensors]
    owners += [{"hooks": t._post_accumulate_grad_hooks} for t in tensors]
    return sum(len(v or ()) for kept in owners for name, v in kept.items() if "hooks" in name)


@pytest.mark.slow
def test_fifty_browsers_leave_nothing(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_IDLE_SECONDS", 0.05)
    alive: list[weakref.ref[LayerBrowser]] = []

    def open_and_close() -> None:
        browser = LayerBrowser(net, noise(0), images=[noise(1)])
        page = Browser(browser)
        page.send("hello")
        args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0"}
        page.request("maps", **args, first=0, last=4)
        page.request("layer", **args, of="gradients")
        page.request("pick", slot="b", index=0)
        browser._repr_mimebundle_()
        browser.close()
        alive.append(weakref.ref(browser))

    open_and_close()
    gc.collect()
    instances, threads = len(_instances), threading.active_count()
    tensors, hooks = tensor_bytes(), hook_count(net.model)
    tracemalloc.start()
    with assert_untouched(net.model):
        for _ in range(10):
            open_and_close()
        gc.collect()
        after_ten = tracemalloc.get_traced_memory()[0]
        for _ in range(40):
            open_and_close()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - after_ten
    tracemalloc.stop()
    assert len(_instances) == instances
    assert not [ref for ref in alive if ref() is not None]
    assert (tensor_bytes(), hook_count(net.model)) == (tensors, hooks)
    eventually(lambda: threading.active_count() <= threads)
    assert grown < 200_000, f"{grown} bytes more after forty"
