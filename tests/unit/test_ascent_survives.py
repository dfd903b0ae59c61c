"""Gradient ascent of what cannot climb, and of networks of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent, Diversity, Settings
from cnnwidgets.errors import NoGradientError
from tests.architectures import ARCHITECTURES
from tests.climbing import climbed
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

NO_REACTION = (
    "this unit does not react to the start picture: its gradient is zero; try another seed or "
    "start: a unit that never reacts is dead"
)


def dead() -> cw.Network:
    """Channel 3 of relu2 is 0 whatever it sees."""
    net = climbed()
    with torch.no_grad():
        net.model.get_parameter("conv2.bias")[3] = -100
    return net


def test_dead_unit() -> None:
    net = dead()
    with assert_untouched(net.model):
        frames = list(cw.ascend(net, "relu2:3", steps=100, tv=1.0))
    assert len(frames) == 8
    assert {frame.note for frame in frames} == {NO_REACTION}
    assert all(frame.gradient_norm == 0 for frame in frames)
    assert all(torch.equal(frame.image, frames[0].image) for frame in frames)


def test_dead_unit_among_others() -> None:
    *_, last = Ascent(dead(), ["relu2:3", "conv1:1"], steps=20)
    assert [frame.note for frame in last] == [NO_REACTION, None]
    assert [frame.step for frame in last] == [7, 20]


SLEEPER = "relu2:1"
"""It is 0 for noise near grey, and not for noise of some contrast."""


@pytest.mark.parametrize("parametrization", ["fourier", "pixel"])
def test_a_sleeping_unit_is_woken_by_louder_noise(parametrization: str) -> None:
    net = climbed()
    asked: dict[str, Any] = {"steps": 30, "tv": 0, "parametrization": parametrization}
    with assert_untouched(net.model):
        frames = list(cw.ascend(net, SLEEPER, **asked))
    faint = next(cw.ascend(net, "conv2:3", **asked)).image
    assert frames[0].gradient_norm > 0
    assert frames[0].note is None
    factor = float((frames[0].image - faint.mean()).norm() / (faint - faint.mean()).norm())
    assert factor > 1.5
    assert frames[-1].score > frames[0].score
    again = list(cw.ascend(net, SLEEPER, **asked))
    assert all(torch.equal(a.image, b.image) for a, b in zip(frames, again, strict=True))
    (_, beside), *_ = Ascent(net, ["conv2:3", SLEEPER], [0, 0], parametrization=parametrization)
    assert torch.allclose(beside.image, frames[0].image, atol=1e-6)


def test_other_starts_stay_as_they_are() -> None:
    frame = next(cw.ascend(climbed(), SLEEPER, start="mean"))
    assert frame.note == NO_REACTION
    assert float(frame.image.std()) < 0.01


def test_saturated_unit() -> None:
    net = climbed(function=lambda maps: maps.mean((2, 3)) * 1e4)
    *_, last = cw.ascend(net, cw.Probability(int(net.predict(torch.rand(3, 12, 12))[0].index)))
    assert last.note is not None
    assert "does not react" in last.note
    assert last.score == 1


def test_a_unit_that_dies_on_the_way_leaves_its_picture_as_it_is() -> None:
    """Neither its penalties nor the swing of the steps before move it."""
    net = climbed(function=lambda maps: maps.mean((2, 3)) * 300)
    frames = list(cw.ascend(net, cw.Probability(1), tv=1.0))
    before = [frame for frame in frames if frame.note is None]
    stays = frames[len(before) :]
    assert len(before) > 8
    assert len(stays) == 8
    assert not torch.equal(before[-1].image, before[-2].image)
    assert all(torch.equal(frame.image, stays[0].image) for frame in stays)


class Breaks(nn.Module):
    """Its score turns into `value` once the picture is bright enough."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        score = x.flatten(1).mean(1, keepdim=True)
        broken = torch.where(score > 0.6, self.value, 0.0)
        return torch.cat([score + broken, -score], 1)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_nan_in_mid_run(value: str) -> None:
    model = Breaks(float(value))
    net = cw.Network(model, input_size=(3, 8, 8))
    with assert_untouched(model):
        frames = list(cw.ascend(net, cw.Logit(0), steps=200, patience=None))
    assert 1 < len(frames) < 100
    last, before = frames[-1], frames[-2]
    assert last.note == f"stopped at step {before.step + 1}: the score is not a finite number"
    assert (last.step, last.score) == (before.step, before.score)
    assert torch.equal(last.image, before.image)
    assert bool(last.image.isfinite().all())


