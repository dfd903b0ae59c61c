"""Gradient ascent: its numbers against plain autograd, its frames, what can be turned meanwhile."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent, Settings
from cnnwidgets.isolation import isolated
from cnnwidgets.shadow import shadow
from tests.architectures import ARCHITECTURES
from tests.climbing import STILL, Climbed, climbed, plain_gradient
from tests.untouched import assert_untouched


def images(net: cw.Network, objective: Any, **kwargs: Any) -> Tensor:
    return torch.stack([frame.image for frame in cw.ascend(net, objective, **kwargs)])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_score_and_gradient_of_every_layer(name: str) -> None:
    """Where the pass stops early, nothing changes: modules, functions, reused and overwritten."""
    model, x = ARCHITECTURES[name]()
    net = cw.Network(model, input_size=tuple(x.shape[1:]))
    chosen = [layer.name for layer in net.layers if layer.output_shape][
        :: max(1, len(net.layers) // 8)
    ]
    for layer in chosen:
        objective = cw.Channel(layer, 0)
        with assert_untouched(model):
            frame = next(cw.ascend(net, objective, start=x[0], parametrization="pixel", **STILL))
        expected = net.activations(frame.image, [layer])[layer]
        expected = expected[..., 0] if expected.ndim == 3 else expected[:, 0]
        assert frame.score == pytest.approx(float(expected.float().mean()), rel=1e-4, abs=1e-6)
        if not frame.gradient_norm:
            continue
        step = 1e-3 / frame.gradient_norm
        (first, second) = _two(net, objective, frame.image, step)
        assert second - first == pytest.approx(step * frame.gradient_norm**2, rel=0.2, abs=1e-6)


def _two(net: cw.Network, objective: Any, x: Tensor, step: float) -> tuple[float, float]:
    """Scores of a picture and of one a little up its gradient, in double precision."""
    twin = cw.Network(shadow(net.model).model.double(), input_size=tuple(x.shape))
    ascent = Ascent(twin, objective, start=x, parametrization="pixel", settings=Settings(**STILL))
    with isolated(x.device, grad=True):
        score, gradient = ascent._measured(x[None].double())
        return float(score), float(ascent._measured(x[None].double() + step * gradient)[0])


def test_first_frame_equals_plain_autograd() -> None:
    net = climbed()
    for objective, score in (
        ("conv2:3", lambda m, x: m.conv2(m.relu1(m.conv1(x)))[:, 3].mean()),
        (cw.Neuron("conv1", 2, 4, 5), lambda m, x: m.conv1(x)[0, 2, 4, 5]),
        (cw.Logit("bird"), lambda m, x: m(x)[0, 2]),
        (cw.Probability(1), lambda m, x: m(x).softmax(1)[0, 1]),
        (cw.Class(1), lambda m, x: m(x).softmax(1)[0, 1].logit()),
        (lambda output: output[:, 0] ** 2, lambda m, x: m(x)[0, 0] ** 2),
    ):
        frame = next(cw.ascend(net, objective, **STILL))
        value, length = plain_gradient(net.model, frame.image, score)
        assert frame.score == pytest.approx(value, rel=1e-5, abs=1e-7)
        assert frame.gradient_norm == pytest.approx(length, rel=1e-4)


def test_frames_count_the_steps_and_rise() -> None:
    net = climbed()
    frames = list(cw.ascend(net, "conv2:3", steps=20, tv=0))
    assert [frame.step for frame in frames] == list(range(21))
    assert frames[-1].score > frames[0].score + 0.01
    assert frames[-1].note is None
    for frame in frames:
        assert frame.image.shape == (3, 12, 12)
        assert 0 <= float(frame.image.min()) <= float(frame.image.max()) <= 1


def test_frames_know_the_answer() -> None:
    net = climbed()
    for frame in cw.ascend(net, cw.Class("fish"), steps=3):
        assert frame.prediction is not None
        assert frame.prediction[:2] == net.predict(frame.image, 1)[0][:2]
        assert frame.prediction[2:] == pytest.approx(net.predict(frame.image, 1)[0][2:], rel=1e-4)
    *_, last = cw.ascend(net, cw.Class("fish"), steps=60, lr=0.2, tv=0)
    assert last.prediction is not None
    assert last.prediction.name == "fish"


CALLS: list[int] = []  # of the whole module: a pass has its own copy of what a function remembers


def counted(maps: Tensor) -> Tensor:
    CALLS.append(len(maps))
    return maps.mean((2, 3))


def test_the_pass_stops_at_the_layer() -> None:
    net = climbed(function=counted)
    frames = cw.ascend(net, "relu2:1", steps=10)
    before = len(CALLS)
    *_, last = frames
    assert len(CALLS) == before
    assert last.prediction is not None
    assert len(CALLS) == before + 1


def test_parameters_get_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    net = climbed()
    net.model.requires_grad_()
    asked = []
    grad = torch.autograd.grad

    def spied(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(inputs.shape)
        return grad(outputs, inputs, *args, **kwargs)

    monkeypatch.setattr(torch.autograd, "grad", spied)
    with assert_untouched(net.model):
        list(cw.ascend(net, "conv2:3", steps=2))
    assert asked
    assert all(parameter.grad is None for parameter in net.model.parameters())


def test_same_seed_same_frames() -> None:
    net = climbed()
    first = images(net, "conv2:3", steps=5, seed=3)
    torch.manual_seed(99)
    random.seed(99)
    assert torch.equal(first, images(net, "conv2:3", steps=5, seed=3))
    assert not torch.allclose(first, images(net, "conv2:3", steps=5, seed=4), atol=1e-4)


def test_nothing_is_drawn_from_global_generators() -> None:
    net = climbed()
    with assert_untouched(net.model):
        frames = cw.ascend(net, "conv2:3", steps=50)
        next(frames)
        next(frames)
        before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tobytes()  # type: ignore[index]  # noqa: NPY002
        next(frames)
        after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tobytes()  # type: ignore[index]  # noqa: NPY002
        assert torch.is_grad_enabled()
        frames.close()  # type: ignore[attr-defined]
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


def test_grad_mode_of_the_caller_does_not_matter() -> None:
    net = climbed()
    expected = images(net, "conv2:3", steps=3)
    with torch.no_grad():
        assert torch.equal(expected, images(net, "conv2:3", steps=3))
    with torch.inference_mode():
        frames = images(net, "conv2:3", steps=3)
    assert torch.equal(expected, frames)


def test_several_seeds_and_units_in_one_batch() -> None:
    net = climbed()
    units = [cw.Channel("conv2", 3), cw.Class("dog"), -cw.Channel("relu1", 1)]
    batch = list(Ascent(net, units, [5, 6, 7], steps=4))
    for row, (unit, seed) in enumerate(zip(units, [5, 6, 7], strict=True)):
        alone = list(cw.ascend(net, unit, seed=seed, steps=4))
        for frames, frame in zip(batch, alone, strict=True):
            assert torch.allclose(frames[row].image, frame.image, atol=1e-3)
            assert frames[row].score == pytest.approx(frame.score, abs=1e-3)
            assert frames[row].prediction is not None
            assert frame.prediction is not None
            assert frames[row].prediction[:2] == frame.prediction[:2]  # type: ignore[index]
    assert len(next(iter(Ascent(net, "conv2:1", range(4))))) == 4


def test_sad_maps() -> None:
    net = climbed()
    asked: dict[str, Any] = {"steps": 40, "lr": 0.2, "tv": 0}
    frames = list(cw.ascend(net, "conv2:3", direction=-1, **asked))
    assert frames[-1].score < frames[0].score - 0.01
    negated = list(cw.ascend(net, -cw.Channel("conv2", 3), **asked))
    assert torch.equal(frames[-1].image, negated[-1].image)
    assert frames[-1].score == -negated[-1].score


def test_two_classes_are_complements() -> None:
    """The softmax of two classes: what the one's picture minimises is what the other's rises."""
    net = climbed(function=lambda maps: maps.mean((2, 3))[:, :2], classes=None)
    one = images(net, cw.Probability(0), direction=-1, steps=6)
    other = images(net, cw.Probability(1), steps=6)
    assert torch.allclose(one, other, atol=1e-3)
    logit = images(net, cw.Logit(1), steps=6)
    assert not torch.allclose(other, logit, atol=1e-3)


def test_settings_change_while_it_climbs() -> None:
    net = climbed()
    ascent = Ascent(net, "conv2:3", settings=Settings(tv=0))
    rough = [cw.ascent.total_variation(ascent.step()[0].image[None]) for _ in range(15)][-1]
    ascent.settings = replace(ascent.settings, tv=1e4)
    smooth = [cw.ascent.total_variation(ascent.step()[0].image[None]) for _ in range(60)][-1]
    assert float(smooth) < 0.2 * float(rough)


def test_weights_for_each_picture() -> None:
    net = climbed()
    *_, frames = Ascent(net, "conv2:3", [0] * 3, Settings(tv=[0, 3, 300]), steps=40)
    rough = [float(cw.ascent.total_variation(frame.image[None])) for frame in frames]
    assert rough[0] > 1.5 * rough[1] > 3 * rough[2]


def test_it_ends_when_the_score_no_longer_rises() -> None:
    net = climbed()
    frames = list(cw.ascend(net, "conv1:0", steps=2000, parametrization="pixel"))
    assert len(frames) < 1000
    assert frames[-1].note == "the unit's score has not risen for 64 steps"
    assert len(list(cw.ascend(net, "conv1:0", steps=200, patience=4))) < 100
    assert len(list(cw.ascend(net, "conv1:0", steps=120, patience=None))) == 121


def test_the_ending_says_which_way() -> None:
    net = climbed()
    up, down = cw.Channel("conv1", 0), -cw.Channel("conv1", 0)
    for objective, direction, says in (
        (up, 1, "risen"),
        (up, -1, "fallen"),
        (down, 1, "fallen"),
        (down, -1, "risen"),
        (up + down, 1, "risen"),
    ):
        asked: dict[str, Any] = {"direction": direction, "patience": 1, "steps": 2000, "lr": 10.0}
        *_, last = cw.ascend(net, objective, **asked)
        if last.gradient_norm:
            assert last.note == f"the unit's score has not {says} for 1 steps"


def test_it_follows_the_weights() -> None:
    net = climbed()
    frames = cw.ascend(net, cw.Logit(0), **STILL)
    next(frames)
    with torch.no_grad():
        net.model.get_parameter("conv2.weight").mul_(3)
        net.model.get_parameter("conv1.weight").add_(1)
        net.model.get_parameter("conv2.bias").add_(100)
    frame = next(frames)
    expected = net.predict(frame.image)
    assert frame.score > 90
    assert frame.score == pytest.approx(next(p.logit for p in expected if p.index == 0), rel=1e-4)
    assert frame.prediction is not None
    assert frame.prediction.logit == pytest.approx(expected[0].logit, rel=1e-4)


def test_models_that_need_the_usual_order() -> None:
    net = climbed(function=lambda maps: maps.view(len(maps), 5, -1).mean(2))
    assert [frame.step for frame in cw.ascend(net, "conv2:3", steps=2)] == [0, 1, 2]
    assert [frame.step for frame in cw.ascend(net, cw.Class(1), steps=2)] == [0, 1, 2]


def test_models_that_draw() -> None:
    """A pass that draws sees the same numbers in each step, and the user's are not used."""

    def noisy(maps: Tensor) -> Tensor:
        return maps.mean((2, 3)) + torch.rand(len(maps), 5)

    net = climbed(function=noisy)
    with assert_untouched(net.model):
        first, second = (images(net, cw.Class(1), steps=3) for _ in range(2))
    assert torch.equal(first, second)


