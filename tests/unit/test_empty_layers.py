"""Layers that put out nothing, and models without any: shown plainly."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.layer_views import statistics
from tests.kernel import Browser
from tests.small import noise
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("front_end")


class Cut(nn.Module):
    """Cuts its maps down to none of their channels, rows or values, and goes on without them."""

    def __init__(self, cut: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.head, self.cut = nn.Conv2d(3, 4, 3), nn.Linear(4, 3), cut

    def forward(self, x: Tensor) -> Any:
        maps = self.conv(x)
        return self.head(maps.mean((2, 3))) + self.cut(maps).sum()


CUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "channels": lambda maps: maps[:, :0],
    "rows": lambda maps: maps[:, :, :0],
    "values": lambda maps: maps.flatten(1)[:, :0],
}


@pytest.fixture(params=CUTS)
def browser(request: pytest.FixtureRequest) -> Iterator[LayerBrowser]:
    model = Cut(CUTS[request.param])
    with assert_untouched(model):
        browser = LayerBrowser(Network(model, input_size=16), noise(0), "conv", channel=3)
        yield browser
    browser.close()


@pytest.mark.parametrize("of", ["activations", "gradients"])
def test_an_empty_layer_is_answered(browser: LayerBrowser, of: str) -> None:
    page, args = Browser(browser), {"slot": "a", "key": browser._pictures["a"]["key"], "of": of}
    for layer in browser.net.layers:
        reply = page.request("layer", **args, layer=layer.name)
        assert reply.tensors[0].shape == (reply.value["shape"][0], 6)
        assert reply.value["odd"] == []


def test_an_empty_layer_is_drawn_and_exported(browser: LayerBrowser, tmp_path: Path) -> None:
    browser.layer = "getitem"
    browser.channel = 0
    assert "the layer puts out no values" in texts(browser)
    assert browser._repr_mimebundle_() is not None
    assert browser.error is None
    page = browser.to_html(tmp_path / "page.html").read_text()
    assert page.count("getitem") > 1


def texts(browser: LayerBrowser) -> list[str]:
    return [text.get_text() for axes in browser.figure().axes for text in axes.texts]


def test_the_preview_says_why_there_are_no_maps() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(7, 2, 3))
    browser = LayerBrowser(Network(model, input_size=8), torch.zeros(3, 8, 8), "1")
    (said,) = texts(browser)
    assert said.startswith("not computed: RuntimeError: Given groups=1")
    maps = Image.open(io.BytesIO(browser.preview())).convert("L").crop((270, 30, 900, 500))
    assert np.asarray(maps).min() < 100
    browser.close()


@pytest.mark.parametrize("shape", [(0, 4, 4), (3, 0, 4), (0,), (0, 1, 0)])
def test_statistics_of_nothing(shape: tuple[int, ...]) -> None:
    table = statistics(torch.empty(shape))
    assert table.shape == (shape[0], 6)
    assert bool(table.isnan().all())


@pytest.mark.parametrize("forward", [lambda x: x, lambda _: iter(()), lambda _: None])
def test_a_model_without_layers_is_refused(forward: Callable[[Tensor], Any]) -> None:
    class Bare(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return forward(x)

    model = Bare()
    with (
        assert_untouched(model),
        pytest.raises(ValueError, match="net: Bare has no layers to show; its forward must call"),
    ):
        LayerBrowser(Network(model, input_size=16), noise(0))
