"""What is convolved in a pass, against what the pass computes, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.network import Network
from tests.architectures import ARCHITECTURES
from tests.convolving import CASES, Forward, last_convolution, strings, transposed
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.filterwarnings("ignore:Lazy modules", "ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("name", CASES)
def test_what_is_really_convolved(name: str) -> None:
    torch.manual_seed(0)
    model = CASES[name]()
    image = torch.randn(1, 3, 8, 8)
    net = Network(model, input_size=(3, 8, 8))
    layer = last_convolution(net)
    assert layer.name != "stem"
    with assert_untouched(model, also=(image,)):
        conv, x = net.convolution(layer.name, image)
    if "hook that convolves" not in name:
        assert torch.equal(conv(x), net.activations(image)[layer.name])
    else:
        expected = model[1]._conv_forward(image, model[1].weight, model[1].bias)  # type: ignore[index]
        assert torch.equal(conv(x), expected)
    assert layer.filters == (
        *(conv.out_channels, conv.in_channels // conv.groups),
        *conv.kernel_size,
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_convolution_of_every_architecture(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = Network(model, input_size=tuple(x.shape[1:]))
    values = net.activations(x)
    convs = [layer for layer in net.layers if layer.filters is not None]
    assert convs
    with assert_untouched(model, also=(x,)):
        for layer in convs:
            conv, given = net.convolution(layer.name, x)
            assert torch.equal(conv(given), values[layer.name])
            assert layer.direct == torch.equal(given, {"input": x, **values}[layer.inputs[0]])


def test_the_modules_own_settings_are_kept() -> None:
    """Not those of the unpadded call that ``Conv2d`` makes in other modes than zeros."""
    net = Network(CASES["reflect"](), input_size=(3, 8, 8))
    conv, x = net.convolution("0", torch.randn(1, 3, 8, 8))
    assert (conv.padding, conv.padding_mode, x.shape[-1]) == ((2, 2), "reflect", 8)


def test_the_pass_stops_at_the_layer() -> None:
    def fail(*_: object) -> None:
        raise AssertionError("went on")

    second = nn.Conv2d(4, 4, 3)
    second.register_forward_pre_hook(fail)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), second)
    net = Network(model, input_size=(3, 8, 8))
    assert net.convolution("0", torch.randn(1, 3, 8, 8))[0].out_channels == 4


def test_what_is_returned_is_not_the_models() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    image = torch.randn(1, 3, 8, 8)
    with assert_untouched(model, also=(image,)):
        conv, x = Network(model, input_size=(3, 8, 8)).convolution("0", image)
        conv.weight.zero_()
        conv.bias.zero_()  # type: ignore[union-attr]
        x.zero_()
    assert not conv(x).requires_grad


def test_what_has_no_convolution() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    net = Network(model, input_size=(3, 8, 8))
    image = torch.randn(1, 3, 8, 8)
    with pytest.raises(ValueError, match=r"'1' is no two-dimensional convolution .*: activation"):
        net.convolution("1", image)
    with pytest.raises(ValueError, match="there is no layer 'conv'"):
        net.convolution("conv", image)


def test_a_model_that_fails_on_the_way() -> None:
    def forward(self: Forward, y: Tensor) -> Any:
        if y.isnan().any():
            raise RuntimeError("not a number")
        return self.conv(y)

    model = Forward(forward)
    net = Network(model, input_size=(3, 8, 8))
    image = torch.full((1, 3, 8, 8), float("nan"))
    with (
        assert_untouched(model),
        pytest.raises(ValueError, match="did not reach 'conv' with this picture: not a number"),
    ):
        net.convolution("conv", image)


@pytest.mark.parametrize(
    ("forward", "shape"),
    [
        (lambda m, y: F.conv1d(y[:, :, 0], m.conv.weight[:, :, 0]), None),
        (lambda m, y: F.linear(y, weight=m.conv.weight[0, 0, :, :1].repeat(1, 8)), None),
        (strings, (6, 2, 3, 2)),
        (transposed, (4, 2, 3, 2)),
    ],
)
def test_filters_of_functions(forward: Callable[..., Tensor], shape: tuple[int, ...]) -> None:
    net = Network(Forward(forward), input_size=(3, 8, 8))
    assert net.layers[-1].filters == shape
