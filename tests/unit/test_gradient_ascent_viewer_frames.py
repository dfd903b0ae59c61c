"""What pages get of an ascent: frames, numbers, what the network says, within bytes."""

from __future__ import annotations

import gc
import time
import weakref
from typing import Any

import numpy as np
import pytest

from cnnwidgets.widgets import ascent_climb, ascent_replies
from cnnwidgets.widgets.ascent_answers import Asking
from cnnwidgets.widgets.ascent_frames import Frames, coarse_to_fine
from cnnwidgets.widgets.stream import Stream
from tests.ascending import acknowledged, climbed_by, viewing, watching
from tests.climbing import climbed
from tests.kernel import PATIENCE, Browser

pytestmark = pytest.mark.usefixtures("front_end")


def test_frames_hold_all_numbers_and_the_newest_pictures() -> None:
    net = climbed()
    viewer = viewing("class:bird", net, compare="sad")
    page = watching(viewer)
    page.request("run")
    frames = acknowledged(page)
    assert viewer.wait(PATIENCE)
    numbers = np.concatenate([frame.tensors[1] for frame in frames], 1)
    np.testing.assert_array_equal(numbers, viewer._climb.numbers(0, 9))
    assert numbers.shape == (3, 9, 2)
    at = 0
    for frame in frames:
        value = frame.content["value"]
        assert (value["generation"], value["from"]) == (viewer._generation, at)
        at = value["step"] + 1
        np.testing.assert_array_equal(frame.tensors[0], viewer._climb.frames[value["step"]])
        assert value["speed"] > 0
        assert value["notes"] == [None, None]
    last = frames[-1].content["value"]
    assert last["first"] == viewer._ended["first"]
    top, second = net.predict(viewer.frames[-1].image)[:2]
    answer = {"index": top.index, "name": top.name, "probability": pytest.approx(top.probability)}
    assert last["predictions"][0] == answer
    assert last["complement"][0]["name"] == second.name
    assert last["complement"][0]["probability"] == pytest.approx(second.probability)
    viewer.close()


def test_no_frame_comes_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would have to wait, and be sent by a thread that is in the way of the one that climbs."""
    viewer = viewing("conv2:1")
    watching(viewer)
    viewer._climb = climb = viewer._anew()
    next(climb)
    naps, waited = iter([0.03]), []
    monkeypatch.setattr(ascent_climb.Climb, "look", lambda _: time.sleep(next(naps, 0)))
    monkeypatch.setattr(Stream, "_later", lambda _, due: waited.append(due))
    while viewer.stream("frame")._seq < 2 and not waited:
        viewer._batch(climb.newest)
    assert not waited
    viewer.close()


def test_two_classes_are_each_others_complement() -> None:
    net = climbed(function=lambda maps: maps.mean((2, 3))[:, :2], classes=["cat", "dog"])
    viewer = viewing("class:cat", net, measure="probability")
    page = watching(viewer)
    viewer.run()
    value = acknowledged(page)[-1].content["value"]
    (answer,), (other,) = value["predictions"], value["complement"]
    assert answer["probability"] + other["probability"] == pytest.approx(1)
    assert {answer["name"], other["name"]} == {"cat", "dog"}
    viewer.close()


def test_a_page_catches_up() -> None:
    net = climbed()
    viewer = climbed_by("class:bird", net, compare="seeds", count=2)
    page = watching(viewer)
    generation = viewer._generation
    curve = page.request("curve", generation=generation)
    assert curve.value["steps_kept"] == list(range(9))
    assert {name: curve.value[name] for name in ("first", "notes")} == viewer._ended
    assert len(curve.value["turns"]) == 1
    expected = [
        [[getattr(one, name) for one in row] for row in viewer._climb.measured]
        for name in ("score", "norm", "tv")
    ]
    np.testing.assert_allclose(curve.tensors[0], expected, rtol=1e-6)
    reply = page.request("frames", generation=generation, steps=[5, 2, 2, 100, "one"])
    assert reply.value["steps"] == [5, 2, 8]
    for place, step in enumerate(reply.value["steps"]):
        np.testing.assert_array_equal(reply.tensors[0][place], viewer._climb.frames[step])
        for index, answer in enumerate(reply.value["predictions"][place]):
            assert answer["index"] == viewer._climb.of(index)[step].prediction.index
    answers = page.request("answers", generation=generation, steps=[5, 2, 100])
    assert (answers.value, answers.tensors) == (reply.value, [])
    assert page.request("frames", generation=generation, steps=[]).value["steps"] == []
    assert "another one has begun" in page.refusal("frames", generation=-1, steps=[1])
    assert "another one has begun" in page.refusal("curve", generation=generation + 1)
    viewer.close()


def test_frames_are_sent_within_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = climbed_by()
    monkeypatch.setattr(ascent_replies, "MOST_BYTES", 3 * 12 * 12 * 3)
    page = Browser(viewer)
    reply = page.request("frames", generation=viewer._generation, steps=[1, 2, 3, 4])
    assert reply.value["steps"] == [1, 2, 3]
    viewer.close()


def test_the_network_is_asked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    call = Asking.__call__

    def counted(self: Any, pictures: Any) -> Any:
        asked.append(len(pictures))
        return call(self, pictures)

    monkeypatch.setattr(Asking, "__call__", counted)
    viewer = climbed_by("conv2:1", steps=40)
    assert asked == [1]  # what it says of the last
    viewer.close()
    asked.clear()
    viewer = viewing("conv2:1", steps=40)
    watching(viewer)
    monkeypatch.setattr(ascent_climb, "LOOKING", 0.0)
    monkeypatch.setattr(ascent_climb, "LOOK_AFTER", float("inf"))
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert len(asked) <= 2  # the first, which cost no time yet, and the last
    viewer.close()
    climb = viewing("conv2:1", steps=9)._anew()
    asked.clear()
    for _ in climb:
        climb.look()
    assert len(asked) == 1
    monkeypatch.setattr(ascent_climb, "LOOK_AFTER", 0.0)  # as if so long had passed
    climb.steps = 12
    for _ in climb:
        climb.look()
    assert len(asked) == 4


def test_frames_within_a_budget_are_spread_evenly() -> None:
    kept = Frames(budget=10 * 12)
    for step in range(38):
        kept.add(step, np.full((1, 2, 2, 3), step, np.uint8))
        assert len(kept) <= 10
    assert kept.steps == [0, 8, 16, 24, 32, 37]
    assert all((kept[step] == step).all() for step in kept.steps)
    assert kept.nearest([0, 9, 11, 13, 99, 4]) == [0, 8, 16, 37]
    tiny = Frames(budget=1)
    for step in range(5):
        tiny.add(step, np.zeros((1, 2, 2, 3), np.uint8))
    assert tiny.steps == [0, 4]


def test_coarse_to_fine() -> None:
    assert coarse_to_fine([]) == []
    assert coarse_to_fine([3]) == [3]
    assert coarse_to_fine(range(9)) == [8, 0, 4, 2, 6, 1, 3, 5, 7]


def test_nothing_keeps_what_was_reset() -> None:
    """A frame that no page came for would."""
    viewer = viewing()
    viewer.run()
    viewer.wait()
    viewer.run()
    climb = weakref.ref(viewer._climb)
    viewer.stop()
    viewer.reset()
    gc.collect()
    assert climb() is None
