"""The gradient ascent viewer at work: run, pause, settings on the way, frames to the pages."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent, Settings
from cnnwidgets.ascent.settings import CALM
from tests.ascending import climbed_by, held, pixels, viewing, watching
from tests.climbing import climbed
from tests.kernel import PATIENCE, Browser, eventually
from tests.small import CLASSES, noise
from tests.untouched import assert_untouched

pytestmark = pytest.mark.usefixtures("front_end")


def test_pause_acts_within_a_step_and_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    net = climbed()
    viewer = viewing("conv2:1", net)
    page = watching(viewer)
    gate = held(viewer, monkeypatch)
    with assert_untouched(net.model):
        viewer.run()
        assert viewer.running
        eventually(lambda: viewer._climb.newest)
        page.ask("pause")  # acts although the worker is at a step
        gate.release(100)
        assert viewer.wait(PATIENCE)
        assert (viewer.running, viewer._ended) == (False, None)
        assert viewer.frames[-1].step == viewer.step < 2
        generation = viewer._generation
        page.request("step")
        assert viewer.wait(PATIENCE)
        assert viewer.frames[-1].step == viewer.step == len(viewer.frames) - 1
        assert viewer.progress == viewer.step / 8
        page.request("resume")
        assert viewer.wait(PATIENCE)
    assert viewer._generation == generation
    expected = list(cw.ascend(net, "conv2:1", steps=8))
    np.testing.assert_array_equal(pixels(net, viewer.frames), pixels(net, expected))
    assert (viewer.progress, viewer.step) == (1.0, 8)
    viewer.close()


def test_run_stop_and_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = viewing()
    gate = held(viewer, monkeypatch)
    viewer.run()
    first = viewer._generation
    viewer.run()  # it does already
    assert viewer._generation == first
    gate.release(3)
    eventually(lambda: len(viewer._climb.measured) > 3)
    threading.Timer(0.05, gate.release, [100]).start()
    viewer.stop()
    assert not viewer.running
    taken = len(viewer.frames)
    assert 3 < taken < 9
    viewer.pause()
    Browser(viewer).request("reset")
    assert (len(viewer.frames), viewer._panels, viewer.step, viewer.progress) == (0, [], 0, 0.0)
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert (len(viewer.frames), viewer._generation) == (9, first + 1)
    viewer.run()  # it was over: anew
    assert viewer.wait(PATIENCE)
    assert (len(viewer.frames), viewer._generation) == (9, first + 2)
    viewer.steps = 12  # it is not over any more
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert (len(viewer.frames), viewer._generation) == (13, first + 2)
    viewer.close()


def test_settings_act_from_the_next_step_on(monkeypatch: pytest.MonkeyPatch) -> None:
    net = climbed()
    viewer = viewing("conv2:1", net)
    gate = held(viewer, monkeypatch)
    viewer.run()
    eventually(lambda: len(viewer._climb.measured) == 1)  # the first step waits to be told
    viewer.tv, viewer.lr, viewer.direction, viewer.steps = 3.0, 0.2, -1, 6
    assert [one["label"] for one in viewer._panels] == ["conv2:1"]  # what was made so far
    gate.release(100)
    assert viewer.wait(PATIENCE)
    assert [viewer._climb.labels(step) for step in (1, 2)] == [["conv2:1"], ["less of conv2:1"]]
    page = Browser(viewer)
    first, then = page.request("curve", generation=viewer._generation).value["turns"]
    assert (first["step"], first["now"]["lr"], first["labels"]) == (0, 0.05, ["conv2:1"])
    changed = {"tv": 3.0, "lr": 0.2, "direction": -1}
    assert then == {"step": 2, "now": changed, "labels": ["less of conv2:1"]}
    viewer.direction = 1  # it is over
    assert viewer._climb.labels(6) == ["less of conv2:1"]
    assert viewer._story().title(1) == "conv2:1 (mean activation)"
    assert viewer._story().title(6) == "less of conv2:1 (mean activation)"
    ascent = Ascent(net, "conv2:1", 0, Settings(calm=[CALM]))
    expected = [ascent.step()[0]]
    ascent.settings = Settings(tv=[3.0], lr=0.2, direction=-1)
    expected += [ascent.step()[0] for _ in range(6)]
    assert [frame.score for frame in viewer.frames] == [frame.score for frame in expected]
    viewer.close()


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("seed", 4),
        ("objective", "conv1:0"),
        ("parametrization", "pixel"),
        ("optimizer", "sgd"),
        ("start_from", "zeros"),
        ("size", 10),
        ("compare", "sad"),
    ],
)
def test_what_begins_anew(trait: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    net = climbed()
    viewer = viewing("conv2:1", net)
    setattr(viewer, trait, value)
    assert viewer._generation == 0  # nothing runs before it is asked to
    viewer.close()
    viewer = viewing("conv2:1", net)
    gate = held(viewer, monkeypatch)
    viewer.run()
    generation = viewer._generation
    eventually(lambda: viewer._climb.newest)
    Browser(viewer).set(**{trait: value})
    assert viewer._generation == generation + 1
    gate.release(100)
    assert viewer.wait(PATIENCE)
    fresh = climbed_by(viewer.objective, net, **{trait: value} if trait != "objective" else {})
    np.testing.assert_array_equal(
        viewer._climb.frames[viewer.step], fresh._climb.frames[fresh.step]
    )
    viewer.close()
    fresh.close()


def test_once_it_is_over_only_another_objective_starts() -> None:
    viewer = climbed_by()
    generation = viewer._generation
    viewer.seed, viewer.count, viewer.measure, viewer.tv = 3, 4, "logit", 2.0
    assert (viewer.running, viewer._generation) == (False, generation)
    viewer.channel = 2
    assert viewer._generation == generation + 1
    assert viewer.wait(PATIENCE)
    assert viewer._panels[0]["label"] == "conv2:2"
    viewer.close()


def test_a_layer_browser_chooses_what_is_climbed() -> None:
    net = climbed()
    browser = cw.LayerBrowser(net, noise(0, size=12), layer="conv1", channel=2)
    viewer = viewing("class:bird", net)
    tied = cw.link(browser, viewer)
    assert {"layer", "channel", "unit", "target"} == set(tied.names)
    assert (viewer.objective, viewer._generation) == ("class:bird", 0)  # nothing was chosen
    browser.channel = 3
    assert viewer.wait(PATIENCE)
    assert (viewer.objective, viewer._panels[0]["label"]) == ("conv1:3", "conv1:3")
    viewer.objective = "class:cat"
    browser.channel = 1
    assert viewer.objective == "conv1:1"
    browser.layer = "conv2"
    assert (viewer.objective, browser.channel) == ("conv2:1", 1)
    browser.channel = 4
    assert viewer.wait(PATIENCE)
    assert (viewer.objective, viewer._panels[0]["label"]) == ("conv2:4", "conv2:4")
    viewer.objective = "class:cat"
    browser.layer = "conv1"
    assert viewer.objective == f"conv1:{browser.channel}"
    viewer.objective, browser.layer, browser.channel = "class:cat", "conv2", 4
    assert viewer.wait(PATIENCE)
    browser.unit = (1, 2)
    assert viewer.wait(PATIENCE)
    assert viewer._panels[0]["label"] == "conv2:4:1:2"
    browser.target = (browser.target + 1) % len(CLASSES)  # of its gradients; a unit is climbed
    assert viewer.objective == "conv2:4:1:2"
    viewer.objective = "conv1:1"
    assert (browser.layer, browser.channel) == ("conv1", 1)
    assert browser.unit is None
    assert viewer.wait(PATIENCE)
    viewer.close()
    browser.close()


def test_a_class_chosen_in_a_saliency_viewer_is_climbed() -> None:
    net = climbed()
    saliency = cw.SaliencyViewer(net, noise(0, size=12), target="cat")
    viewer = viewing("class:bird", net)
    tied = cw.link(viewer, saliency)
    assert saliency.target == 2
    saliency.target = 4
    assert viewer.objective == "class:frog"
    assert "step" not in tied.names
    viewer.close()
    saliency.close()


def test_a_closed_output_stops_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = viewing(steps=2000)
    page = watching(viewer)
    gate = held(viewer, monkeypatch)
    viewer.run()
    gate.release(2)
    page.send("bye")
    gate.release(5000)
    assert viewer.wait(PATIENCE)
    assert len(viewer.frames) < 10
    page.send("hello")
    page.request("resume")
    eventually(lambda: len(viewer._climb.measured) > 20)
    viewer.close()
    assert not viewer.frames


def test_other_requests_come_between(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = viewing(steps=2000)
    page = watching(viewer)
    gate = held(viewer, monkeypatch)
    viewer.run()
    identity = page.ask("curve", {"generation": viewer._generation})
    gate.release(3)
    assert page.reply(identity).tensors[0].shape[1] < 6
    viewer.pause()
    gate.release(10)
    viewer.close()


def test_two_viewers_of_one_network_at_once() -> None:
    net = climbed()
    viewers = [viewing(f"conv2:{channel}", net) for channel in (1, 2)]
    for viewer in viewers:
        viewer.run()
    for viewer, channel in zip(viewers, (1, 2), strict=True):
        assert viewer.wait(PATIENCE)
        expected = list(cw.ascend(net, f"conv2:{channel}", steps=8))
        np.testing.assert_array_equal(pixels(net, viewer.frames), pixels(net, expected))
        viewer.close()


def test_weights_may_change_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    net = climbed()
    viewer = viewing("conv2:1", net, tv=0.0)
    gate = held(viewer, monkeypatch)
    viewer.run()
    eventually(lambda: len(viewer._climb.measured) == 1)
    with torch.no_grad():
        net.model.get_parameter("conv2.bias").add_(10)
    gate.release(100)
    assert viewer.wait(PATIENCE)
    scores = [frame.score for frame in viewer.frames]
    assert min(scores[1:]) > scores[0] + 9
    viewer.close()
