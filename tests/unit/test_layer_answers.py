"""Every request of the layer browser, as the front-end makes it, against torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.architectures import ARCHITECTURES
from tests.kernel import Browser, Message
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

pytestmark = pytest.mark.usefixtures("front_end")


class Page(Browser):
    """A page that shows a layer browser."""

    def __init__(self, browser: LayerBrowser) -> None:
        super().__init__(browser)
        self.browser = browser

    def of(self, layer: str, *, of: str = "activations", slot: str = "a") -> dict[str, Any]:
        """What the front-end says of every layer it asks for."""
        key = self.browser._pictures[slot]["key"]
        return {"slot": slot, "key": key, "layer": layer, "of": of}


@pytest.fixture
def opened() -> Iterator[Callable[..., Page]]:
    made: list[LayerBrowser] = []

    def open_(model: nn.Module, x: Tensor, **options: Any) -> Page:
        net = Network(model, input_size=tuple(x.shape[1:]))
        made.append(LayerBrowser(net, x[0], **options))
        return Page(made[-1])

    yield open_
    for browser in made:
        browser.close()


def tensor(reply: Message, index: int = 0) -> NDArray[Any]:
    assert reply.content["ok"], reply.content
    return reply.tensors[index]


def maps_of(value: Tensor) -> Tensor:
    """What a layer's output looks like as maps, or a vector."""
    one = value[0] if value.ndim > 1 else value
    if one.ndim == 2:
        return one[:, None]
    return one if one.ndim < 3 else one.reshape(-1, *one.shape[-2:])


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("of", ["activations", "gradients"])
def test_every_layer_of_every_architecture(opened: Callable[..., Page], name: str, of: str) -> None:
    model, x = ARCHITECTURES[name]()
    with assert_untouched(model, also=(x,)):
        page = opened(model, x)
        if of == "gradients" and not page.browser._slots.outputs:
            return
        target = page.browser.target
        net = page.browser.net
        values = net.activations(x) if of == "activations" else net.gradients(x, target)
        for layer, value in values.items():
            check_layer(page, page.of(layer, of=of), maps_of(value).float())


