"""Sweeps: equal to Captum's, for any window, stride, fill and measure; ended, refused, bounded."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from captum.attr import Occlusion
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.attribution import iter_occlusion
from cnnwidgets.attribution.grid import Grid
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.classes import scores
from cnnwidgets.network import as_network
from tests.architectures import ARCHITECTURES, first_cnn, mobilenet_block, resnet18
from tests.small import CLASSES, noise, small_model
from tests.untouched import assert_untouched


def captum(
    model: nn.Module, x: Tensor, window: tuple[int, int], stride: tuple[int, int], **options: Any
) -> Tensor:
    def forward(batch: Tensor) -> Tensor:
        return scores(model.eval()(batch))

    channels = x.shape[1]
    found: Tensor = Occlusion(forward).attribute(
        x, (channels, *window), strides=(channels, *stride), **options
    )
    return found[0]


class Sum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).sum(1, keepdim=True)


def test_golden() -> None:
    x = torch.ones(1, 1, 5, 5)
    net = cw.Network(Sum(), input_size=(1, 5, 5))
    found = cw.occlusion(net, x, window=3, stride=3, fill=0.0, measure="logit")
    wide, narrow = [9.0, 9, 9, 6, 6], [6.0, 6, 6, 4, 4]
    assert found.attribution().tolist() == [[wide, wide, wide, narrow, narrow]]
    assert found.scores.tolist() == [[16, 19], [19, 21]]
    assert found.drop.tolist() == [[9, 6], [6, 4]]
    assert found.baseline == 25
    assert found.positions.tolist() == [[[0, 0], [0, 3]], [[3, 0], [3, 3]]]


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_equal_to_captum(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(ARCHITECTURES)))
    model, x = ARCHITECTURES[name]()
    size = x.shape[2]
    sides = st.integers(max(1, size // 6), size)
    window, stride = data.draw(st.tuples(sides, sides)), data.draw(st.tuples(sides, sides))
    # Captum refuses strides larger than the window
    stride = min(stride[0], window[0]), min(stride[1], window[1])
    fill = data.draw(st.sampled_from([0.0, -1.5]) | st.just(torch.randn_like(x)))
    method: Any = data.draw(st.sampled_from(["auto", "incremental", "full"]))
    baseline = fill if isinstance(fill, float) else fill[:1]
    with assert_untouched(model, also=(x,)):
        net = cw.Network(model, input_size=tuple(x.shape[1:]))
        found = cw.occlusion(
            net, x, 1, window=window, stride=stride, fill=fill, measure="logit", method=method
        )
    expected = captum(model, x, window, stride, baselines=baseline, target=1)
    torch.testing.assert_close(found.attribution(), expected, rtol=0, atol=1e-4)


def test_a_grid_that_leaves_a_border_and_a_list_of_places() -> None:
    model, x = first_cnn()
    found = cw.occlusion(model, x, 3, window=4, stride=6)
    assert found.scores.shape == (6, 6)
    assert found.complete
    heat = found.heatmap()
    assert heat[4:6].isnan().all()
    torch.testing.assert_close(heat[:4, :4], found.scores[0, 0].expand(4, 4))
    assert (found.attribution()[:, 4:6] == 0).all()

    places = [(12, 6), (0, 0), (12, 18), (30, 30), (0, 6)]
    listed = cw.occlusion(model, x, 3, window=4, positions=places)
    grid = [found.scores[row // 6, column // 6] for row, column in places]
    torch.testing.assert_close(listed.scores, torch.stack(grid))
    assert listed.positions.tolist() == [list(place) for place in places]
    assert listed.heatmap()[13, 7] == pytest.approx(float(listed.scores[0]))
    tensor = cw.occlusion(model, x, 3, window=4, positions=torch.tensor(places))
    torch.testing.assert_close(tensor.scores, listed.scores)
    with pytest.raises(TypeError, match="listed"):
        _ = listed.grid


@given(length=st.integers(1, 40), data=st.data())
def test_no_place_of_a_grid_is_beside_the_picture(length: int, data: st.DataObject) -> None:
    window = data.draw(st.integers(1, length))
    stride = data.draw(st.integers(1, 40))
    starts = Grid.regular((window,) * 2, (stride,) * 2, (length,) * 2).rows
    assert starts[0] == 0
    assert starts[-1] < length
    assert starts[-1] + max(window, stride) >= length or window == length
    if stride <= window:
        assert len(starts) == -(-(length - window) // stride) + 1


def test_places_over_the_edge_are_cut() -> None:
    x = torch.ones(1, 1, 5, 5)
    net = cw.Network(Sum(), input_size=(1, 5, 5))
    found = cw.occlusion(
        net, x, window=3, positions=[(-2, 0), (4, 4), (-1, 3)], fill=0, measure="logit"
    )
    assert found.drop.tolist() == [3, 1, 4]
    assert found.attribution()[0].tolist()[0] == [3, 3, 3, 4, 4]


def test_measures_of_several_targets_from_one_sweep() -> None:
    net = cw.Network(small_model(), classes=CLASSES, input_size=16)
    found = cw.occlusion(net, noise(0), "bird", window=5, stride=3)
    assert found.target == 2
    for target in range(5):
        each = found.following(target)
        chance = found.logits.softmax(-1)[..., target]
        torch.testing.assert_close(each.scores, chance)
        torch.testing.assert_close(each.following(target, "log-odds").scores, chance.logit())
        assert torch.equal(each.following(target, "logit").scores, found.logits[..., target])
        assert each.baseline == pytest.approx(net.predict(noise(0))[0].probability) or target != (
            net.predict(noise(0))[0].index
        )
    predicted = cw.occlusion(net, noise(0), window=5, stride=3)
    assert predicted.target == net.predict(noise(0))[0].index
    assert "25 of 25" in repr(predicted)


@pytest.mark.parametrize(
    ("last", "activation", "expected"),
    [
        (nn.Identity(), "auto", "softmax"),
        (nn.Identity(), "sigmoid", "sigmoid"),
        (nn.Sigmoid(), "auto", "none"),
        (nn.Softmax(dim=1), "auto", "none"),
        (nn.LogSoftmax(dim=1), "auto", "softmax"),
        (nn.Linear(5, 1), "auto", "sigmoid"),
    ],
)
def test_what_makes_probabilities(last: nn.Module, activation: str, expected: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(small_model(), last)
    x = torch.randn(1, 3, 16, 16)
    found = cw.occlusion(model, x, 0, window=8, stride=8, activation=activation)
    assert found.activation == expected
    with torch.no_grad():
        output = model.eval()(x)[0]
    if expected == "softmax":
        output = output.softmax(0)
    if expected == "sigmoid":
        output = output.sigmoid()
    assert found.baseline == pytest.approx(float(output[0]), abs=1e-6)
    odds = found.following(0, "log-odds")
    assert odds.baseline == pytest.approx(float(output[0].logit()), abs=1e-4)
    torch.testing.assert_close(odds.scores, found.scores.logit(), rtol=0, atol=1e-4)


def test_probabilities_out_of_a_model_that_cannot_be_taken_apart() -> None:
    class Numpy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.from_numpy(x.mean((2, 3)).softmax(1).numpy())

    found = cw.occlusion(Numpy(), torch.randn(1, 3, 8, 8), window=4, stride=4)
    assert (found.method, found.activation) == ("full", "none")
    assert found.baseline == pytest.approx(float(found.base[found.target]))


def test_a_score_for_what_is_no_classifier() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    x = torch.randn(1, 3, 12, 12)
    with assert_untouched(model):
        found = cw.occlusion(
            model, x, window=4, stride=4, fill=0.0, score=lambda y: y[:, 2, 4, 4] ** 2
        )
    assert (found.measure, found.method) == ("logit", "incremental")
    copy = x.clone()
    copy[..., 4:8, 4:8] = 0
    with torch.no_grad():
        expected = model(copy)[0, 2, 4, 4] ** 2
    torch.testing.assert_close(found.scores[1, 1], expected)
    with pytest.raises(ValueError, match="score: a tensor \\[4, 10, 10\\]"):
        cw.occlusion(model, x, window=4, score=lambda y: y[0])
    with pytest.raises(ValueError, match="score: float"):
        cw.occlusion(model, x, window=4, score=lambda y: float(y.sum()))  # type: ignore[arg-type, return-value]


def test_one_answer_for_a_whole_batch_is_refused() -> None:
    class Total(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum((2, 3))[0]

    with pytest.raises(ValueError, match="Pass score="):
        cw.occlusion(Total(), torch.randn(1, 3, 8, 8), window=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": 17}, "window: 17 is larger than the input of 16 × 16 pixels"),
        ({"window": (4, 17)}, "window: .* is larger"),
        ({"window": 0}, "window: 0; give pixels"),
        ({"window": (3, -1)}, "window: .*give pixels"),
        ({"window": 2.5}, "window: 2.5; give pixels"),
        ({"window": True}, "window: True"),
        ({"window": (1, 2, 3)}, "window: .*give pixels"),
        ({"stride": 0}, "stride: 0; give pixels"),
        ({"positions": [(16, 0)]}, "positions: a patch of 8 × 8 at \\(16, 0\\) is beside"),
        ({"positions": [(0, -8)]}, "positions: .*beside"),
        ({"positions": [(0.5, 1.0)]}, "positions: .*whole numbers"),
        ({"positions": [1, 2]}, "positions: \\[2\\]"),
        ({"positions": []}, "positions: \\[0\\]"),
        ({"target": 5}, "target: there is no class 5; choose 0 to 4"),
        ({"target": -1}, "target: there is no class -1"),
        ({"target": "brid"}, "target: no class is named 'brid'; did you mean 'bird'"),
        ({"measure": "probabilty"}, "measure: 'probabilty'; did you mean 'probability'"),
        ({"activation": "relu"}, "activation: 'relu'; choose one of"),
        ({"method": "fast"}, "method: 'fast'; choose one of"),
        ({"fill": "maen"}, "fill: 'maen'; did you mean 'mean'"),
        ({"fill": torch.zeros(3, 4, 4)}, "fill: a tensor \\[3, 4, 4\\]; give \\[3, 16, 16\\]"),
        ({"fill": (1, 2)}, "fill: \\(1, 2\\)"),
        ({"score": "mean"}, "score: 'mean'; give a function of what the network returns"),
        ({"memory": 0}, "memory: 0; give bytes"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    net = cw.Network(small_model(), classes=CLASSES, input_size=16)
    options: dict[str, Any] = {"window": 8, **arguments}
    target = options.pop("target", None)
    with assert_untouched(net.model), pytest.raises((ValueError, TypeError), match=message):
        cw.occlusion(net, noise(0), target, **options)


def test_the_network_comes_first() -> None:
    with pytest.raises(TypeError, match="the network comes first"):
        cw.occlusion(noise(0), small_model())  # type: ignore[arg-type]


def test_a_target_beyond_classes_without_names() -> None:
    with pytest.raises(ValueError, match="choose 0 to 4"):
        cw.occlusion(small_model(), torch.randn(1, 3, 16, 16), 7, window=4)


@pytest.mark.parametrize("channels", [1, 5])
@pytest.mark.parametrize("fill", ["mean", "blur", "noise", 0.5])
def test_any_number_of_channels(channels: int, fill: Any) -> None:
    model, x = first_cnn(channels)
    found = cw.occlusion(model, x, 0, window=8, stride=8, fill=fill)
    assert found.attribution().shape == (channels, 32, 32)
    assert found.method == "incremental"


def test_a_picture_with_nans() -> None:
    model, x = resnet18()
    x[..., 4, 5] = torch.nan
    net = cw.Network(model, input_size=32)
    found = cw.occlusion(net, x, 0, window=8, stride=8, fill=0.0)
    assert found.complete
    assert found.scores.isnan().sum() == 15
    assert not found.scores[0, 0].isnan()


def test_a_model_in_training_mode_is_evaluated_and_left() -> None:
    model, x = resnet18()
    assert model.training
    with assert_untouched(model, also=(x,)):
        found = cw.occlusion(model, x, 0, window=8, stride=8, fill=0.0, measure="logit")
    expected = captum(model, x, (8, 8), (8, 8), target=0)
    torch.testing.assert_close(found.attribution(), expected, rtol=0, atol=1e-4)


def test_two_sweeps_with_other_weights_between() -> None:
    model, x = first_cnn()
    net = cw.Network(model, input_size=32)
    before = cw.occlusion(net, x, 0, window=8, stride=8)
    with torch.no_grad():
        model[2].weight.mul_(1.5)  # type: ignore[index]
    after = cw.occlusion(net, x, 0, window=8, stride=8)
    fresh = cw.occlusion(model, x, 0, window=8, stride=8)
    assert not torch.equal(before.scores, after.scores)
    assert torch.equal(after.scores, fresh.scores)


def test_other_weights_during_a_sweep_end_it() -> None:
    model, x = first_cnn()
    maps = iter_occlusion(model, x, 0, window=8, stride=2)
    next(maps)
    with torch.no_grad():
        model[2].weight.mul_(1.5)  # type: ignore[index]
    with pytest.raises(RuntimeError, match="weights changed during the sweep"):
        next(maps)


def test_coarse_to_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnwidgets.attribution.sweep.MOST", 16)
    model, x = first_cnn()
    maps = list(iter_occlusion(model, x, 0, window=4, stride=1))
    tried = [int(one.known.sum()) for one in maps]
    assert tried == sorted(set(tried))
    assert tried[-1] == 29 * 29
    coarse = next(one for one in maps if one.known[::4, ::4].all())
    assert int(coarse.known.sum()) <= 0.15 * 29 * 29
    assert coarse.operations <= 0.15 * maps[-1].operations
    half = next(one for one in maps if one.known[::2, ::2].all())
    assert int(half.known.sum()) == 15 * 15
    # an earlier map keeps saying what it said, though they share their memory
    assert int(coarse.scores.isfinite().sum()) == int(coarse.known.sum())
    assert not coarse.complete
    assert coarse.heatmap()[:4, :4].isfinite().all()
    assert maps[-1].complete
    assert not maps[-1].scores.isnan().any()


def test_leaving_the_loop_ends_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnwidgets.attribution.sweep.MOST", 4)
    model, x = mobilenet_block()
    with assert_untouched(model):
        maps = iter_occlusion(model, x, 0, window=4, stride=1)
        first = next(maps)  # has computed one batch, and no more
        assert int(first.known.sum()) == 4
        assert first.full_operations == 4 * PatchedPasses(as_network(model, x), x).full_cost[0]
        maps.close()
        assert list(maps) == []
        broken = iter_occlusion(model, x, 0, window=4, stride=1)
        next(broken)
        with pytest.raises(KeyboardInterrupt):
            broken.throw(KeyboardInterrupt)
    assert cw.occlusion(model, x, 0, window=4, stride=4).complete


def test_two_sweeps_at_once() -> None:
    model, x = first_cnn()
    net = cw.Network(model, input_size=32)
    options: dict[str, Any] = {"window": 8, "stride": 4}
    one, two = iter_occlusion(net, x, 0, **options), iter_occlusion(net, -x, 1, **options)
    *_, (first, second) = zip(one, two, strict=True)
    assert torch.equal(first.scores, cw.occlusion(net, x, 0, **options).scores)
    assert torch.equal(second.scores, cw.occlusion(net, -x, 1, **options).scores)


def test_an_error_in_the_model_is_raised_and_changes_nothing() -> None:
    class Broken(nn.Module):
        def forward(self, _: Tensor) -> Tensor:
            raise RuntimeError("no such luck")

    model, x = Broken(), torch.randn(1, 3, 8, 8)
    with assert_untouched(model), pytest.raises(RuntimeError, match="no such luck"):
        cw.occlusion(cw.Network(model, input_size=8), x, window=4)
