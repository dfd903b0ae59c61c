"""The gradient ascent viewer with units that do not climb, odd networks, and users in a hurry."""

from __future__ import annotations

import gc
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

import cnnwidgets as cw
from cnnwidgets.ascent.climbing import Ascent
from cnnwidgets.widgets import ascent_climb
from cnnwidgets.widgets.ascent_frames import Frames
from tests.architectures import ARCHITECTURES
from tests.ascending import climbed_by, held, viewing
from tests.climbing import climbed
from tests.kernel import PATIENCE, Browser, eventually
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.usefixtures("front_end")

NO_REACTION = (
    "this unit does not react to the start picture: its gradient is zero; try another seed or "
    "start: a unit that never reacts is dead"
)


def said(viewer: Any) -> list[str | None]:
    """Why its pictures do not move."""
    return [note and note["words"] for note in viewer._ended["notes"]]


def test_an_end_is_noted_at_its_step() -> None:
    viewer = climbed_by("conv2:1", steps=600, compare="sad", lr=1e-6)
    (up, down), last = viewer._ended["notes"], viewer._climb.measured[-1]
    assert (up["settled"], down["settled"]) == (True, True)
    assert ("risen" in up["words"], "fallen" in down["words"]) == (True, True)
    assert [up["step"], down["step"]] == [one.step for one in last]
    viewer.close()


def ascents() -> int:
    """How many there are in memory."""
    gc.collect()
    return sum(isinstance(one, Ascent) for one in gc.get_objects())


def test_a_size_that_is_too_small() -> None:
    viewer, before = viewing("conv2:1", size=3), ascents()
    viewer.run()
    with pytest.raises(
        ValueError, match=r"size: 3; the network cannot take such pictures: .*1 x 1"
    ):
        viewer.wait(PATIENCE)
    assert ascents() == before  # the error that is kept keeps none
    viewer.size = None
    viewer.run()
    assert viewer.wait(PATIENCE)
    viewer.close()


class Breaks(nn.Module):
    """Its score turns into NaN once the picture is bright enough."""

    def forward(self, x: Tensor) -> Tensor:
        score = x.flatten(1).mean(1, keepdim=True)
        return torch.cat([score + torch.where(score > 0.6, torch.nan, 0.0), -score], 1)


def test_nan_in_mid_run() -> None:
    model = Breaks()
    net = cw.Network(model, input_size=(3, 8, 8))
    with assert_untouched(model):
        viewer = climbed_by(cw.Logit(0), net, steps=200)
    last = viewer.frames[-1]
    assert last.note == f"stopped at step {last.step + 1}: the score is not a finite number"
    assert said(viewer) == [last.note]
    assert viewer._ended["notes"][0]["step"] == last.step + 1
    assert np.isfinite(last.score)
    assert bool(last.image.isfinite().all())
    expected = list(cw.ascend(net, cw.Logit(0), steps=200))
    assert [frame.score for frame in viewer.frames] == [f.score for f in expected[:-1]]
    page = Browser(viewer)
    (numbers,) = page.request("curve", generation=viewer._generation).tensors
    assert np.isnan(numbers[:, -1]).all()
    assert np.isfinite(numbers[:, :-1]).all()
    assert viewer.error is None
    assert viewer.figure() is not None
    viewer.run()
    assert viewer.wait(PATIENCE)
    viewer.close()


def test_nan_at_the_start() -> None:
    net = climbed(function=lambda maps: maps.mean((2, 3)) * float("nan"))
    viewer = viewing("class:cat", net)
    page = Browser(viewer)
    page.send("hello")
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert said(viewer) == ["stopped at step 0: the score is not a finite number"]
    frame = page.comm.wait_for(lambda m: m.content["kind"] == "frame")
    assert frame.content["value"]["predictions"][0]["probability"] is None
    assert viewer._repr_mimebundle_() is not None
    assert viewer.error is None
    viewer.close()


def test_dead_unit_beside_others() -> None:
    net = climbed()
    with torch.no_grad():
        net.model.get_parameter("conv2.bias").copy_(torch.tensor([0, 0, 1, -100, 1]))
    viewer = climbed_by("relu2:2", net, compare="channels", count=3, steps=20)
    assert said(viewer) == [None, NO_REACTION, None]
    assert viewer._ended["notes"][1]["step"] == 0
    numbers = viewer._climb.numbers(0, 21)
    assert np.isnan(numbers[0, 8:, 1]).all()
    assert np.isfinite(numbers[0, :, [0, 2]]).all()
    assert (numbers[1, :8, 1] == 0).all()
    dead = climbed_by("relu2:3", net)
    assert {frame.note for frame in dead.frames} == {NO_REACTION}
    assert len(dead.frames) == 8
    viewer.close()
    dead.close()


