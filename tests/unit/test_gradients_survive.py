"""Attributions of what cannot be attributed: one sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets import attribution
from cnnwidgets.errors import NoGradientError
from tests.architectures import ARCHITECTURES
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS: dict[str, dict[str, Any]] = {
    "saliency": {},
    "gradient_x_input": {},
    "smoothgrad": {"samples": 2},
    "vargrad": {"samples": 2},
    "integrated_gradients": {"steps": 2},
    "guided_backprop": {},
    "deconvnet": {},
    "grad_cam": {},
    "guided_grad_cam": {},
}
PLAIN = tuple(name for name in METHODS if name not in {"grad_cam", "guided_grad_cam"})
CLASSES = ["cat", "dog", "bird", "fish", "frog"]


class Applied(nn.Module):
    """A convolution, ReLU, and a function of its maps [N, 5, 6, 6]."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(self.conv(x).relu())


def network(function: Callable[[Tensor], object], **kwargs: Any) -> cw.Network:
    torch.manual_seed(0)
    return cw.Network(Applied(function), input_size=8, **kwargs)


def classifier() -> cw.Network:
    return network(lambda maps: maps.mean((2, 3)), classes=CLASSES)


def picture() -> Tensor:
    return torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("cta", "target: no class is named 'cta'; did you mean 'cat'"),
        (5, "target: there is no class 5; choose 0 to 4"),
        (-1, "target: there is no class -1; choose 0 to 4"),
    ],
)
def test_bad_target(method: str, target: int | str, says: str) -> None:
    net = classifier()
    with assert_untouched(net.model), pytest.raises(ValueError, match=says):
        getattr(cw, method)(net, picture(), target, **METHODS[method])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", ["nan", "inf"])
def test_picture_of_no_numbers(method: str, bad: str) -> None:
    x = picture()
    x[0, 2, 3] = float(bad)
    with pytest.raises(ValueError, match="image: 1 of its 192 values are NaN or infinite; replace"):
        getattr(cw, method)(classifier(), x, **METHODS[method])


