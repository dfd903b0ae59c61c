"""Receipts beside what a layer really computed: rounding, or another computation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.kernel import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("front_end")


class StandardizedConv(nn.Conv2d):
    """Weight standardisation (Qiao et al., arXiv:1903.10520)."""

    def forward(self, x: Tensor) -> Tensor:
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        weight = (self.weight - mean) / self.weight.std((1, 2, 3), keepdim=True)
        return nn.functional.conv2d(x, weight, self.bias)


class PaddedConv(nn.Conv2d):
    """Has a forward of its own that leaves the weights alone."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(x, (1, 1, 1, 1)))


def receipts(model: nn.Module, image: Tensor, **keywords: Any) -> Iterator[dict[str, Any]]:
    """Yield a receipt's answer for some units of the first convolution."""
    net = Network(model, input_size=tuple(image.shape[1:]))
    browser = LayerBrowser(net, image[0], **keywords)
    key = browser._pictures["a"]["key"]
    args = {"slot": "a", "key": key, "layer": browser.layer, "of": "activations"}
    for channel, row, column in ((0, 0, 0), (1, 3, 2), (3, 5, 5)):
        where = {"channel": channel, "row": row, "column": column}
        yield cast("Any", Browser(browser).request("receipt", **args, **where)).value
    browser.close()


def test_a_forward_that_changes_the_weights_is_told() -> None:
    torch.manual_seed(0)
    for value in receipts(StandardizedConv(3, 4, 3), torch.randn(1, 3, 8, 8)):
        assert value["result"] != pytest.approx(value["torch"], rel=1e-2)
        assert value["differs"] == (
            "the forward of StandardizedConv changes the weights before it uses them"
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    "conv", [nn.Conv2d(3, 4, 3), weight_norm(nn.Conv2d(3, 4, 3)), PaddedConv(3, 4, 3)]
)
def test_rounding_is_no_difference(conv: nn.Module, dtype: torch.dtype) -> None:
    image = torch.randn(1, 3, 8, 8)
    for value in receipts(conv.to(dtype), image):
        assert value["differs"] is None


def test_a_sum_that_cancels_out_is_no_difference() -> None:
    conv = nn.Conv2d(64, 4, 3, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.randn(4, 64, 3, 3))
        conv.weight[:, 32:] = -conv.weight[:, :32]
    half = torch.randn(1, 32, 8, 8)
    values = list(receipts(conv, torch.cat([half, half * (1 + 1e-6)], 1)))
    assert any(abs(one["result"] - one["torch"]) > 1e-5 * abs(one["torch"]) for one in values)
    assert [one["differs"] for one in values] == [None] * len(values)


def test_weights_that_have_trained_under_a_parametrization() -> None:
    conv = weight_norm(nn.Conv2d(3, 4, 3))
    image = torch.randn(1, 3, 8, 8)
    conv(image).sum().backward()
    torch.optim.SGD(conv.parameters(), lr=0.5).step()
    for value in receipts(conv, image):
        assert value["differs"] is None


@pytest.mark.parametrize("spoil", [float("nan"), float("inf")])
def test_values_that_are_not_finite(spoil: float) -> None:
    image = torch.zeros(1, 3, 8, 8)
    image[0, 0, 0, 0] = spoil
    first, second, _ = receipts(nn.Conv2d(3, 4, 3), image)
    assert (first["torch"], first["differs"]) == (None, None)
    assert second["differs"] is None
    doubled = nn.Conv2d(3, 4, 3)
    doubled.register_forward_hook(lambda _m, _x, y: y * spoil)
    assert {one["differs"] for one in receipts(doubled, torch.randn(1, 3, 8, 8))} == {
        "it does more than this sum"
    }


def test_a_hook_that_changes_the_output() -> None:
    doubled = nn.Conv2d(3, 4, 3)
    doubled.register_forward_hook(lambda _m, _x, y: y * 2)
    for value in receipts(doubled, torch.randn(1, 3, 8, 8)):
        assert value["differs"] == "it does more than this sum"