def check_layer(page: Page, args: dict[str, Any], maps: Tensor) -> None:
    reply = page.request("layer", **args)
    value, table = reply.value, tensor(reply)
    assert value["shape"] == list(maps.shape)
    assert value["odd"] == []
    flat = maps.reshape(len(maps), -1).double()
    expected = [flat.mean(1), flat.amin(1), flat.amax(1), flat.std(1, correction=0)]
    expected += [(flat == 0).double().mean(1), torch.zeros(len(flat))]
    np.testing.assert_allclose(table, torch.stack(expected, 1), rtol=1e-4, atol=1e-6)
    span = [float(maps.amin()), float(maps.amax())]
    assert [value["low"], value["high"]] == span
    if maps.ndim == 1:
        np.testing.assert_array_equal(tensor(page.request("vector", **args)), maps)
        return
    assert value["network_low"] <= span[0] <= span[1] <= value["network_high"] or maps.shape[1] == 1
    mean = tensor(page.request("mean", **args))
    np.testing.assert_array_equal(mean, maps.mean(0))
    assert [value["mean_low"], value["mean_high"]] == [mean.min(), mean.max()]
    last = len(maps) - 1
    np.testing.assert_array_equal(tensor(page.request("map", **args, channel=last)), maps[last])
    reply = page.request("maps", **args, first=0, last=min(len(maps), 64))
    assert reply.value == {"reduced": 1}
    quantised = tensor(reply)
    step = (maps[:64].amax((1, 2)) - maps[:64].amin((1, 2))) / 252
    error = np.abs(quantised - maps[:64].numpy()).max((1, 2))
    assert (error <= step.numpy() * 0.5001 + 1e-6).all()


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "mobilenet_block", "inception_block"])
def test_receptive_field_bounds(opened: Callable[..., Page], name: str) -> None:
    page = opened(*ARCHITECTURES[name]())
    for layer in page.browser.net.layers:
        reply = page.request("layer", **page.of(layer.name))
        np.testing.assert_array_equal(tensor(reply, 1), layer.row_bounds)
        np.testing.assert_array_equal(tensor(reply, 2), layer.column_bounds)
        assert tensor(reply, 1).shape[1] == 2


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_receipts_of_every_convolution(opened: Callable[..., Page], name: str) -> None:
    model, x = ARCHITECTURES[name]()
    with assert_untouched(model):
        page = opened(model, x)
        values = page.browser.net.activations(x)
        for layer in page.browser._graph["layers"]:
            if not layer["receipt"]:
                continue
            channels, height, width = layer["shape"]
            for unit in [(0, 0, 0), (channels - 1, height // 2, width - 1)]:
                check_receipt(page, layer["name"], unit, values[layer["name"]][0])


def check_receipt(page: Page, layer: str, unit: tuple[int, int, int], maps: Tensor) -> None:
    where = dict(zip(("channel", "row", "column"), unit, strict=True))
    reply = page.request("receipt", **page.of(layer), **where)
    value = reply.value
    patch, weights, products, sums, inside = reply.tensors
    np.testing.assert_allclose(products, patch * weights, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(sums, products.sum((1, 2)), rtol=1e-4, atol=1e-5)
    assert value["result"] == pytest.approx(sums.sum() + value["bias"], rel=1e-4, abs=1e-5)
    assert value["torch"] == float(maps[unit])
    magnitude = np.abs(products).sum() + abs(value["bias"])
    assert abs(value["result"] - value["torch"]) <= 1e-5 * magnitude
    assert value["equal"] is True
    assert value["check"].startswith("✓ equals what torch computed")
    assert inside.shape == patch.shape[1:]
    assert set(np.unique(inside)) <= {0, 1}
    assert value["channels"][1] - value["channels"][0] == len(patch)
    assert (len(value["rows"]), len(value["columns"])) == inside.shape
    assert "torch" in value["code"]


@pytest.mark.parametrize("layer", ["0", "2"])
def test_the_receipts_code_runs_as_pasted(opened: Callable[..., Page], layer: str) -> None:
    image = torch.randn(1, 3, 9, 9)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 2, 3, padding=1))
    page = opened(model, image)
    value = page.request("receipt", **page.of(layer), channel=1, row=2, column=3).value
    pasted = {"net": page.browser.net, "image": image}
    exec(value["code"], pasted)  # noqa: S102 - as a reader does in a cell
    assert float(pasted["result"]) == pytest.approx(value["result"], rel=1e-6)  # type: ignore[arg-type]


def test_the_receipt_says_how_the_convolution_works(opened: Callable[..., Page]) -> None:
    conv = nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), groups=2, padding_mode="reflect")
    page = opened(nn.Sequential(conv), torch.randn(1, 4, 9, 9))
    args = {**page.of("0"), "channel": 5, "row": 1, "column": 2}
    value = page.request("receipt", **args).value
    settings = [value[name] for name in ("stride", "padding", "dilation", "groups", "channels")]
    assert settings == [[2, 1], [1, 0], [1, 2], 2, [2, 4]]


@pytest.mark.parametrize("groups", [1, 3])
def test_filters(opened: Callable[..., Page], groups: int) -> None:
    conv = nn.Conv2d(3, 6, 5, groups=groups)
    page = opened(nn.Sequential(conv), torch.randn(1, 3, 12, 12))
    (layer,) = page.browser._graph["layers"]
    weights = conv.weight.detach()
    assert layer["filters"] == list(weights.shape)

    def ask(which: Any, first: int = 0, last: int = 6) -> Message:
        return page.request("filters", layer="0", input=which, first=first, last=last)

    summed = ask("sum")
    np.testing.assert_allclose(tensor(summed), weights.sum(1), rtol=1e-6)
    assert summed.value == {
        "low": pytest.approx(float(weights.sum(1).min())),
        "high": pytest.approx(float(weights.sum(1).max())),
    }
    np.testing.assert_array_equal(tensor(ask(0, 2, 5)), weights[2:5, 0])
    if groups == 1:
        np.testing.assert_array_equal(tensor(ask("rgb")), weights)
        assert ask(2).value["high"] == float(weights.max()), "one range for every input"
        assert "choose 'rgb', 'sum' or a channel 0 to 2" in page.refusal(
            "filters", layer="0", input=3, first=0, last=6
        )
    else:
        assert "the filters have 1 input channel" in page.refusal(
            "filters", layer="0", input="rgb", first=0, last=6
        )


