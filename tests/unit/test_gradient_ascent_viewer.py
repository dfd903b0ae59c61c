"""The gradient ascent viewer as an object: its frames, what it climbs, what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent, Settings
from cnnwidgets.ascent.settings import CALM
from cnnwidgets.widgets.gradient_ascent_viewer import GradientAscentViewer
from tests.ascending import climbed_by, pixels, viewing
from tests.climbing import CLASSES, climbed
from tests.kernel import PATIENCE, Browser
from tests.small import noise
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

pytestmark = pytest.mark.usefixtures("front_end")


def test_it_begins_with_nothing() -> None:
    net = climbed()
    with assert_untouched(net.model):
        viewer = viewing("conv2:1", net)
    assert (len(viewer.frames), viewer.running, viewer.progress) == (0, False, 0.0)
    assert (viewer.objective, viewer.layer, viewer.channel) == ("conv2:1", "conv2", 1)
    assert (viewer.unit, viewer.target) == (None, None)
    state = viewer.comm.state
    assert state["_classes"] == CLASSES
    assert state["_shape"] == [3, 12, 12]
    assert state["_layers"][2] == {**CONV2, "maps": [8, 8], "jump": 1}
    assert state["_layers"][4]["maps"] is None
    assert (state["_panels"], state["_ended"], state["_generation"]) == ([], None, 0)
    assert viewer.wait()
    with pytest.raises(ValueError, match="no pictures yet; run the viewer first"):
        viewer.save("nothing.gif")
    assert viewer.figure() is not None
    viewer.close()


CONV2 = {"name": "conv2", "kind": "conv", "channels": 5}
SETTINGS: dict[str, Any] = {"seed": 3, "lr": 0.1, "tv": 2.0, "l2": 0.5, "jitter": 1, "zoom": 0.0}
EDITS: dict[str, Any] = {"blur_sigma": 0.7, "clip": 0.2}


@pytest.mark.parametrize(
    ("objective", "traits", "settings"),
    [
        ("conv2:1", {}, {}),
        ("conv2:1", SETTINGS, SETTINGS),
        (cw.Class("bird"), {"direction": -1}, {"direction": -1}),
        (cw.Neuron("conv1", 2, 3, 4), EDITS, EDITS),
        (
            cw.Channel("conv1", 2) - cw.Channel("conv2", 0),
            {"parametrization": "pixel", "optimizer": "sgd", "start_from": "zeros", "size": 9},
            {"parametrization": "pixel", "optimizer": "sgd", "start": "zeros", "size": 9},
        ),
    ],
)
def test_frames_are_those_of_the_function(
    objective: Any, traits: dict[str, Any], settings: dict[str, Any]
) -> None:
    net = climbed()
    with assert_untouched(net.model):
        viewer = climbed_by(objective, net, **traits)
        frames = viewer.frames
        answers = [frame.prediction for frame in frames]
    expected = list(cw.ascend(net, objective, steps=8, **settings))
    assert [frame.step for frame in frames] == list(range(9))
    assert [frame.step for frame in frames[2:4]] == [2, 3]
    assert repr(frames) == "Film(9 frames, the last at step 8)"
    assert [frame.score for frame in frames] == [frame.score for frame in expected]
    assert [f.gradient_norm for f in frames] == [f.gradient_norm for f in expected]
    np.testing.assert_array_equal(pixels(net, frames), pixels(net, expected))
    for answer, frame in zip(answers, frames, strict=True):
        if answer is not None:
            top = net.predict(frame.image)[0]
            assert (answer.index, answer.probability) == (
                top.index,
                pytest.approx(top.probability, abs=1e-5),
            )
    again = climbed_by(objective, net, **traits)
    np.testing.assert_array_equal(pixels(net, again.frames), pixels(net, frames))
    again.close()
    viewer.close()


def test_a_start_picture() -> None:
    net = climbed()
    image = noise(1, size=12)
    viewer = climbed_by("conv2:1", net, start_from=image)
    assert viewer.start_from == viewer.comm.state["start_from"] == "picture"
    expected = list(cw.ascend(net, "conv2:1", steps=8, start=image))
    np.testing.assert_array_equal(pixels(net, viewer.frames), pixels(net, expected))
    generation = viewer._generation
    viewer.start_from = noise(2, size=12)  # as text it is the same
    viewer.steps = 9  # else it would be over, and begin anew for that
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert viewer._generation > generation
    assert not np.array_equal(pixels(net, viewer.frames[:1]), pixels(net, expected[:1]))
    viewer.start_from = "mean"
    viewer.start_from = "picture"  # the one that was given
    viewer.close()


def test_a_start_picture_that_is_none() -> None:
    viewer = viewing()
    with pytest.raises(ValueError, match=r"start_from: 'nois' is no file; did you mean 'noise'\?"):
        viewer.start_from = "nois"
    with pytest.raises(ValueError, match="start_from: 'picture' is no file"):
        viewer.start_from = "picture"
    with pytest.raises(ValueError, match="start_from: there is no file"):
        viewer.start_from = "zebra.png"
    assert viewer.start_from == "noise"
    viewer.close()


def total(output: Tensor) -> Tensor:
    return output.sum(1)


@pytest.mark.parametrize(
    ("objective", "text", "parts"),
    [
        ("conv1:3", "conv1:3", ("conv1", 3, None, None)),
        (cw.Channel("conv1", 3), "conv1:3", ("conv1", 3, None, None)),
        ("conv1:3:2:4", "conv1:3:2:4", ("conv1", 3, (2, 4), None)),
        (cw.Neuron("conv1", 3, 2, 4), "conv1:3:2:4", ("conv1", 3, (2, 4), None)),
        ("class:bird", "class:bird", (None, None, None, 2)),
        ("class:2", "class:bird", (None, None, None, 2)),
        (cw.Class("bird"), "class:bird", (None, None, None, 2)),
        (cw.Logit(2), "class:bird", (None, None, None, 2)),
        (total, "total", (None, None, None, None)),
        (lambda output: output.sum(1), "custom", (None, None, None, None)),
        (
            cw.Channel("conv1", 3) - cw.Class("cat") / 2,
            "1 × conv1:3 + -0.5 × log-odds of cat",
            (None, None, None, None),
        ),
        (cw.Direction("conv1", torch.ones(4)), "direction in conv1", (None, None, None, None)),
    ],
)
def test_objectives(objective: Any, text: str, parts: Any) -> None:
    for viewer in (viewing(objective), viewing()):
        viewer.objective = objective if viewer.objective != text else text
        assert viewer.objective == text
        assert (viewer.layer, viewer.channel, viewer.unit, viewer.target) == parts
        Browser(viewer).set(objective=text)
        assert viewer._error is None
        viewer.close()


def test_another_function_of_the_same_name() -> None:
    net = climbed()
    viewer = climbed_by(lambda output: output[:, 0], net)
    viewer.objective = lambda output: output[:, 1]
    assert viewer.wait(PATIENCE)
    expected = list(cw.ascend(net, lambda output: output[:, 1], steps=8))
    assert [frame.score for frame in viewer.frames] == [frame.score for frame in expected]
    viewer.close()


def test_the_measure_follows_an_objective_and_is_followed() -> None:
    net = climbed()
    viewer = viewing(cw.Probability("bird"), net)
    assert viewer.measure == "probability"
    viewer.objective = cw.Logit("bird")
    assert viewer.measure == "logit"
    viewer.run()
    assert viewer.wait(PATIENCE)
    expected = list(cw.ascend(net, cw.Logit("bird"), steps=8))
    assert [frame.score for frame in viewer.frames] == [frame.score for frame in expected]
    viewer.measure = "probability"
    assert viewer._panels[0]["measure"] == "logit"  # what it was made for
    viewer.run()
    assert viewer.wait(PATIENCE)
    expected = list(cw.ascend(net, cw.Probability("bird"), steps=8))
    assert [frame.score for frame in viewer.frames] == [frame.score for frame in expected]
    viewer.close()
    given = viewing(cw.Class("bird"), measure="logit")
    assert (given.measure, given._subject.objective.measure) == ("logit", "logit")
    given.close()


def test_its_parts_make_an_objective() -> None:
    viewer = viewing("class:bird")
    viewer.target = 3
    assert viewer.objective == "class:fish"
    viewer.layer = "conv2"
    assert viewer.objective == "conv2:0"
    viewer.channel = 4
    assert viewer.objective == "conv2:4"
    viewer.unit = (1, 2)
    assert viewer.objective == "conv2:4:1:2"
    viewer.layer = "conv1"  # which has four channels, and other units
    assert (viewer.objective, viewer.channel, viewer.unit) == ("conv1:3", 3, None)
    with pytest.raises(ValueError, match=r"target: 1, but 'conv1:3' is no class; set objective"):
        viewer.target = 1
    for name, value, message in (
        ("layer", "conv3", r"layer: .*conv3'; did you mean 'conv"),
        ("channel", 4, "channel: 4; layer 'conv1' has 4 channels, 0 to 3"),
        ("channel", None, "channel: None"),
    ):
        with pytest.raises(ValueError, match=message):
            setattr(viewer, name, value)
    assert viewer.objective == "conv1:3"
    viewer.objective = "class:cat"
    with pytest.raises(ValueError, match="channel: 1, but 'class:cat' is no unit"):
        viewer.channel = 1
    viewer.close()
    viewer = viewing("class:bird", layer="conv2", channel=3)
    assert viewer.objective == "conv2:3"
    viewer.close()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"objective": "conv3:1"}, r"'conv3'; did you mean 'conv"),
        ({"objective": "conv2"}, r"objective: 'conv2' has no channel; give \"conv2:0\""),
        ({"objective": "conv2:5"}, "objective: 'conv2:5'; layer 'conv2' has 5 channels, 0 to 4"),
        ({"objective": "conv1:1:10:0"}, "row: 10; layer 'conv1' has 10 rows, 0 to 9"),
        ({"objective": cw.Neuron("conv1", 1, 0, 10)}, "column: 10; layer 'conv1' has 10 columns"),
        ({"unit": (0, 99)}, "column: 99; layer 'conv2' has"),
        ({"unit": (-1, 0)}, "row: -1; layer 'conv2' has"),
        ({"objective": "mean:1:0:0"}, r"unit: \(0, 0\); layer 'mean' has no rows and columns"),
        ({"objective": "class:brid"}, r"no class is named 'brid'; did you mean 'bird'\?"),
        ({"objective": "bird"}, "objective: 'bird' is a class; give \"class:bird\""),
        ({"objective": "class:5"}, "there is no class 5; choose 0 to 4"),
        ({"objective": cw.Class("brid")}, r"did you mean 'bird'\?"),
        ({"measure": "logits"}, r"measure: there is no 'logits'; did you mean 'logit'\?"),
        ({"compare": "sed"}, r"compare: there is no 'sed'; did you mean 'seds?'|'sad'|'seeds'"),
        ({"objective": total, "compare": "channels"}, "compare: 'total' is no unit of a layer"),
        ({"direction": 0}, "direction: 0; give 1"),
        ({"steps": 0}, "steps: 0; choose 1 to 2,048"),
        ({"count": 17}, "count: 17; choose 2 to 16"),
        ({"size": 0}, "size: 0; choose 1 to 4,096"),
        ({"seed": -1}, "seed: -1; choose 0 to"),
        ({"lr": 0.0}, "lr: 0.0; give a number above 0"),
        ({"tv": -1.0}, "tv: -1.0; give a number from 0 on"),
        ({"clip": 1.0}, "clip: 1.0; give a share"),
        ({"jitter": float("nan")}, "jitter: nan; give a number from 0 on"),
        ({"optimizer": "adm"}, r"optimizer: there is no 'adm'; did you mean 'adam'\?"),
    ],
)
def test_what_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viewing(**given)
    viewer = viewing()
    before = viewer.get_state()
    with pytest.raises(ValueError, match=message):  # noqa: PT012 - one of them is refused
        for name, value in reversed(given.items()):
            setattr(viewer, name, value)
    (refused, *_) = given
    assert viewer.get_state()[refused] == before[refused]
    viewer.run()
    assert viewer.wait(PATIENCE)
    viewer.close()


def test_wrong_words_raise() -> None:
    net = climbed()
    with pytest.raises(TypeError, match=r"no keyword 'sede'; did you mean 'seed'\?"):
        GradientAscentViewer(net, "conv1:0", sede=1)
    with pytest.raises(TypeError, match="no keyword 'start'; give start_from"):
        GradientAscentViewer(net, "conv1:0", start="zeros")
    with pytest.raises(TypeError, match="objective: 3; give"):
        GradientAscentViewer(net, 3)  # type: ignore[arg-type]
    viewer = viewing()
    with pytest.raises(AttributeError, match=r"no attribute 'sede'; did you mean 'seed'\?"):
        viewer.sede = 3
    viewer.close()


def test_happy_and_sad_side_by_side() -> None:
    net = climbed()
    viewer = climbed_by("conv2:1", net, compare="sad", tv=0.0)
    assert [one["label"] for one in viewer._panels] == ["conv2:1", "less of conv2:1"]
    up, down = (
        [frame.score for frame in cw.ascend(net, "conv2:1", steps=8, tv=0.0, direction=way)]
        for way in (1, -1)
    )
    numbers = viewer._climb.numbers(0, 9)
    np.testing.assert_allclose(numbers[0, :, 0], up, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numbers[0, :, 1], down, rtol=1e-4, atol=1e-6)
    viewer.direction = -1
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert [one["label"] for one in viewer._panels] == ["less of conv2:1", "conv2:1"]
    np.testing.assert_allclose(viewer._climb.numbers(0, 9)[0, :, 0], down, rtol=1e-4, atol=1e-6)
    viewer.close()


def batch(net: cw.Network, count: int, **given: Any) -> Ascent:
    objectives = given.pop("objectives", ["conv2:1"] * count)
    return Ascent(net, objectives, given.pop("seeds", [0] * count), Settings(**given), steps=8)


BATCHES: list[tuple[dict[str, Any], list[str], Callable[[cw.Network], Ascent]]] = [
    (
        {"compare": "seeds", "count": 3, "seed": 5},
        ["seed 5", "seed 6", "seed 7"],
        lambda net: batch(net, 3, seeds=[5, 6, 7]),
    ),
    (
        {"compare": "tv", "count": 4, "tv": 2.0},
        ["TV 0", "TV 0.5", "TV 2", "TV 8"],
        lambda net: batch(net, 4, tv=[0, 0.5, 2, 8]),
    ),
    (
        {"compare": "tv", "count": 4},
        ["TV 0", "TV ¼ × automatic", "TV 1 × automatic", "TV 4 × automatic"],
        lambda net: batch(net, 4, calm=[0, CALM / 4, CALM, 4 * CALM]),
    ),
    (
        {"compare": "channels", "count": 3},
        ["conv2:1", "conv2:2", "conv2:3"],
        lambda net: batch(net, 3, objectives=["conv2:1", "conv2:2", "conv2:3"]),
    ),
]


@pytest.mark.parametrize(("traits", "labels", "expected"), BATCHES)
def test_small_multiples(
    traits: dict[str, Any], labels: list[str], expected: Callable[[cw.Network], Ascent]
) -> None:
    net = climbed()
    with assert_untouched(net.model):
        viewer = climbed_by("conv2:1", net, **traits)
    assert [one["label"] for one in viewer._panels] == viewer._climb.labels(8) == labels
    for step, frames in enumerate(expected(net)):
        np.testing.assert_array_equal(viewer._climb.frames[step], pixels(net, frames))
        assert [one.score for one in viewer._climb.measured[step]] == [f.score for f in frames]
    viewer.close()


def test_an_automatic_weight_of_one_is_the_usual_one() -> None:
    net = climbed()
    usual = climbed_by("conv2:1", net)
    sweep = climbed_by("conv2:1", net, compare="tv", count=3)
    np.testing.assert_allclose(
        [one[0].score for one in usual._climb.measured],
        [one[2].score for one in sweep._climb.measured],
        rtol=1e-4,
    )
    assert sweep._climb.measured[-1][0].score != sweep._climb.measured[-1][2].score
    usual.close()
    sweep.close()


def test_neighbours_at_the_end_of_a_layer_and_of_classes() -> None:
    viewer = climbed_by("conv2:4", compare="channels", count=9)
    assert [one["label"] for one in viewer._panels] == [f"conv2:{index}" for index in range(5)]
    viewer.objective, viewer.count = "class:fish", 3
    assert viewer.wait(PATIENCE)
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert [one["label"] for one in viewer._panels] == ["bird", "fish", "frog"]
    assert viewer._panels[0]["objective"] == "class:bird"
    viewer.objective, viewer.count = "conv1:1:2:3", 2
    assert viewer.wait(PATIENCE)
    assert [one["label"] for one in viewer._panels] == ["conv1:1:2:3", "conv1:2:2:3"]
    viewer.close()


def test_first_time_it_is_the_networks_answer() -> None:
    net = climbed()
    for compare, count in (("none", 1), ("channels", 5)):
        viewer = climbed_by("class:cat", net, compare=compare, count=max(2, count), steps=60)
        firsts = viewer._ended["first"]
        for index, panel in enumerate(viewer._climb.panels):
            answers = [
                net.predict(frame.image)[0].index == panel.subject.target
                for frame in viewer._climb.of(index)
            ]
            assert firsts[index] == (answers.index(True) if True in answers else None)
        assert any(first is not None for first in firsts)
        assert any(first for first in firsts) or compare == "none"
        viewer.close()
    unit = climbed_by("conv2:1", net)
    assert unit._ended == {"notes": [None], "first": [None]}
    unit.close()
