"""Grad-CAM and guided Grad-CAM are Captum's, on whichever layer."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

import cnnwidgets as cw
from cnnwidgets import attribution
from cnnwidgets.errors import NoGradientError
from tests.architectures import ARCHITECTURES
from tests.explained import Explained, Scored, assert_same, captum, cases, with_modules
from tests.untouched import assert_untouched

DEFAULTS = {
    "vgg16": "features.29",
    "resnet18": "layer3.1.relu#2",  # layer4's maps are one place
    "dense_block": "cat#4",
    "mobilenet_block": "add",
    "inception_block": "head",
    "unet": "head",
    "tiny_vit": "patch",
    "first_cnn": "9",
    "recurrent": "relu",
}
"""Architecture → the last layer with maps before pooling and flattening."""


def network(model: nn.Module, x: Tensor) -> cw.Network:
    return cw.Network(model, input_size=tuple(x.shape[1:]))


@settings(max_examples=20, deadline=None)
@given(case=cases())
def test_cam_is_captums(case: tuple[Explained, Tensor]) -> None:
    model, x = case
    net, twin = network(model, x), with_modules(model)
    with assert_untouched(model, also=(x,)):
        found = {name: cw.grad_cam(net, x, 2, layer=name) for name in ("conv1", "conv2")}
        guided = cw.guided_grad_cam(net, x, 2, layer="conv2")
    for name, cam in found.items():
        expected = captum("LayerGradCam", twin, x, getattr(twin, name), target=2)
        assert_same(cam, expected[0])
    assert_same(guided, captum("GuidedGradCam", twin, x, twin.conv2, target=2))


def test_relu_and_upsampling() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    cam = cw.grad_cam(model, x, 1, layer="9")
    assert bool((cam < 0).any())
    assert torch.equal(cw.grad_cam(model, x, 1, layer="9", relu=True), cam.clamp(min=0))
    large = F.interpolate(cam[None, None], (32, 32), mode="bilinear")[0, 0]
    assert torch.equal(cw.grad_cam(model, x, 1, layer="9", upsample=True), large)


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_layer(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = network(model, x)
    assert attribution.layers_with_maps(net)[-1] == DEFAULTS[name]
    with assert_untouched(model, also=(x,)):
        found = cw.grad_cam(net, x)
    assert torch.equal(found, cw.grad_cam(net, x, layer=DEFAULTS[name]))
    modules = dict(net.model.named_modules())
    if DEFAULTS[name] in modules:
        twin = Scored(model)
        layer = twin.model.get_submodule(DEFAULTS[name])
        target = int(twin(x).argmax())
        assert_same(found, captum("LayerGradCam", twin, x, layer, target=target)[0], 1e-4)


def test_default_layer_is_one_that_the_score_depends_on() -> None:
    model, x = ARCHITECTURES["dict_output"]()
    net = network(model, x)
    assert attribution.layers_with_maps(net)[-2:] == ["mask", "sigmoid"]
    assert torch.equal(cw.grad_cam(net, x), cw.grad_cam(net, x, layer="leaky_relu#2"))
    with pytest.raises(NoGradientError, match="layer 'mask' has no gradient"):
        cw.grad_cam(net, x, layer="mask")
    mask = cw.grad_cam(net, x, score=lambda y: y["mask"].flatten(1).sum(1))
    assert torch.equal(
        mask, cw.grad_cam(net, x, layer="sigmoid", score=lambda y: y["mask"].flatten(1).sum(1))
    )


def test_layers_without_maps() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = network(model, x)
    with pytest.raises(ValueError, match=r"layer: '13' has no maps .*; choose.*'9'"):
        cw.grad_cam(net, x, layer="13")
    with pytest.raises(ValueError, match="there is no layer 'conv'"):
        cw.grad_cam(net, x, layer="conv")
    dense = cw.Network(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), input_size=8)
    with pytest.raises(ValueError, match="no layer with maps of rows and columns for Grad-CAM"):
        cw.grad_cam(dense, torch.randn(3, 8, 8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    exact = cw.grad_cam(network(model, x), x, 1)
    found = cw.grad_cam(network(model.to(dtype), x), x, 1)
    assert found.dtype == torch.float32
    assert_same(found, exact, 0.1)


def test_guided_grad_cam_speaks_of_itself() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Flatten(), nn.Linear(144, 3))
    net = cw.Network(model, input_size=8)
    with pytest.raises(
        ValueError, match=r"^guided_grad_cam changes the derivative of ReLU"
    ) as said:
        cw.guided_grad_cam(net, torch.rand(3, 8, 8), 1)
    assert "cw.grad_cam needs no ReLU" in str(said.value)
