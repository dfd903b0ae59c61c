"""The receipt of a unit beside what the layer really computed, and its code as pasted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets import samples
from cnnwidgets.arithmetic import _precision, receipt
from cnnwidgets.convolutions import convolved
from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.architectures import ARCHITECTURES
from tests.convolving import CASES, Forward, Standardised, hooked, last_convolution
from tests.kernel import Browser
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.usefixtures("front_end"),
    pytest.mark.filterwarnings("ignore:Lazy modules", "ignore:.*weight_norm.*:FutureWarning"),
]

Unit = tuple[int, int, int]
UNITS: tuple[Unit, ...] = ((0, 0, 0), (1, 3, 2), (3, 5, 4))


class Receipts:
    """Asks for receipts of one layer as the front-end does."""

    def __init__(self, model: nn.Module, image: Tensor, layer: str | None = None) -> None:
        self.net = Network(model, input_size=tuple(image.shape[1:]))
        self.image = image
        self.layer = layer or last_convolution(self.net).name
        self.browser = LayerBrowser(self.net, image[0])
        self.page = Browser(self.browser)

    def ask(self, name: str, **args: Any) -> Any:
        key = self.browser._pictures["a"]["key"]
        where = {"slot": "a", "key": key, "layer": self.layer, "of": "activations"}
        return cast("Any", self.page.request(name, **where, **args))

    def value(self, unit: Unit) -> dict[str, Any]:
        channel, row, column = unit
        reply = self.ask("receipt", channel=channel, row=row, column=column)
        value: dict[str, Any] = reply.value
        return value

    def pasted(self, code: str) -> float:
        """Run the code of a receipt as a reader does in a cell."""
        names: dict[str, Any] = {"net": self.net, "image": self.image}
        exec(code, names)  # noqa: S102 - that it runs is what is tested
        return float(names["result"])


@pytest.fixture
def opened() -> Iterator[Callable[..., Receipts]]:
    made: list[Receipts] = []

    def open_(*args: Any) -> Receipts:
        made.append(Receipts(*args))
        return made[-1]

    yield open_
    for one in made:
        one.browser.close()


def changes_the_output(name: str) -> bool:
    return name in {"a hook that convolves", "transposed"}


@pytest.mark.parametrize("name", [name for name in CASES if not changes_the_output(name)])
def test_receipts_of_what_is_really_convolved(opened: Callable[..., Receipts], name: str) -> None:
    torch.manual_seed(0)
    model, image = CASES[name](), torch.randn(1, 3, 8, 8)
    with assert_untouched(model, also=(image,)):
        receipts = opened(model, image)
        output = receipts.net.activations(image)[receipts.layer].flatten(0, 1)
        _, height, width = output.shape
        for channel, row, column in UNITS:
            unit = channel, min(row, height - 1), min(column, width - 1)
            value = receipts.value(unit)
            assert value["torch"] == float(output[unit])
            assert value["equal"], value["check"]
            assert value["check"].startswith("✓ equals what torch computed")
            tolerance = 1e-5 if output.dtype == torch.float32 else 1e-2
            assert value["result"] == pytest.approx(value["torch"], rel=tolerance, abs=tolerance)
            assert receipts.pasted(value["code"]) == pytest.approx(value["result"], rel=1e-9)


def test_receipts_of_the_second_image_of_a_batch(opened: Callable[..., Receipts]) -> None:
    receipts = opened(CASES["several images"](), torch.randn(1, 3, 8, 8))
    output = receipts.net.activations(receipts.image)[receipts.layer]
    value = receipts.value((6 + 2, 4, 4))
    assert value["torch"] == float(output[1, 2, 4, 4])
    assert value["equal"], value["check"]
    assert receipts.pasted(value["code"]) == pytest.approx(value["result"], rel=1e-9)


def test_a_click_needs_no_pass_where_the_maps_tell(
    opened: Callable[..., Receipts], monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []

    def counted(net: Network, name: str, x: Tensor, step: Any) -> Any:
        passes.append(name)
        return convolved(net, name, x, step)

    monkeypatch.setattr("cnnwidgets.widgets.passes.convolved", counted)
    image = torch.randn(1, 3, 8, 8)
    plain = opened(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3)), image
    )
    for unit in UNITS[:2]:
        assert plain.value(unit)["equal"]
    assert passes == []
    other = opened(nn.Sequential(Standardised(3, 4, 3)), image)
    for unit in UNITS:
        assert other.value(unit)["equal"]
    assert passes == ["0.conv2d"], "one pass for all units of a layer"
    with torch.no_grad():
        other.net.model[0].weight.mul_(torch.randn(4, 3, 3, 3))  # type: ignore[index]
    other.browser._renew(at_once=True)
    assert other.value(UNITS[0])["equal"]
    assert passes == ["0.conv2d"] * 2, "and another when the weights have changed"
    other.browser._slots.passes.release()
    assert not other.browser._slots.passes._convolved


def written_in_place(_module: nn.Module, _inputs: object, output: Tensor) -> None:
    output.neg_()


@pytest.mark.parametrize(
    "hook", [lambda _m, _x, y: y * 2, lambda _m, _x, y: y.add_(1), written_in_place]
)
def test_a_hook_that_changes_the_output(
    opened: Callable[..., Receipts], hook: Callable[..., Any]
) -> None:
    model, image = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 4, 3)), torch.randn(1, 3, 8, 8)
    expected = model(image)[0].detach()
    model[1].register_forward_hook(hook)
    receipts = opened(model, image)
    for unit in UNITS:
        value = receipts.value(unit)
        assert value["equal"] is False
        assert value["result"] == pytest.approx(float(expected[unit]), rel=1e-4, abs=1e-5)
        assert value["check"].startswith("The convolution gave ")
        assert "; a forward hook made it " in value["check"]
        assert receipts.pasted(value["code"]) == pytest.approx(value["result"], rel=1e-9)


def test_a_hook_that_only_looks(opened: Callable[..., Receipts]) -> None:
    seen: list[Tensor] = []
    receipts = opened(hooked(hook=lambda _m, _x, y: seen.append(y.mean())), torch.randn(1, 3, 8, 8))
    assert receipts.value((0, 1, 2))["equal"]


def test_a_hook_that_gives_another_shape(opened: Callable[..., Receipts]) -> None:
    receipts = opened(hooked(hook=lambda _m, _x, y: F.pad(y, (2, 2))), torch.randn(1, 3, 8, 8))
    assert receipts.value((0, 1, 2))["equal"] is False
    with pytest.raises(AssertionError, match="gave its output another shape"):
        receipts.value((0, 1, 9))


def test_more_after_the_convolution(opened: Callable[..., Receipts]) -> None:
    class Scaled(nn.Conv2d):
        def _conv_forward(self, *args: Any) -> Any:
            return 2 * super()._conv_forward(*args)

    receipts = opened(nn.Sequential(Scaled(3, 4, 3)), torch.randn(1, 3, 8, 8))
    assert "what follows in the layer made it" in receipts.value((0, 1, 2))["check"]


@pytest.mark.parametrize(
    "dtype",
    [
        torch.bfloat16,
        torch.float32,
        *(pytest.param(other, marks=pytest.mark.slow) for other in (torch.float16, torch.float64)),
    ],
)
@pytest.mark.parametrize("name", [*ARCHITECTURES, "fashion"])
def test_any_unit_of_any_convolution(name: str, dtype: torch.dtype) -> None:
    """Rounding is no difference, whatever cancels out."""
    net, x = sample(name, dtype)
    torch.manual_seed(0)
    values = net.activations(x)
    for layer in net.layers:
        if layer.kind != "conv":
            continue
        conv, given = net.convolution(layer.name, x)
        output = values[layer.name][0].float()
        for _ in range(30):
            unit = cast("Unit", tuple(int(torch.randint(n, ())) for n in output.shape))
            bill = receipt(cast("nn.Conv2d", conv), given, *unit)
            assert bill.agrees(float(output[unit])), (layer.name, unit)
            apart = 4 * bill.tolerance * max(bill.magnitude, torch.finfo(dtype).tiny)
            assert not bill.agrees(float(output[unit]) + apart)


def sample(name: str, dtype: torch.dtype) -> tuple[Network, Tensor]:
    if name == "fashion":
        net, images, _ = samples.fashion()
        model, x = net.model, net.prepare(images[0])
    else:
        model, x = ARCHITECTURES[name]()
    return Network(model.to(dtype), input_size=tuple(x.shape[1:])), x.to(dtype)


def test_rounding_is_said_with_its_tolerance(opened: Callable[..., Receipts]) -> None:
    conv = nn.Conv2d(64, 4, 3, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.randn(4, 64, 3, 3))
        conv.weight[:, 32:] = -conv.weight[:, :32]
    half = torch.randn(1, 32, 8, 8)
    receipts = opened(nn.Sequential(conv), torch.cat([half, half * (1 + 1e-6)], 1))
    values = [receipts.value(unit) for unit in UNITS]
    assert any(abs(one["result"] - one["torch"]) > 1e-5 * abs(one["torch"]) for one in values)
    for one in values:
        assert one["equal"]
        assert "of all that is added up, float32 allows 1.0e−5" in one["check"]


@pytest.mark.parametrize("spoil", [float("nan"), float("inf")])
def test_values_that_are_not_finite(opened: Callable[..., Receipts], spoil: float) -> None:
    image = torch.zeros(1, 3, 8, 8)
    image[0, 0, 0, 0] = spoil
    receipts = opened(nn.Sequential(nn.Conv2d(3, 4, 3)), image)
    first, second = (receipts.value(unit) for unit in UNITS[:2])
    assert (first["torch"], first["result"], first["equal"]) == (None, None, True)
    assert second["equal"]
    spoilt = hooked(hook=lambda _m, _x, y: y * float("nan"))
    value = opened(spoilt, torch.randn(1, 3, 8, 8)).value((0, 1, 2))
    assert (value["torch"], value["equal"]) == (None, False)
    assert "a forward hook made it NaN." in value["check"]


def test_too_large_for_half_precision() -> None:
    conv = nn.Conv2d(1, 1, 1, bias=False).half()
    nn.init.constant_(conv.weight, 60_000)
    bill = receipt(conv, torch.full((1, 1, 1, 1), 60_000).half(), 0, 0, 0)
    assert bill.agrees(float("inf"))
    assert not receipt(conv, torch.ones(1, 1, 1, 1).half(), 0, 0, 0).agrees(float("inf"))


def test_convolutions_on_a_gpu_round_more() -> None:
    weight = SimpleNamespace(is_cuda=True, dtype=torch.float32)
    assert _precision(cast("Any", weight)) == ("TF32", torch.finfo(torch.float16).eps)
    weight.dtype = torch.float64
    assert _precision(cast("Any", weight)) == ("float64", 1e-5)


def test_rounding_where_numbers_lie_no_closer_together() -> None:
    smallest = torch.tensor([[[[2.0**-24]]]], dtype=torch.float16)
    conv = nn.Conv2d(1, 1, 1, bias=False).half()
    nn.init.constant_(conv.weight, 0.625)
    assert receipt(conv, smallest, 0, 0, 0).agrees(float(smallest))
    assert not receipt(conv, smallest, 0, 0, 0).agrees(3 * float(smallest))


@pytest.mark.parametrize("name", CASES)
def test_filters_are_those_of_the_pass(opened: Callable[..., Receipts], name: str) -> None:
    receipts = opened(CASES[name](), torch.randn(1, 3, 8, 8))
    conv, _ = receipts.net.convolution(receipts.layer, receipts.image)
    outputs = conv.out_channels
    found = receipts.ask("filters", input="sum", first=0, last=outputs).tensors[0]
    expected = conv.weight.float()
    if isinstance(conv, nn.ConvTranspose2d):
        grouped = expected.reshape(conv.groups, -1, *expected.shape[1:])
        expected = grouped.transpose(1, 2).flatten(0, 1)
    tolerance = 1e-6 if conv.weight.dtype == torch.float32 else 0.02  # autocast rounds them
    assert torch.allclose(torch.from_numpy(found.copy()), expected.sum(1), atol=tolerance)
    receipts.browser.view = "filters"
    receipts.browser.figure()


def test_complex_numbers_have_no_receipt() -> None:
    model = Forward(lambda m, y: F.conv2d(y + 0j, m.conv.weight + 0j))
    assert last_convolution(Network(model, input_size=(3, 8, 8))).name == "stem"


def test_maps_without_a_batch_have_no_receipt(opened: Callable[..., Receipts]) -> None:
    """Their first axis is taken for the batch, so that their channels cannot be told."""
    model = Forward(lambda m, y: F.conv2d(y[0], m.conv.weight))
    receipts = opened(model, torch.randn(1, 3, 8, 8))
    assert receipts.layer == "conv2d"
    assert receipts.browser._graph["layers"][-1]["receipt"] is False
    with pytest.raises(AssertionError, match="no two-dimensional convolution"):
        receipts.value((0, 0, 0))