def test_filters_of_a_transposed_convolution(opened: Callable[..., Page]) -> None:
    conv = nn.ConvTranspose2d(4, 6, 3, groups=2)
    page = opened(nn.Sequential(conv), torch.randn(1, 4, 5, 5))
    (layer,) = page.browser._graph["layers"]
    assert layer["filters"] == [6, 2, 3, 3]
    found = tensor(page.request("filters", layer="0", input=1, first=0, last=6))
    weight = conv.weight.detach()
    for k in range(6):
        impulse = torch.zeros(1, 4, 1, 1)
        impulse[0, (k // 3) * 2 + 1] = 1
        stamp = F.conv_transpose2d(impulse, weight, groups=2)[0, k]
        np.testing.assert_array_equal(found[k], stamp)


def test_reading_a_weight_does_not_change_the_model(opened: Callable[..., Page]) -> None:
    conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)).train()
    model = nn.Sequential(conv, nn.BatchNorm2d(4)).train()
    x = torch.randn(1, 3, 8, 8)
    with assert_untouched(model):
        page = opened(model, x)
        page.request("filters", layer="0", input="sum", first=0, last=4)
        values = page.browser.net.activations(x)
        check_receipt(page, "0", (1, 2, 3), values["0"][0])


def test_large_maps_are_averaged_in_the_grid_only(opened: Callable[..., Page]) -> None:
    x = torch.randn(1, 1, 300, 513)
    page = opened(nn.Sequential(nn.Conv2d(1, 2, 1)), x)
    value = page.browser.net.activations(x)["0"][0]
    reply = page.request("maps", **page.of("0"), first=0, last=2)
    assert reply.value == {"reduced": 5}
    expected = F.avg_pool2d(value[None], 5, ceil_mode=True)[0]
    assert np.abs(tensor(reply) - expected.numpy()).max() < 0.02
    exact = tensor(page.request("map", **page.of("0"), channel=1))
    np.testing.assert_array_equal(exact, value[1])


class Poison(nn.Module):
    """Puts values that are not finite into its output, and a constant."""

    def forward(self, x: Tensor) -> Any:
        x = x.clone()
        x[:, 0, 1, 2], x[:, 0, 3, 4], x[:, 0, 5, 5] = math.nan, math.inf, -math.inf
        x[:, 1], x[:, 2] = math.nan, 0.25
        return x


def test_values_that_are_not_finite_survive(opened: Callable[..., Page]) -> None:
    x = torch.randn(1, 3, 8, 8)
    page = opened(nn.Sequential(nn.Conv2d(3, 4, 1), Poison()), x)
    maps = page.browser.net.activations(x)["1.setitem#5"][0]
    args = page.of("1.setitem#5")
    reply = page.request("layer", **args)
    table = tensor(reply)
    assert reply.value["odd"] == ["NaN", "Infinity", "-Infinity"]
    finite = maps[0][maps[0].isfinite()]
    spread = [finite.mean(), finite.min(), finite.max(), finite.std(correction=0)]
    expected = [*map(float, spread), 0, 3 / 64]
    np.testing.assert_allclose(table[0], expected, rtol=1e-5)
    np.testing.assert_array_equal(table[1], [math.nan] * 4 + [0, 1])
    np.testing.assert_allclose(table[2], [0.25, 0.25, 0.25, 0, 0, 0])
    for name in ("low", "high", "mean_low", "mean_high", "network_low", "network_high"):
        assert math.isfinite(reply.value[name])
    quantised = tensor(page.request("maps", **args, first=0, last=4))
    np.testing.assert_array_equal(np.isnan(quantised), maps.isnan())
    np.testing.assert_array_equal(quantised == math.inf, maps == math.inf)
    np.testing.assert_array_equal(quantised == -math.inf, maps == -math.inf)
    np.testing.assert_array_equal(quantised[2], maps[2])
    np.testing.assert_array_equal(tensor(page.request("map", **args, channel=0)), maps[0])
    assert page.browser._predictions["a"]["rows"] is None


