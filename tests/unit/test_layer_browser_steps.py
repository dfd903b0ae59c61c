"""The layer browser shows a network as it was at a step of a recorded run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import pytest
import torch
from torch import nn
from traitlets import Int

import cnnwidgets as cw
from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.kernel import Browser, eventually
from tests.small import CLASSES, noise, pixels, shown_top, small_model, top
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cnnwidgets.training.run import Run

pytestmark = pytest.mark.usefixtures("front_end")

STEPS = 6


def train(model: nn.Module, steps: int = STEPS) -> None:
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), 0.02)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        x = torch.randn(4, 3, 16, 16, generator=generator)
        loss: Any = nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 2, 3]))
        loss.backward()
        optimizer.step()


def recorded(model: nn.Module, **keywords: Any) -> cw.Recorder:
    with cw.Recorder(model, every=1, **keywords) as run:
        train(model)
    return run


@pytest.fixture
def run(net: Network) -> Run:
    return recorded(net.model)


@pytest.fixture
def browser(net: Network, run: Run) -> Iterator[LayerBrowser]:
    with assert_untouched(net.model):
        browser = LayerBrowser(
            net, noise(0), layer="3", channel=1, run=run, compare=noise(1), images=[noise(0)]
        )
        yield browser
        browser.close()


def at(net: Network, run: Run, step: int) -> Network:
    return Network(run.model_at(step, net.model), classes=CLASSES, input_size=16)


def shows(browser: LayerBrowser, name: str) -> None:
    eventually(lambda: browser._graph["name"] == name and browser._worker._running is None)


def test_a_step_shows_the_network_as_it_was(browser: LayerBrowser, net: Network, run: Run) -> None:
    page, key = Browser(browser), browser._pictures["a"]["key"]
    for step in (2, 0, 4):
        page.set(step=step)
        shows(browser, f"Sequential, step {step}")
        then = at(net, run, step)
        assert shown_top(browser) == top(then, noise(0))
        assert shown_top(browser, "b") == top(then, noise(1))
        assert browser._pictures["a"]["key"] != key
        key = browser._pictures["a"]["key"]
        args = {"slot": "a", "key": key, "layer": "3"}
        found = page.request("map", **args, channel=1, of="activations").tensors[0]
        np.testing.assert_array_equal(found, then.activations(noise(0))["3"][0, 1])
        assert (found != net.activations(noise(0))["3"][0, 1].numpy()).any()
        gradient = page.request("map", **args, channel=0, of="gradients", target=1).tensors[0]
        np.testing.assert_array_equal(gradient, then.gradients(noise(0), 1)["3"][0, 0])
        filters = page.request("filters", layer="3", first=0, last=2).tensors[0]
        np.testing.assert_array_equal(filters, then.model.get_parameter("3.weight").detach().sum(1))
        unit = page.request("receipt", **args, channel=1, row=2, column=3, of="activations")
        np.testing.assert_array_equal(
            unit.tensors[1], then.model.get_parameter("3.weight").detach()[1]
        )
    assert (browser.layer, browser.channel, pixels(browser).tolist()) == ("3", 1, noise(0).tolist())
    assert "step 4" in repr(browser)
    assert "step 4" in browser._sheet().title


@pytest.mark.parametrize("last", [None, STEPS, STEPS + 1])
def test_the_last_step_is_the_network_as_it_is(
    browser: LayerBrowser, net: Network, last: int | None
) -> None:
    browser.step = 1
    shows(browser, "Sequential, step 1")
    browser.step = last
    shows(browser, "Sequential")
    assert shown_top(browser) == top(net, noise(0))
    assert browser._slots.net is net
    browser.step = 1
    shows(browser, "Sequential, step 1")
    browser.run = None
    shows(browser, "Sequential")


def test_while_training_goes_on_a_step_stays_as_it_was(net: Network) -> None:
    with cw.Recorder(net.model, every=1) as run:
        train(net.model)
        browser = LayerBrowser(net, noise(0), run=run, step=3)
        then, page = top(at(net, run, 3), noise(0)), Browser(browser)
        train(net.model)
        args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": "0"}
        assert page.request("layer", **args, of="activations").value["shape"] == [4, 14, 14]
        assert shown_top(browser) == then
        browser.close()


def test_the_first_state_is_of_the_step(net: Network, run: Run) -> None:
    browser = LayerBrowser(net, noise(0), run=run, step=2)
    state = browser.comm.state
    assert state["_graph"]["name"] == "Sequential, step 2"
    assert shown_top(browser) == top(at(net, run, 2), noise(0))
    browser.close()


def test_a_script_need_not_wait(browser: LayerBrowser, net: Network, run: Run) -> None:
    for step in (1, 5, 3):
        browser.step = step
        maps = browser._sheet().maps
        np.testing.assert_array_equal(maps, at(net, run, step).activations(noise(0))["3"][0])


def test_a_page_is_recorded_at_one_step(browser: LayerBrowser, net: Network, run: Run) -> None:
    browser.step = 2
    page, then = Browser(browser), at(net, run, 2).activations(noise(0))
    with browser._recording():
        page.set(step=5)
        browser._slots.passes.release()
        for name in ("0", "3"):
            args = {"slot": "a", "key": browser._pictures["a"]["key"], "layer": name}
            answer = browser.answer("mean", {**args, "of": "activations"})
            found = np.frombuffer(answer.tensors[0][-then[name][0, 0].numel() * 4 :], np.float32)
            np.testing.assert_array_equal(found, then[name][0].mean(0).flatten())
    shows(browser, "Sequential, step 5")


def test_of_many_steps_the_newest_is_shown(
    browser: LayerBrowser, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, restored = threading.Event(), []
    restore = run.restore

    def slow(step: int, *given: Any) -> int:
        restored.append(step)
        gate.wait(20)
        return restore(step, *given)

    monkeypatch.setattr(run, "restore", slow)
    page = Browser(browser)
    page.set(step=0)
    eventually(lambda: restored == [0])
    for step in (1, 2, 3, 4, 5):
        page.set(step=step)
    assert len(browser._worker._jobs) == 1
    gate.set()
    shows(browser, "Sequential, step 5")
    assert len(restored) <= 3


def test_one_copy_is_kept(browser: LayerBrowser) -> None:
    browser.step = 0
    shows(browser, "Sequential, step 0")
    copy = browser._slots.net
    held = browser._slots.passes.held
    for step in (1, 2, 3, 4, 0):
        browser.step = step
        shows(browser, f"Sequential, step {step}")
        assert browser._slots.net is copy
        assert browser._slots.passes.held == held


def test_a_run_from_a_directory(net: Network, tmp_path: Path) -> None:
    recorded(net.model, directory=tmp_path / "run")
    stored = cw.load_run(tmp_path / "run")
    with assert_untouched(net.model):
        browser = LayerBrowser(net, noise(0), run=stored, step=STEPS)
    assert browser._graph["name"] == f"Sequential, step {STEPS}"
    for file in (tmp_path / "run" / "snapshots").iterdir():
        file.unlink()
    browser.step = 2
    shows(browser, "Sequential")
    eventually(lambda: "has no snapshots" in (browser._error or ""))
    assert shown_top(browser) == top(net, noise(0))
    browser.step = None
    eventually(lambda: browser._error is None)
    browser.close()


class Other(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)

    def forward(self, x: torch.Tensor) -> Any:
        return self.conv(x).mean((2, 3))


def test_runs_that_do_not_fit(browser: LayerBrowser, net: Network, run: Run) -> None:
    with cw.Recorder(Other(), every=1) as other:
        pass
    bare = recorded(small_model(), snapshots=0)
    least = sum(one.numel() for one in net.model.state_dict().values())
    filters = recorded(small_model(), snapshot_bytes=8 * least)
    for wrong, words in (
        (other, "not the one that was"),
        (bare, "no snap"),
        (filters, "filters a"),
    ):
        with pytest.raises(ValueError, match=rf"^run: .* has no step to show here.*{words}"):
            browser.run = wrong
        assert browser.run is run
    with pytest.raises(TypeError, match=r"run: a Recorder, or what cw\.load_run returns, not int"):
        browser.run = 3  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"^run: "):
        LayerBrowser(net, noise(0), run=other)
    browser.step = 2
    shows(browser, "Sequential, step 2")


class Monitor(anywidget.AnyWidget):
    _esm = ""
    step = Int(0).tag(sync=True)

    def __init__(self, *runs: Run) -> None:
        super().__init__()
        self.runs = runs


def test_a_monitor_hands_over_its_run(net: Network, run: Run) -> None:
    other = recorded(small_model())
    monitor, browser = Monitor(other, run), LayerBrowser(net, noise(0))
    cw.link(monitor, browser)
    assert browser.run is run
    shows(browser, "Sequential, step 0")
    monitor.step = 4
    shows(browser, "Sequential, step 4")
    assert shown_top(browser) == top(at(net, run, 4), noise(0))
    browser.step = None
    assert monitor.step == 4
    browser.close()


def test_a_monitor_without_a_run_of_the_network(net: Network, run: Run) -> None:
    monitor, browser = Monitor(recorded(small_model())), LayerBrowser(net, noise(0))
    with pytest.warns(
        UserWarning, match=r"link: run: none of them is of the model.*browser\.run ="
    ):
        cw.link(monitor, browser)
    monitor.step = 3
    assert browser.step == 3
    assert browser._graph["name"] == "Sequential"
    browser.run = run
    shows(browser, "Sequential, step 3")
    cw.link(monitor, browser)
    assert browser.run is run
    browser.close()