def test_nan_at_the_start() -> None:
    net = climbed(function=lambda maps: maps.mean((2, 3)) * float("nan"))
    (frame,) = cw.ascend(net, cw.Class(0))
    assert frame.note == "stopped at step 0: the score is not a finite number"
    assert frame.score != frame.score
    assert bool(frame.image.isfinite().all())


def test_nan_of_one_leaves_the_others_alone() -> None:
    net = cw.Network(Breaks(float("nan")), input_size=(3, 8, 8))
    ascent = Ascent(net, [cw.Logit(0), cw.Logit(1)], steps=60, settings=Settings(tv=0))
    *_, (broken, other) = ascent
    assert broken.note is not None
    assert broken.note.startswith("stopped at step")
    assert (other.note, other.step) == (None, 60)
    assert bool(other.image.isfinite().all())
    assert other.score > -0.45


@pytest.mark.parametrize("parametrization", ["fourier", "pixel"])
@pytest.mark.parametrize(
    ("channels", "size"),
    [(1, 8), (3, 8), (5, 8), (5, 13), (1, (9, 14)), (3, 64)],
)
def test_any_channels_and_size(channels: int, size: Any, parametrization: str) -> None:
    net = climbed(12, channels)
    with assert_untouched(net.model):
        frames = list(
            cw.ascend(net, "conv2:1", size=size, steps=30, tv=0, parametrization=parametrization)
        )
    height, width = size if isinstance(size, tuple) else (size, size)
    assert frames[-1].image.shape == (channels, height, width)
    assert frames[-1].score > frames[0].score


