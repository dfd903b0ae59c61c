"""What layers say of themselves is exact: shapes, parameters, receptive fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.layers import Layer, LayerGraph, layer_graph
from cnnwidgets.network import Network
from cnnwidgets.shadow import shadow
from tests.architectures import ARCHITECTURES, first_cnn, resnet18, unet, vgg16
from tests.perturbation import interval, perturbed, positive

if TYPE_CHECKING:
    from numpy.typing import NDArray


def graph_of(model: nn.Module, *shape: int) -> LayerGraph:
    return layer_graph(shadow(model), torch.rand(1, *shape))


class Plain(nn.Module):
    """Calls functions on one convolution's output, as given."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(self.conv(x))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameters_are_exact(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    graph = graph_of(model, *x.shape[1:])
    assert graph.error is None
    assert graph.total_parameters == sum(p.numel() for p in model.parameters())
    first_times = [layer for layer in graph if "#" not in layer.name]
    assert sum(layer.parameters for layer in first_times) == graph.total_parameters


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shapes_are_the_real_ones_and_inputs_come_before(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net = Network(model, input_size=tuple(x.shape[1:]))
    values = net.activations(x)
    seen = {"input"}
    for layer in net.layers:
        assert layer.output_shape == values[layer.name].shape[1:]
        assert seen.issuperset(layer.inputs)
        assert layer.inputs
        seen.add(layer.name)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_receptive_fields_are_what_units_depend_on(name: str) -> None:
    model, x = first_cnn(size=16) if name == "first_cnn" else ARCHITECTURES[name]()
    _, channels, height, width = x.shape
    net = Network(positive(model), input_size=(channels, height, width))
    much = 1e6  # decides every max-pooling
    if name in {"mobilenet_block", "dict_output"}:
        much = 1e-3  # keeps clear of the ends of a sigmoid
        for parameter in model.parameters():
            parameter.data.mul_(0.2)
    batch = perturbed(channels, height, width, by=much)
    with_fields = [layer for layer in net.layers if layer.receptive_field]
    assert len(with_fields) > 1
    names = [layer.name for layer in with_fields]
    for layer_name, value in net.activations(batch, names).items():
        layer = net.layer(layer_name)
        changed = ((value[1:] - value[:1]).abs() > 1e-11 * value.abs().mean()).any(dim=1)
        pixels = changed.reshape(height, width, *changed.shape[1:])
        rows = interval(pixels.any(dim=1).numpy())
        columns = interval(pixels.any(dim=0).numpy())
        for row, column in np.ndindex(*value.shape[-2:]):
            top, left, bottom, right = layer.field(row, column)
            assert [top, bottom] == rows[row, column].tolist(), (layer_name, row, column)
            assert [left, right] == columns[row, column].tolist(), (layer_name, row, column)


def test_published_figures() -> None:
    vgg = graph_of(vgg16(64, 32, 1000)[0], 3, 224, 224)
    assert vgg["features.0"].parameters == 1_792
    assert vgg["features.28"].parameters == 2_359_808
    assert vgg.total_parameters == 138_357_544
    # Araujo, Norris & Sim (2019), table 1
    assert vgg["features.30"].receptive_field == ((212, 212), (32, 32), (-90, -90))
    resnet = graph_of(resnet18(64, 64, 1000)[0], 3, 224, 224)
    assert resnet.total_parameters == 11_689_512
    assert resnet["layer4.1.relu#2"].receptive_field == ((435, 435), (32, 32), (-217, -217))
    cnn = graph_of(first_cnn()[0], 3, 32, 32)
    assert cnn.total_parameters == 477_994
    maps = [layer for layer in cnn if layer.kind in {"conv", "pool"}]
    sides = [layer.output_shape[1] for layer in maps if layer.output_shape]
    assert sides == [30, 28, 14, 12, 10, 5]


def test_field_and_seen_by_are_each_others_inverse() -> None:
    graph = graph_of(unet()[0], 3, 16, 16)
    for name in ("down1.0", "bottom.0", "up2", "head"):
        layer = graph[name]
        assert layer.output_shape is not None
        units = list(np.ndindex(*layer.output_shape[1:]))
        for pixel in ((0, 0), (7, 3), (15, 15)):
            expected = [unit for unit in units if _inside(pixel, layer.field(*unit))]
            box = layer.seen_by(*pixel)
            assert box is not None
            assert expected == [unit for unit in units if _inside(unit, box)]


def _inside(point: tuple[int, ...], box: tuple[int, int, int, int]) -> bool:
    return box[0] <= point[0] < box[2] and box[1] <= point[1] < box[3]


def test_what_no_unit_sees_and_what_is_no_unit() -> None:
    graph = graph_of(nn.Sequential(nn.Conv2d(1, 1, 1, stride=2), nn.Flatten()), 1, 4, 4)
    assert graph["0"].seen_by(1, 0) is None
    assert graph["0"].seen_by(0, 9) is None
    assert graph["0"].field(1, 1) == (2, 2, 3, 3)
    with pytest.raises(ValueError, match=r"unit \(2, 0\) is not in layer '0', which has 2 rows"):
        graph["0"].field(2, 0)
    with pytest.raises(ValueError, match="'1' has no rows and columns"):
        graph["1"].field(0, 0)
    assert graph["1"].seen_by(0, 0) is None


@pytest.mark.parametrize(
    ("module", "kind", "detail"),
    [
        (nn.Conv2d(4, 8, 3, 2, 1, groups=4), "conv", "3×3, stride 2, padding 1, groups 4"),
        (nn.Conv2d(4, 8, (3, 1), padding=(1, 0)), "conv", "3×1, padding 1×0"),
        (nn.Conv2d(4, 8, 3, padding="same", padding_mode="reflect"), "conv", None),
        (nn.ConvTranspose2d(4, 2, 2, 2), "transposed conv", "2×2, stride 2"),
        (nn.MaxPool2d(2), "pool", "max 2×2, stride 2"),
        (nn.AvgPool2d(3, 1, 1), "pool", "average 3×3, padding 1"),
        (nn.MaxUnpool2d(2), "pool", "MaxUnpool2d 2×2, stride 2"),
        (nn.AdaptiveAvgPool2d(1), "pool", "adaptive average, to 1"),
        (nn.BatchNorm2d(4), "norm", "BatchNorm2d"),
        (nn.GroupNorm(2, 4), "norm", "GroupNorm, groups 2"),
        (nn.ReLU6(), "activation", "ReLU6"),
        (nn.LeakyReLU(0.2), "activation", "LeakyReLU, slope 0.2"),
        (nn.Softmax(1), "softmax", "Softmax, dim 1"),
        (nn.Dropout2d(0.3), "dropout", "Dropout2d, p 0.3"),
        (nn.Identity(), "identity", ""),
        (nn.Linear(6, 2), "linear", ""),
        (nn.Flatten(), "flatten", ""),
        (nn.Upsample(scale_factor=2), "upsample", "scale 2.0, mode nearest"),
        (nn.PixelShuffle(2), "reshape", "PixelShuffle, scale 2"),
        (nn.ZeroPad2d(1), "reshape", "ZeroPad2d, padding 1"),
        (nn.Sigmoid(), "activation", "Sigmoid"),
        (nn.CosineSimilarity(), "other", "CosineSimilarity, dim 1"),
    ],
)
def test_kinds_and_details_of_modules(module: nn.Module, kind: str, detail: str | None) -> None:
    from cnnwidgets.kinds import detail_of, kind_of  # noqa: PLC0415
    from cnnwidgets.tracing import Call  # noqa: PLC0415

    assert kind_of(module, None) == kind
    if detail is not None:
        call = Call("", module, None, module, (), {}, (), (), torch.empty(0), ())
        assert detail_of(call) == detail


W = torch.ones(4, 1, 3, 1)
"""One filter for each channel."""


@pytest.mark.parametrize(
    ("function", "kind", "detail"),
    [
        (lambda x: x + 1, "add", ""),
        (lambda x: x * x, "multiply", ""),
        (lambda x: torch.cat([x, x], dim=1), "concat", "dim 1"),
        (lambda x: x.flatten(1), "flatten", ""),
        (lambda x: x.mean(dim=(2, 3)), "mean", "dim 2×3"),
        (lambda x: torch.cat([x, x], 1), "concat", "dim 1"),
        (lambda x: x[:, :2], "reshape", "getitem"),
        (lambda x: x.chunk(2, 1), "reshape", "chunk"),
        (lambda x: F.relu6(x), "activation", "relu6"),  # noqa: PLW0108 - like the others
        (lambda x: F.avg_pool2d(x, 2), "pool", "average 2×2, stride 2"),
        (lambda x: F.max_pool2d(x, 2, 1), "pool", "max 2×2"),
        (lambda x: F.adaptive_avg_pool2d(x, 1), "pool", "adaptive average, to 1"),
        (lambda x: F.conv2d(x, W, groups=4), "conv", "3×1, groups 4"),
        (
            lambda x: F.conv2d(x, W, None, 2, (1, 0), 1, 4),
            "conv",
            "3×1, stride 2, padding 1×0, groups 4",
        ),
        (
            lambda x: F.conv_transpose2d(x, W, stride=2, groups=4),
            "transposed conv",
            "3×1, stride 2, groups 4",
        ),
        (lambda x: F.leaky_relu(x, 0.2), "activation", "leaky_relu, slope 0.2"),
        (lambda x: F.interpolate(x, scale_factor=2), "upsample", "scale 2, mode nearest"),
        (lambda x: F.dropout(x, p=0.1, training=False), "dropout", "dropout, p 0.1"),
        (lambda x: x.softmax(1), "softmax", "softmax, dim 1"),
        (lambda x: F.layer_norm(x, (4, 4)), "norm", "layer_norm"),
        (lambda x: F.scaled_dot_product_attention(x, x, x), "attention", ""),
        (lambda x: x.sort().values, "other", "sort"),
    ],
)
def test_kinds_and_details_of_functions(function: Any, kind: str, detail: str) -> None:
    layer = graph_of(Plain(function), 3, 6, 6).layers[-1]
    assert (layer.kind, layer.detail, layer.module, layer.error) == (kind, detail, None, None)


def test_modules_are_the_users_and_blocks_their_paths() -> None:
    model, _ = resnet18()
    graph = graph_of(model, 3, 32, 32)
    assert graph["layer1.0.conv1"].module is model.get_submodule("layer1.0.conv1")
    assert graph["layer1.0.conv1"].block == graph["layer1.0.add"].block == "layer1.0"
    assert graph["conv1"].block == ""
    assert graph["layer1.0.add"].inputs == ("layer1.0.bn2", "maxpool")


def test_a_convolution_with_its_own_forward_keeps_its_module() -> None:
    class Same(nn.Conv2d):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
            return F.conv2d(F.pad(input, (1, 1, 1, 1)), self.weight, self.bias)

    model = nn.Sequential(Same(3, 2, 3))
    graph = graph_of(model, 3, 6, 6)
    assert graph["0.conv2d"].module is model[0]
    assert graph["0.pad"].module is None
    assert graph["0.conv2d"].parameters == 2 * 3 * 9 + 2


def test_what_is_overwritten() -> None:
    model, x = resnet18()
    found = {layer.name for layer in graph_of(model, *x.shape[1:]) if layer.overwritten}
    assert {"bn1", "layer1.0.bn1", "layer1.0.bn2", "layer1.0.add"} <= found
    assert not {"conv1", "relu", "maxpool", "layer1.0.relu", "layer1.0.relu#2"} & found

    def through_a_view(x: Tensor) -> Tensor:
        y = x.flatten(1)
        y.relu_()
        return y

    graph = graph_of(Plain(through_a_view), 3, 6, 6)
    assert [layer.name for layer in graph if layer.overwritten] == ["conv", "flatten"]


def test_a_failing_forward_shows_what_was_reached() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(7, 2))
    graph = graph_of(model, 3, 6, 6)
    assert [layer.name for layer in graph] == ["0", "1", "2"]
    last = graph["2"]
    assert (last.kind, last.output_shape, last.module) == ("linear", None, model[2])
    assert last.inputs == ("1",)
    assert last.error is not None
    assert "mat1 and mat2 shapes cannot be multiplied" in last.error
    assert graph.error == last.error
    assert graph["1"].error is None


def test_unknown_names() -> None:
    graph = graph_of(nn.Sequential(nn.Conv2d(3, 4, 3)), 3, 6, 6)
    with pytest.raises(ValueError, match=r"no layer 'O'.*'0'"):
        graph["O"]
    assert "0" in graph
    assert "O" not in graph


def test_layers_of_other_devices_and_types() -> None:
    model, x = resnet18()
    here = graph_of(model, *x.shape[1:])
    for other in (model.to("meta"), resnet18()[0].double(), resnet18()[0].half()):
        parameter = next(other.parameters())
        there = layer_graph(shadow(other), x.to(parameter.device, parameter.dtype))
        assert [_facts(layer) for layer in there] == [_facts(layer) for layer in here]


def _facts(layer: Layer) -> tuple[object, ...]:
    bounds: list[NDArray[np.int64]] = [layer.row_bounds, layer.column_bounds]
    return (
        layer.name,
        layer.kind,
        layer.output_shape,
        layer.parameters,
        layer.receptive_field,
        layer.inputs,
        layer.overwritten,
        layer.error,
        *(array.tobytes() for array in bounds),
    )