BROKEN: dict[str, Callable[[Tensor], object]] = {
    "argmax": lambda maps: maps.mean((2, 3)).argmax(1, keepdim=True),
    "argmax per pixel": lambda maps: maps.argmax(1, keepdim=True),
    "detach": lambda maps: maps.mean((2, 3)).detach(),
    "numpy": lambda maps: torch.from_numpy(maps.detach().numpy()).mean((2, 3)),
    "no_grad": torch.no_grad()(lambda maps: maps.mean((2, 3))),
    "constant": lambda maps: torch.zeros(len(maps), 5, requires_grad=True) * 2,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("broken", BROKEN)
def test_no_gradient(method: str, broken: str) -> None:
    net = network(BROKEN[broken])
    says = "no gradient reaches the picture: .*cw.occlusion needs no gradients|has no gradient"
    with assert_untouched(net.model), pytest.raises(NoGradientError, match=says):
        getattr(cw, method)(net, picture(), 0, **METHODS[method])


@pytest.mark.parametrize("method", METHODS)
def test_no_classifier(method: str) -> None:
    boxes = network(lambda maps: {"boxes": maps[0, :, 0, :4], "labels": [3]})
    more = METHODS[method]
    with pytest.raises(ValueError, match=r"returned \[5, 4\](; give score=| for 2 pictures)"):
        getattr(cw, method)(boxes, picture(), **more)
    words = network(lambda _: "a cat")
    with pytest.raises(ValueError, match="returned no tensor but str"):
        getattr(cw, method)(words, picture(), **more)


@pytest.mark.parametrize("method", METHODS)
def test_score_of_a_network_that_is_no_classifier(method: str) -> None:
    net = network(lambda maps: {"maps": maps})
    found = getattr(cw, method)(
        net,
        picture(),
        score=lambda output: output["maps"][:, 1].flatten(1).max(1).values,
        **METHODS[method],
    )
    assert bool(found.any())
    with pytest.raises(ValueError, match=r"score: returned \[\] for \d pictures; return"):
        getattr(cw, method)(
            net, picture(), score=lambda output: output["maps"].sum(), **METHODS[method]
        )


@pytest.mark.parametrize("method", METHODS)
def test_score_of_several_classes(method: str) -> None:
    net = network(lambda maps: {"maps": maps})
    expected = getattr(cw, method)(classifier(), picture(), 3, **METHODS[method])
    found = getattr(cw, method)(
        net, picture(), 3, score=lambda output: output["maps"].mean((2, 3)), **METHODS[method]
    )
    assert torch.equal(found, expected)


def test_model_that_takes_one_picture_at_a_time() -> None:
    net = network(lambda maps: maps.reshape(1, 5, -1).mean(2))
    with pytest.raises(ValueError, match="for 3 pictures; pass batch=1"):
        cw.smoothgrad(net, picture(), samples=3)
    expected = cw.smoothgrad(classifier(), picture(), samples=3)
    assert torch.allclose(cw.smoothgrad(net, picture(), samples=3, batch=1), expected)


@pytest.mark.parametrize(
    ("method", "argument", "says"),
    [
        ("smoothgrad", {"samples": 0}, "samples: 0; give a whole number from 1 on"),
        ("vargrad", {"samples": -3}, "samples: -3; give"),
        ("smoothgrad", {"samples": 2.5}, "samples: 2.5; give"),
        ("smoothgrad", {"samples": True}, "samples: True; give"),
        ("smoothgrad", {"noise": -0.1}, "noise: -0.1; give a share of the picture's range, 0 or"),
        ("vargrad", {"noise": float("nan")}, "noise: nan; give"),
        ("smoothgrad", {"batch": 0}, "batch: 0; give"),
        ("integrated_gradients", {"steps": 0}, "steps: 0; give"),
        ("integrated_gradients", {"batch": -1}, "batch: -1; give"),
        ("integrated_gradients", {"baseline": "blak"}, "baseline: 'blak'; "),
        ("integrated_gradients", {"baseline": torch.zeros(7)}, r"baseline: a tensor \[7\]; give"),
        ("saliency", {"measure": "logits"}, "measure: 'logits'; did you mean 'logit'"),
        ("grad_cam", {"layer": "convv"}, "there is no layer 'convv'; did you mean 'conv'"),
    ],
)
def test_arguments(method: str, argument: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        getattr(cw, method)(classifier(), picture(), **argument)
    stream = getattr(attribution, f"iter_{method}", None)
    if stream is not None:  # refused when called, not when first asked
        with pytest.raises(ValueError, match=says):
            stream(classifier(), picture(), **argument)


def test_net_and_image_changed_places() -> None:
    with pytest.raises(TypeError, match="the network comes first, then the image"):
        cw.saliency(picture(), classifier())  # type: ignore[arg-type]


def test_error_of_the_model_itself_comes_through() -> None:
    def fails(maps: Tensor) -> Tensor:
        raise RuntimeError(f"no such file: {len(maps)}")

    net = network(fails)
    with assert_untouched(net.model), pytest.raises(RuntimeError, match="no such file"):
        cw.saliency(net, picture())


def test_weights_changed_meanwhile() -> None:
    """A stream goes on with the weights as they are then, as training does."""
    net = classifier()
    stream = attribution.iter_smoothgrad(net, picture(), 0, samples=4, batch=2)
    first = next(stream).attribution
    with torch.no_grad():
        net.model.get_parameter("conv.weight").mul_(3)
    last = next(stream)
    assert last.done == 4
    assert float(last.attribution.norm()) > 1.5 * float(first.norm())


def test_left_streams_leave_nothing() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = cw.Network(model, input_size=32)
    with assert_untouched(model, also=(x,)):
        for progress in attribution.iter_smoothgrad(net, x, samples=100, batch=2):
            if progress.done >= 4:
                break


@pytest.mark.parametrize("method", METHODS)
def test_model_that_overwrites_its_input(method: str) -> None:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    found = [
        getattr(cw, method)(
            cw.Network(nn.Sequential(nn.ReLU(inplace=inplace), *layers), input_size=8),
            picture(),
            1,
            **METHODS[method],
        )
        for inplace in (False, True)
    ]
    assert torch.equal(*found)


@pytest.mark.parametrize("channels", [1, 5])
@pytest.mark.parametrize("method", PLAIN)
def test_other_channels(channels: int, method: str) -> None:
    model = nn.Sequential(nn.Conv2d(channels, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 4))
    x = torch.randn(channels, 8, 8)
    net = cw.Network(model, input_size=(channels, 8, 8))
    assert getattr(cw, method)(net, x, **METHODS[method]).shape == (channels, 8, 8)