def test_saturated_unit() -> None:
    net = climbed(function=lambda maps: maps.mean((2, 3)) * 1e4)
    top = net.predict(torch.rand(3, 12, 12))[0].index
    viewer = climbed_by(f"class:{top}", net, measure="probability", steps=30)
    assert "does not react" in str(said(viewer)[0])
    assert not viewer._ended["notes"][0]["settled"]
    assert viewer._ended["first"] == [0]
    viewer.close()


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 8), (5, 13), (2, 9), (3, 512)])
def test_any_channels_and_size(channels: int, size: int) -> None:
    net = climbed(size, channels)
    viewer = viewing("conv1:1", net, steps=2)
    page = Browser(viewer)
    page.send("hello")
    with assert_untouched(net.model):
        viewer.run()
        assert viewer.wait(PATIENCE)
    shown = channels if channels in (1, 3) else 1
    frame = page.comm.wait_for(lambda m: m.content["kind"] == "frame")
    assert frame.tensors[0].shape == (1, size, size, shown)
    assert viewer.frames[-1].image.shape == (channels, size, size)
    if shown != channels:
        every = viewer._climb.frames[0]
        (found,) = page.request("frames", generation=viewer._generation, steps=[0]).tensors
        np.testing.assert_array_equal(found[0, ..., 0], every.mean(3).astype(np.uint8))
    assert viewer._repr_mimebundle_() is not None
    assert viewer.error is None
    viewer.close()


def test_another_size_than_the_networks() -> None:
    net = cw.samples.fashion()[0]
    viewer = climbed_by("block1.conv1:3", net, size=40)
    assert viewer.frames[-1].image.shape == (1, 40, 40)
    assert viewer.frames[-1].prediction is None  # the whole takes no such picture
    viewer.objective = "class:Bag"
    with pytest.raises(ValueError, match="size: 40; the network cannot take such pictures: mat1"):
        viewer.wait(PATIENCE)
    assert viewer._error
    assert not viewer.running
    viewer.size = None
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert viewer._error is None
    viewer.close()


def test_without_a_classifier() -> None:
    net = cw.Network(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), input_size=12)
    with pytest.raises(ValueError, match="there is no class 'zebra', the network is no classifier"):
        viewing("class:zebra", net)
    viewer = climbed_by("0:1", net)
    assert viewer.comm.state["_classes"] == []
    assert viewer.frames[-1].prediction is None
    reply = Browser(viewer).request("frames", generation=viewer._generation, steps=[3])
    assert reply.value["predictions"] == reply.value["complement"] == [[None]]
    viewer.close()


