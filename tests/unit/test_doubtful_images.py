"""Floats that look as if nobody had preprocessed them are taken, and doubted where all can see."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from cnnwidgets import images
from cnnwidgets.network import Network
from cnnwidgets.widgets.layer_browser import LayerBrowser
from tests.kernel import Browser
from tests.small import CLASSES, noise, small_model
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from cnnwidgets.images import Picture

pytestmark = pytest.mark.usefixtures("front_end")

PIXELS = np.ascontiguousarray(noise(3).transpose(2, 0, 1))
BYTES = torch.from_numpy(PIXELS).float()
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def network(**options: Any) -> Network:
    return Network(small_model(), CLASSES, input_size=16, **options)


@pytest.mark.parametrize(
    ("image", "mean", "advice"),
    [
        (BYTES, 0.0, "image.permute(1, 2, 0).byte()"),
        (BYTES, MEAN, "image.permute(1, 2, 0).byte()"),
        (BYTES[None], 0.0, "image[0].permute(1, 2, 0).byte()"),
        (PIXELS.astype(np.float32), 0.0, "image.transpose(1, 2, 0).astype('uint8')"),
        (BYTES / 255, MEAN, "(image.permute(1, 2, 0) * 255).byte()"),
    ],
)
def test_the_advice_gives_the_picture(image: Any, mean: Any, advice: str) -> None:
    net = network(mean=mean, std=STD)
    with assert_untouched(net.model, also=(image,)):
        with pytest.warns(UserWarning, match="floats from 0 to .* look like pixels") as caught:
            taken = net.prepare(image)
        assert taken.max() == image.max(), "as it is: it may be right"
        told = str(caught[0].message)
        assert told == net.doubt(image)
        assert told.endswith(f"pass {advice}")
        better = eval(advice, {"image": image})  # noqa: S307 - it is what the user would do
        better = better.numpy() if isinstance(better, torch.Tensor) else better
        torch.testing.assert_close(net.prepare(better), net.prepare(noise(3)))


@pytest.mark.parametrize(
    ("image", "mean"),
    [
        (noise(3), MEAN),
        (BYTES / 255, 0.0),  # what the network wants
        (BYTES - torch.tensor([104.0, 117.0, 123.0]).reshape(3, 1, 1), 0.0),  # as Caffe had it
        ((BYTES / 255 - 0.45) / 0.225, MEAN),
        (torch.zeros(3, 16, 16), MEAN),  # the mean picture, a usual baseline
        (BYTES * 100, 0.0),  # whatever it is, no bytes
        (torch.full((3, 16, 16), torch.nan), MEAN),
    ],
)
def test_what_may_well_be_right_is_not_doubted(image: Picture, mean: Any) -> None:
    assert images.doubt(image, mean) == ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network(mean=mean).prepare(image)


@pytest.mark.filterwarnings("ignore:image")
def test_the_browser_says_so_beside_the_predictions() -> None:
    net = network(mean=MEAN, std=STD)
    with assert_untouched(net.model, also=(BYTES,)):
        browser = LayerBrowser(net, BYTES, images=[noise(1), BYTES / 255])
        said = browser._predictions["a"]
        assert len(said["rows"]) == len(CLASSES)
        assert said["note"] == f"I{net.doubt(BYTES)[1:]}."
        page = Browser(browser)
        page.request("pick", slot="a", index=0)
        assert browser._predictions["a"]["note"] is None
        page.request("pick", slot="b", index=1)
        assert "nobody normalised" in str(browser._predictions["b"]["note"])
        browser.show(BYTES)
        assert "nobody preprocessed" in str(browser._predictions["a"]["note"])
    with torch.no_grad():
        next(net.model.parameters()).mul_(2)
    browser._renew(at_once=True)
    assert "nobody preprocessed" in str(browser._predictions["a"]["note"]), (
        "also after a look again"
    )
    browser.close()


@pytest.mark.filterwarnings("ignore:image")
def test_a_failing_model_is_told_first() -> None:
    class Fussy(torch.nn.Sequential):
        def forward(self, x: torch.Tensor) -> Any:
            if x.max() > 1:
                raise ValueError("too bright")
            return super().forward(x)  # type: ignore[no-untyped-call]

    browser = LayerBrowser(Network(Fussy(*small_model()), input_size=16), BYTES)
    note = browser._predictions["a"]["note"]
    assert note.startswith("No prediction, the model failed: too bright. Image: floats from 0 to ")
    browser.close()