def test_two_thousand_channels_are_sent_in_parts(opened: Callable[..., Page]) -> None:
    page = opened(nn.Sequential(nn.Conv2d(3, 2048, 1)), torch.randn(1, 3, 16, 16))
    assert tensor(page.request("layer", **page.of("0"))).shape == (2048, 6)
    last = tensor(page.request("maps", **page.of("0"), first=2048 - 64, last=2048))
    assert last.shape == (64, 16, 16)
    assert "ask for 512" in page.refusal("maps", **page.of("0"), first=0, last=2048)


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("layer", {"layer": "0.conv"}, "there is no layer '0.conv'; choose one of '0'"),
        ("layer", {"layer": 5}, "layer: layer must be str, not int"),
        ("layer", {"slot": "c"}, "slot is 'c'; choose one of 'a', 'b'"),
        ("layer", {"of": "weights"}, "of is 'weights'"),
        ("layer", {"key": "1"}, "key must be int"),
        ("layer", {"key": -1}, "the picture has changed"),
        ("layer", {"slot": "b"}, "the picture has changed"),
        ("layer", {"of": "gradients", "target": 5}, "target is 5; choose 0 to 4"),
        ("maps", {"first": 0}, "last must be int"),
        ("maps", {"first": 3, "last": 3}, "no range"),
        ("maps", {"first": -1, "last": 3}, "no range"),
        ("maps", {"first": 4, "last": 9}, "no range of 0 to 4"),
        ("map", {"channel": 4}, "channel is 4; choose 0 to 3"),
        ("map", {"channel": True}, "channel must be int, not bool"),
        ("map", {"layer": "3", "channel": 0}, "3 has no maps but 5 numbers"),
        ("vector", {}, "0 has maps; ask for them"),
        ("filters", {"layer": "1", "first": 0, "last": 1}, "1 has none"),
        ("filters", {"first": 0, "last": 1, "input": [1]}, "input is [1]"),
        ("receipt", {"channel": 0, "row": 6, "column": 0}, "row is 6; choose 0 to 5"),
        ("receipt", {"layer": "1", "channel": 0, "row": 0, "column": 0}, "no two-dimensional"),
        ("pick", {"index": 0}, "index is 0; there is none"),
        ("clear", {"slot": "a"}, "slot is 'a'"),
        ("upload", {"name": "x", "part": 0, "parts": 1}, "one buffer belongs to each part"),
    ],
)
def test_wrong_requests_say_what_to_do(
    opened: Callable[..., Page], name: str, change: dict[str, Any], sentence: str
) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    x = torch.randn(1, 3, 8, 8)
    with assert_untouched(model, also=(x,)):
        page = opened(model, x)
        assert sentence in page.refusal(name, **{**page.of("0"), **change})


def test_gradients_need_classes(opened: Callable[..., Page]) -> None:
    page = opened(nn.Sequential(nn.Conv2d(3, 4, 3)), torch.randn(1, 3, 8, 8))
    assert "the network is no classifier" in page.refusal("layer", **page.of("0", of="gradients"))


def test_gradients_follow_the_target(opened: Callable[..., Page]) -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    page = opened(model, x, target=3)
    layer = page.browser.layer
    shown = tensor(page.request("map", **page.of(layer, of="gradients"), channel=0))
    other = tensor(page.request("map", **page.of(layer, of="gradients"), channel=0, target=4))
    for target, found in ((3, shown), (4, other)):
        expected = page.browser.net.gradients(x, target, [layer])[layer][0, 0]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(opened: Callable[..., Page], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)).to(dtype)
    x = torch.randn(1, 3, 8, 8, dtype=dtype)
    page = opened(model, x)
    expected = page.browser.net.activations(x)["0"][0, 1].float()
    np.testing.assert_array_equal(tensor(page.request("map", **page.of("0"), channel=1)), expected)
    where = {"channel": 1, "row": 0, "column": 0}
    value = page.request("receipt", **page.of("0"), **where).value
    assert value["result"] == pytest.approx(float(expected[0, 0]), rel=0.02, abs=0.02)
