"""What to make of attributions, and how to distrust them: channels, curves, random networks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.attribution import (
    cascade,
    clip,
    deletion_curve,
    insertion_curve,
    iter_deletion_curve,
    iter_insertion_curve,
    part,
    randomised,
    reduce,
)
from tests.architectures import ARCHITECTURES
from tests.untouched import assert_untouched


class Looks(nn.Module):
    """Two classes; the first's logit is the mean of a 2 × 2 corner, the second's is 0."""

    def forward(self, x: Tensor) -> Tensor:
        score = x[:, :, :2, :2].mean((1, 2, 3))
        return torch.stack([score, 0 * score], 1)


def looks() -> tuple[cw.Network, Tensor, Tensor]:
    """The network, a picture of ones, and an attribution that knows the corner."""
    right = torch.zeros(4, 4)
    right[:2, :2] = torch.tensor([[4.0, 3.0], [2.0, 1.0]])
    return cw.Network(Looks(), input_size=(1, 4, 4)), torch.ones(1, 4, 4), right


def test_reductions() -> None:
    a = torch.tensor([3.0, -4.0, 0.0]).view(3, 1, 1)
    expected = {"max_abs": 4.0, "mean_abs": 7 / 3, "l2": 5.0, "sum": -1.0, "mean": -1 / 3}
    assert {how: float(reduce(a, how)) for how in expected} == pytest.approx(expected)
    assert float(reduce(a)) == 4
    assert reduce(torch.zeros(2, 3, 5, 7), "l2").shape == (2, 5, 7)
    with pytest.raises(ValueError, match="how: 'maxabs'; did you mean 'max_abs'"):
        reduce(a, "maxabs")
    with pytest.raises(ValueError, match=r"attribution: \[7, 7\] has no channels"):
        reduce(torch.zeros(7, 7))


def test_parts() -> None:
    a = torch.tensor([-2.0, 0.0, 3.0])
    kept = {which: part(a, which).tolist() for which in ("all", "absolute", "positive", "negative")}
    assert kept == {
        "all": [-2, 0, 3],
        "absolute": [2, 0, 3],
        "positive": [0, 0, 3],
        "negative": [-2, 0, 0],
    }
    with pytest.raises(ValueError, match="which: 'posative'; did you mean 'positive'"):
        part(a, "posative")


@given(size=st.integers(1, 300), percentile=st.floats(0, 100))
@settings(max_examples=20, deadline=None)
def test_clip(size: int, percentile: float) -> None:
    a = torch.randn(size, generator=torch.Generator().manual_seed(size))
    found = clip(a, percentile)
    limit = float(a.abs().double().quantile(percentile / 100))
    assert torch.allclose(found, a.clamp(-limit, limit))


def test_clip_leaves_what_is_not_known() -> None:
    a = torch.tensor([float("nan"), 1.0, -2.0, 100.0])
    found = clip(a, 50)
    assert bool(found[0].isnan())
    assert found[1:].tolist() == [1, -2, 2]
    assert bool(clip(a[:1]).isnan())
    with pytest.raises(ValueError, match="percentile: 101; give a number from 0 to 100"):
        clip(a, 101)


def test_deletion_and_insertion() -> None:
    net, x, right = looks()
    with assert_untouched(net.model, also=(x, right)):
        gone = deletion_curve(net, x, right, 0, steps=8, fill=0.0, measure="logit")
        come = insertion_curve(net, x, right, 0, steps=8, fill=0.0, measure="logit", batch=2)
    assert gone.fractions.tolist() == [n / 8 for n in range(9)]
    assert gone.scores.tolist() == [1, 0.5, 0, 0, 0, 0, 0, 0, 0]
    assert come.scores.tolist() == [0, 0.5, 1, 1, 1, 1, 1, 1, 1]
    assert gone.area == pytest.approx(1 / 8)
    assert come.area == pytest.approx(7 / 8)
    assert deletion_curve(net, x, -right, 0, fill=0.0, measure="logit").area > 0.8


def test_curves_begin_and_end_with_the_picture() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = cw.Network(model, input_size=32)
    cam = cw.grad_cam(net, x)  # of another size
    best = net.predict(x)[0]
    gone, come = deletion_curve(net, x, cam, steps=3), insertion_curve(net, x, cam, steps=3)
    assert float(gone.scores[0]) == pytest.approx(best.probability, abs=1e-6)
    assert float(come.scores[-1]) == pytest.approx(best.probability, abs=1e-6)
    mean = x.mean((2, 3), keepdim=True).expand_as(x)
    chance = net.output(mean).softmax(1)[0, best.index]
    assert float(gone.scores[-1]) == pytest.approx(float(chance), abs=1e-6)


@pytest.mark.parametrize("name", ["deletion_curve", "insertion_curve"])
def test_curves_come_coarse_to_fine(name: str) -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = cw.Network(model, input_size=32)
    cam = cw.grad_cam(net, x)
    stream = {"deletion_curve": iter_deletion_curve, "insertion_curve": iter_insertion_curve}[name]
    with assert_untouched(model, also=(x, cam)):
        curves = list(stream(net, x, cam, 1, steps=16, batch=5))
    assert [len(curve.scores) for curve in curves] == [5, 10, 15, 17]
    assert curves[0].fractions.tolist() == [0, 0.25, 0.5, 0.75, 1]
    whole = {"deletion_curve": deletion_curve, "insertion_curve": insertion_curve}[name](
        net, x, cam, 1, steps=16
    )
    assert curves[-1].fractions.tolist() == whole.fractions.tolist() == [n / 16 for n in range(17)]
    for curve in curves:
        places = [int(16 * fraction) for fraction in curve.fractions]
        assert torch.allclose(curve.scores, whole.scores[places], atol=1e-6)
    with pytest.raises(ValueError, match="steps: 0; give"):  # when called, not when first asked
        stream(net, x, cam, steps=0)


@pytest.mark.filterwarnings("ignore:a fill of -1")
def test_curves_follow_the_class_of_the_picture() -> None:
    net, x, right = looks()  # a picture of -1 is of the other class
    come = insertion_curve(net, x, right, steps=4, fill=-1.0, measure="logit")
    assert come.scores.tolist() == [-1, 1, 1, 1, 1]


def test_fractions_are_of_whole_pixels() -> None:
    net, x, right = looks()
    found = deletion_curve(net, x, right, 0, steps=5, fill=0.0, measure="logit")
    assert found.fractions.tolist() == [n / 16 for n in (0, 3, 6, 10, 13, 16)]
    assert found.scores.tolist() == [1, 0.25, 0, 0, 0, 0]


def test_what_is_not_known_goes_last() -> None:
    net, x, right = looks()
    right[0, 0] = float("nan")
    found = deletion_curve(net, x, right, 0, steps=16, fill=0.0, measure="logit").scores
    assert found[-2:].tolist() == [0.25, 0]


def test_curves_refuse() -> None:
    net, x, right = looks()
    with pytest.raises(ValueError, match=r"attribution: \[1, 1, 4, 4\]; give one value per pixel"):
        deletion_curve(net, x, x[None])
    with pytest.raises(ValueError, match="steps: 0; give a whole number"):
        deletion_curve(net, x, right, steps=0)
    with pytest.raises(ValueError, match="there is no class 2; choose 0 to 1"):
        insertion_curve(net, x, right, 2)
    with pytest.raises(ValueError, match="fill: 'men'; did you mean 'mean'"):
        deletion_curve(net, x, right, fill="men")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_random_networks(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = cw.Network(model, classes=None, input_size=tuple(x.shape[1:]))
    with assert_untouched(model):
        other = randomised(net, seed=1)
    theirs = dict(other.model.named_parameters())
    for path, parameter in model.named_parameters():
        constant = not bool(parameter.std(correction=0))  # as batch norms' are in a new network too
        assert constant or not torch.equal(theirs[path], parameter), path
    assert torch.equal(cw.saliency(other, x, 0), cw.saliency(randomised(net, seed=1), x, 0))
    assert not torch.equal(cw.saliency(other, x, 0), cw.saliency(randomised(net), x, 0))
    assert not torch.equal(cw.saliency(other, x, 0), cw.saliency(net, x, 0))


def test_cascade_goes_from_the_last_layer_down() -> None:
    model, x = ARCHITECTURES["resnet18"]()
    net = cw.Network(model, classes=list("abcdefghij"), input_size=32)
    with assert_untouched(model):
        steps = list(cascade(net))
    names = [name for name, _ in steps]
    assert names[:3] == ["fc", "layer4.1.bn2", "layer4.1.conv2"]
    assert names[-1] == "conv1"
    assert steps[0][1].class_name(1) == "b"
    originals = dict(model.named_parameters())
    for count, (_, other) in enumerate(steps, 1):
        for path, parameter in other.model.named_parameters():
            layer = path.rpartition(".")[0]
            shared = parameter.data_ptr() == originals[path].data_ptr()
            assert shared == (layer not in names[:count])
    first, last = steps[0][1].model, steps[-1][1].model
    assert torch.equal(first.get_parameter("fc.weight"), last.get_parameter("fc.weight"))
    assert not torch.equal(first.get_parameter("fc.weight"), originals["fc.weight"])
    assert cw.saliency(steps[0][1], x).shape == (3, 32, 32)


def test_shared_layers_come_once_in_a_cascade() -> None:
    model, x = ARCHITECTURES["dict_output"]()
    names = [name for name, _ in cascade(cw.Network(model, input_size=tuple(x.shape[1:])))]
    assert sorted(names) == ["head", "mask", "shared", "stem"]


def test_some_layers_only() -> None:
    model, _ = ARCHITECTURES["resnet18"]()
    net = cw.Network(model, input_size=32)
    for chosen in ("layer4", ["layer4.0", "layer4.1"]):
        other = randomised(net, chosen)
        originals = dict(model.named_parameters())
        for path, parameter in other.model.named_parameters():
            shared = parameter.data_ptr() == originals[path].data_ptr()
            assert shared != path.startswith("layer4")
    buffer = "layer4.0.bn1.running_mean"
    assert not bool(other.model.get_buffer(buffer).any())
    assert torch.equal(
        other.model.get_buffer("bn1.running_mean"), model.get_buffer("bn1.running_mean")
    )
    with pytest.raises(
        ValueError, match="layers: there is no module 'layer5'; did you mean 'layer"
    ):
        randomised(net, "layer5")
    with pytest.raises(ValueError, match="layers: 'relu' has no weights"):
        randomised(net, "relu")


def test_maps_of_one_channel_are_judged_as_they_are() -> None:
    net, x, right = looks()
    flat, deep = (
        deletion_curve(net, x, given, 0, steps=4, fill=0.0) for given in (right, right[None])
    )
    assert deep.scores.tolist() == flat.scores.tolist()
    with pytest.raises(ValueError, match=r"attribution: \[2, 4, 4\]; give one value per pixel"):
        deletion_curve(net, x, torch.stack([right, right]), 0)