class Optimised(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x * torch.linspace(-1, 1, 16).view(4, 4)).flatten(1).sum(1, keepdim=True) ** 3


def test_adam_is_adam() -> None:
    net = cw.Network(Optimised(), input_size=(1, 4, 4))
    start = torch.full((1, 4, 4), 0.5)
    start[0, 0, 0] = 0.4
    asked: dict[str, Any] = {"start": start, "parametrization": "pixel", "lr": 1e-3, **STILL}
    frames = list(cw.ascend(net, lambda output: output[:, 0], steps=280, patience=None, **asked))
    x = start[None].clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=1e-3, maximize=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=128, eta_min=2e-4)
    for frame in frames:
        assert torch.allclose(frame.image, x[0], atol=1e-6)
        optimizer.zero_grad()
        net.model(x).sum().backward()
        optimizer.step()
        if 128 <= frame.step < 256:
            falling.step()


def test_normalised_steps_do_not_know_the_unit() -> None:
    net = climbed()
    asked: dict[str, Any] = {"optimizer": "sgd", "lr": 0.5, "steps": 10}
    one = images(net, cw.Channel("conv2", 3), **asked)
    thousand = images(net, 1000 * cw.Channel("conv2", 3), **asked)
    assert torch.allclose(one, thousand, atol=1e-4)