def test_large_input() -> None:
    net = climbed(512)
    with assert_untouched(net.model):
        frames = list(cw.ascend(net, "conv1:1", steps=3))
    assert frames[-1].image.shape == (3, 512, 512)
    assert frames[-1].score > frames[0].score


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture(name: str) -> None:
    """A class or the first output, and a layer in the middle; BatchNorm stays as it was."""
    model, x = ARCHITECTURES[name]()
    model.train()
    net = cw.Network(model, input_size=tuple(x.shape[1:]))
    layer = net.layers[len(net.layers) // 2].name
    with assert_untouched(model):
        for objective in (cw.Class(1), cw.Channel(layer, 1)):
            frames = list(cw.ascend(net, objective, steps=30, tv=0))
            assert frames[-1].note is None or frames[-1].gradient_norm == 0
            if frames[0].gradient_norm > 1e-5:  # else float32 does not tell
                assert frames[-1].score > frames[0].score


def test_vision_transformer() -> None:
    model, _ = ARCHITECTURES["tiny_vit"]()
    net = cw.Network(model, input_size=(3, 16, 16))
    for objective in ("stem.0:2", "encoder.self_attn:3", cw.Neuron("norm", 3, 0), cw.Class(2)):
        with assert_untouched(model):
            frames = list(cw.ascend(net, objective, steps=30, tv=0))
        assert frames[-1].score > frames[0].score
        assert frames[-1].prediction is not None
    with pytest.raises(ValueError, match="column: 1; layer 'norm' has no columns, leave it out"):
        cw.ascend(net, cw.Neuron("norm", 3, 0, 1))


def test_batch_norm_left_in_training_mode() -> None:
    model, _ = ARCHITECTURES["resnet18"]()
    net = cw.Network(model.train(), input_size=32)
    with assert_untouched(model):
        frame = next(cw.ascend(net, cw.Logit(1), jitter=0, zoom=0, rotation=0))
    expected = model.eval()(frame.image[None])[0, 1]
    assert frame.score == pytest.approx(float(expected.detach()), rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype: torch.dtype) -> None:
    net = climbed(24)
    net.model.to(dtype)
    single = climbed(24)
    for objective in ("conv2:3", cw.Class(1)):
        with assert_untouched(net.model):
            frames = list(cw.ascend(net, objective, steps=20, tv=0))
        expected = list(cw.ascend(single, objective, steps=20, tv=0))
        assert frames[0].gradient_norm == pytest.approx(expected[0].gradient_norm, rel=0.2)
        assert frames[-1].score - frames[0].score > 0.5 * (expected[-1].score - expected[0].score)


def test_small_gradients_in_half_precision() -> None:
    net = climbed(64)
    net.model.to(torch.float16)
    frame = next(cw.ascend(net, 1e-3 * cw.Channel("conv2", 3)))
    expected = next(cw.ascend(climbed(64), 1e-3 * cw.Channel("conv2", 3)))
    assert frame.gradient_norm == pytest.approx(expected.gradient_norm, rel=0.1)


def test_model_without_a_classifier() -> None:
    net = climbed(function=lambda maps: {"boxes": maps[0, :, 0, :4], "labels": [3]}, classes=None)
    frames = list(cw.ascend(net, "conv2:1", steps=20, tv=0))
    assert frames[-1].score > frames[0].score
    assert frames[-1].prediction is None
    with pytest.raises(ValueError, match=r"no classifier: it returned \[5, 4\].*choose a unit"):
        cw.ascend(net, cw.Class(1))


def test_layers_at_a_size_that_the_head_does_not_take() -> None:
    model, _ = ARCHITECTURES["first_cnn"]()
    net = cw.Network(model, input_size=32)
    frame = next(cw.ascend(net, "2:1", size=48))
    assert frame.image.shape == (3, 48, 48)
    assert frame.prediction is None
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        cw.ascend(net, cw.Class(1), size=48)


BROKEN: dict[str, Callable[[Tensor], object]] = {
    "argmax": lambda maps: maps.mean((2, 3)).argmax(1, keepdim=True).float().repeat(1, 5),
    "detach": lambda maps: maps.mean((2, 3)).detach(),
    "no_grad": torch.no_grad()(lambda maps: maps.mean((2, 3))),
    "constant": lambda maps: torch.zeros(len(maps), 5, requires_grad=True) * 2,
}


@pytest.mark.parametrize("broken", BROKEN)
def test_no_gradient(broken: str) -> None:
    net = climbed(function=BROKEN[broken])
    with assert_untouched(net.model), pytest.raises(NoGradientError, match="no gradient reaches"):
        next(cw.ascend(net, cw.Class(0)))


def fails(maps: Tensor) -> Tensor:
    if maps.requires_grad and len(FAILING) > 2:
        raise RuntimeError("out of order")
    FAILING.append(1)
    return maps.mean((2, 3))


FAILING: list[int] = []


def test_a_model_that_fails_in_mid_run_is_left_as_it_was() -> None:
    FAILING.clear()
    net = climbed(function=fails)
    assert net.layers
    FAILING.clear()
    with assert_untouched(net.model), pytest.raises(RuntimeError, match="out of order"):
        list(cw.ascend(net, cw.Class(0), steps=20))


def test_an_interrupt_leaves_the_model_as_it_was() -> None:
    net = climbed()
    with assert_untouched(net.model), pytest.raises(KeyboardInterrupt):
        _interrupted(net)


def _interrupted(net: cw.Network) -> None:
    for frame in cw.ascend(net, cw.Class(0), steps=20):
        if frame.step == 3:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("objective", "says"),
    [
        ("conv3:1", "there is no layer 'conv3'; did you mean 'conv"),
        ("conv2:5", "channel: 5; layer 'conv2' has 5 channels, 0 to 4"),
        ("conv2:x", "objective: 'conv2:x'; after the colon comes a channel, \"conv2:0\""),
        ("conv2", "objective: 'conv2' has no channel; give \"conv2:0\""),
        ("fsh", "objective: 'fsh'; did you mean 'fish'"),
        (cw.Channel("conv2", -1), "channel: -1; layer 'conv2' has 5 channels"),
        (cw.Neuron("conv2", 1, 8), "row: 8; layer 'conv2' has 8 rows, 0 to 7"),
        (cw.Neuron("conv2", 1, 0, 9), "column: 9; layer 'conv2' has 8 columns, 0 to 7"),
        (cw.Class("fihs"), "target: no class is named 'fihs'; did you mean 'fish'"),
        (cw.Logit(5), "target: there is no class 5; choose 0 to 4"),
        (cw.Class(1, "logits"), "measure: 'logits'; did you mean 'logit'"),
        (cw.Direction("conv2", torch.zeros(5)), "vector: 5 numbers of length 0; layer 'conv2'"),
        (cw.Direction("conv2", torch.ones(3)), "vector: 3 numbers .* has 5 channels"),
        (cw.Channel("conv2", 1) + cw.Channel("conv", 1), "there is no layer 'conv'"),
        (lambda output: output.sum(), r"the function returned \[\] for 1 pictures; return \[N\]"),
        (Diversity("mean"), "layer 'mean' has no rows and columns for Diversity"),
    ],
)
def test_wrong_objectives(objective: Any, says: str) -> None:
    net = climbed()
    with assert_untouched(net.model), pytest.raises(ValueError, match=says):
        cw.ascend(net, objective)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ({"steps": 0}, "steps: 0; give a whole number from 1 on"),
        ({"lr": 0}, "lr: 0; give a number above 0"),
        ({"lr": float("nan")}, "lr: nan; give"),
        ({"tv": -1}, "tv: -1; give a number from 0 on"),
        ({"l2": float("inf")}, "l2: inf; give"),
        ({"jitter": -2}, "jitter: -2; give"),
        ({"clip": 1}, "clip: 1; give a share of the pixels"),
        ({"direction": 0}, "direction: 0; give 1 "),
        ({"scale": -255}, "scale: -255; give a number above 0"),
        ({"parametrization": "fourrier"}, "parametrization: 'fourrier'; did you mean 'fourier'"),
        ({"optimizer": "adan"}, "optimizer: 'adan'; did you mean 'adam'"),
        ({"start": "noize"}, "start: 'noize' is no file; did you mean 'noise'"),
        ({"size": (8, 8, 8)}, r"size: \(8, 8, 8\); give pixels"),
        ({"patience": -3}, "patience: -3; give a whole number from 1 on"),
    ],
)
def test_wrong_arguments(argument: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        cw.ascend(climbed(), "conv2:1", **argument)


def test_other_mistakes() -> None:
    net = climbed()
    with pytest.raises(TypeError, match="objective: 3; give"):
        cw.ascend(net, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="channel: 'a'; give a whole number"):
        cw.ascend(net, cw.Channel("conv2", "a"))  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="there is no file"):
        cw.ascend(net, "conv2:1", start="nowhere.png")
    with pytest.raises(ValueError, match="3 objectives and 2 seeds; give one, or as many of each"):
        Ascent(net, ["conv2:1"] * 3, [0, 1])
    with pytest.raises(ValueError, match=r"tv: \[1, 2\] for 3 pictures; give one"):
        Ascent(net, "conv2:1", range(3), Settings(tv=[1, 2]))
    with pytest.raises(ValueError, match="Diversity compares the pictures of a batch"):
        next(cw.ascend(net, Diversity("conv2")))