def test_a_model_that_fails_after_the_layer() -> None:
    def fails(_: Tensor) -> Tensor:
        raise ZeroDivisionError

    viewer = climbed_by("conv2:1", climbed(function=fails))
    assert (viewer.comm.state["_classes"], viewer.error) == ([], None)
    assert len(viewer.frames) == 9
    viewer.close()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    model.train()
    net = cw.Network(model, input_size=tuple(x.shape[1:]))
    with assert_untouched(model):
        viewer = viewing(cw.Class(1), net, steps=3, compare="sad")
        page = Browser(viewer)
        page.send("hello")
        viewer.run()
        assert viewer.wait(PATIENCE)
        layer = viewer._layers[len(viewer._layers) // 2]["name"]
        viewer.objective = f"{layer}:0"
        assert viewer.wait(PATIENCE)
        assert (viewer.frames[-1].prediction is None) == (name == "unet")
    assert viewer.error is None
    viewer.close()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    net = climbed()
    net.model.to(dtype)
    viewer = climbed_by("class:bird", net, compare="seeds", count=2, steps=40)
    assert viewer._ended["notes"] == [None, None]
    assert viewer.frames[-1].score > viewer.frames[0].score
    viewer.close()


def test_an_error_in_mid_run_is_said_and_run_goes_on() -> None:
    broken = False

    def total(output: Tensor) -> Tensor:
        if broken:
            raise ZeroDivisionError("by a cat")
        return output.sum(1)

    viewer = climbed_by(total, steps=4)
    viewer.steps, broken = 8, True
    viewer.run()
    with pytest.raises(ZeroDivisionError, match="by a cat"):
        viewer.wait(PATIENCE)
    assert (viewer._error, viewer._ended) == ("ZeroDivisionError: by a cat", None)
    broken = False
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert [frame.step for frame in viewer.frames] == list(range(9))
    assert viewer._error is None
    viewer.close()


def test_no_gradient() -> None:
    viewer = viewing(lambda output: output.detach().sum(1))
    viewer.run()
    with pytest.raises(ValueError, match="differentiated"):
        viewer.wait(PATIENCE)
    assert viewer._error
    viewer.objective = "conv1:1"
    assert viewer.wait(PATIENCE)
    assert (viewer._error, len(viewer.frames)) == (None, 9)
    viewer.close()


def test_a_unit_that_the_map_does_not_have_is_said() -> None:
    """At another size than the network's: else it is refused."""
    viewer = viewing("conv1:1:40:0", size=16)
    viewer.run()
    with pytest.raises(ValueError, match=r"row: 40; layer 'conv1' has 14 rows, 0 to 13"):
        viewer.wait(PATIENCE)
    viewer.close()


def test_what_is_wrong_in_a_page_is_said_there() -> None:
    viewer = viewing()
    page = Browser(viewer)
    page.set(objective="conv3:1")
    assert "did you mean" in str(viewer._error)
    assert viewer.objective == "conv2:1"
    page.set(steps=5000)
    assert viewer._error == "steps: 5000; choose 1 to 2,048"
    page.set(steps=4)
    assert viewer._error is None
    viewer.close()


def test_long_ascents_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ascent_climb, "Frames", lambda: Frames(10 * 12 * 12 * 3))
    viewer = climbed_by("conv2:1", steps=50)
    assert [frame.step for frame in viewer.frames] == [0, 8, 16, 24, 32, 40, 48, 50]
    expected = list(cw.ascend(viewer.net, "conv2:1", steps=50))
    assert [f.score for f in viewer.frames] == [expected[f.step].score for f in viewer.frames]
    assert viewer._climb.numbers(0, 51).shape == (3, 51, 1)
    viewer.close()


def test_closing_and_interrupting_in_mid_run(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = viewing(steps=2000)
    gate = held(viewer, monkeypatch)
    viewer.run()
    turns = viewer._turns

    def interrupted(_: Any = None) -> bool:
        raise KeyboardInterrupt

    ended = turns.wait
    monkeypatch.setattr(turns, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        viewer.wait()
    gate.release(5000)
    assert ended(PATIENCE)
    assert not viewer.running
    assert not viewer._climb.over
    viewer.run()  # it goes on
    eventually(lambda: len(viewer._climb.measured) > 4)
    turns = viewer._turns
    viewer.close()
    assert turns.wait(PATIENCE)
    assert turns.error is None
    viewer.close()


def test_everything_at_once() -> None:
    """Random buttons and settings: no error, and it answers in the end."""
    dice = random.Random(0)  # noqa: S311 - no secret
    net = climbed()
    viewer = viewing("conv2:1", net, steps=40)
    page = Browser(viewer)
    page.send("hello")
    settings: dict[str, list[Any]] = {
        "objective": ["conv1:0", "conv2:3", "class:bird", "conv1:1:2:3"],
        "compare": ["none", "sad", "seeds", "tv", "channels"],
        "measure": ["logit", "probability", "log-odds"],
        "seed": [0, 1, 2],
        "tv": [None, 0.0, 5.0],
        "direction": [1, -1],
        "count": [2, 4],
        "size": [None, 10],
        "steps": [1, 40],
        "step": [0, 7],
        "follow": [True, False],
    }
    with assert_untouched(net.model):
        for _ in range(150):
            name = dice.choice(
                ["run", "pause", "resume", "step", "reset", "curve", "frames", "set"]
            )
            if name == "set":
                trait = dice.choice(list(settings))
                page.set(**{trait: dice.choice(settings[trait])})
            else:
                page.ask(name, {"generation": viewer._generation, "steps": [0, 3]})
        page.set(objective="conv2:1", compare="none", size=None, steps=8)
        page.request("reset")
        page.request("run")
        assert viewer.wait(PATIENCE)
    assert len(viewer.frames) == 9
    assert viewer.error is None
    viewer.close()