def test_normalised_steps_are_as_large_as_adams() -> None:
    """Before the sigmoid, which is a line as long as the picture is near grey."""
    net = climbed()
    first, adam = images(net, "conv2:3", steps=1)
    _, sgd = images(net, "conv2:3", steps=1, optimizer="sgd")
    _, pixel = images(net, "conv2:3", steps=1, optimizer="sgd", parametrization="pixel")
    first_pixel = next(cw.ascend(net, "conv2:3", parametrization="pixel")).image
    by_adam = float((adam - first).square().mean().sqrt())
    assert 0.5 * by_adam < float((sgd - first).square().mean().sqrt()) < 2 * by_adam
    assert float((pixel - first_pixel).square().mean().sqrt()) == pytest.approx(0.05, rel=1e-3)


def test_the_copy_is_let_go() -> None:
    """The model has no hooks left, and a step leaves none in the copy."""
    net = climbed()
    ascent = Ascent(net, "conv2:3")
    ascent.step()
    for module in ascent._forward._shadow.names:
        assert not module._forward_hooks
    assert isinstance(net.model, Climbed)


def test_a_falling_score_is_no_reason_to_end_on_the_way_down() -> None:
    net = cw.Network(Optimised(), input_size=(1, 4, 4))
    asked: dict[str, Any] = {"steps": 30, "patience": 8, "lr": 0.01, **STILL}
    frames = list(cw.ascend(net, lambda output: output[:, 0], direction=-1, **asked))
    assert len(frames) == 31
    assert frames[-1].score < frames[0].score


def test_a_step_follows_the_gradient_by_the_pixels() -> None:
    std = torch.tensor([0.1, 0.5, 1.0]).view(3, 1, 1)
    net = climbed(mean=0.5, std=std.flatten().tolist())
    asked: dict[str, Any] = {"optimizer": "sgd", "parametrization": "pixel", "lr": 0.01, **STILL}
    first, second = cw.ascend(net, cw.Logit(1), steps=1, **asked)
    leaf = first.image[None].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net.model(leaf)[0, 1], leaf)
    step = ((second.image - first.image) * std).flatten()
    by_pixels = (gradient[0] / std).flatten()
    assert float(torch.cosine_similarity(step, by_pixels, 0)) > 0.999
