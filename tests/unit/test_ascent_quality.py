"""What the defaults reach on the sample networks; measures and limits are the benchmark's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

import cnnwidgets as cw
from benchmarks.ascent_quality import CHOSEN, bleaching, fashion, named, of_classes
from cnnwidgets.ascent import Ascent
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from benchmarks._table import Figure


def missed(*figures: Figure) -> list[list[str]]:
    """Return what does not keep its limit."""
    return [figure.row() for figure in figures if not figure.ok]


@pytest.mark.slow
def test_fashion_classes() -> None:
    """All ten at 0.99 or more, and five times as calm as white noise, by either measure."""
    net, _, _ = cw.samples.fashion()
    with assert_untouched(net.model):
        figures = fashion(net)
    assert len(figures) == 3
    assert missed(*figures) == []


@pytest.mark.slow
def test_units_behind_a_relu_wake() -> None:
    """Almost all channels that pictures wake get a picture; from faint noise a third reacts."""
    net, images, _ = cw.samples.fashion()
    layer = "block1.relu1"
    maps = net.activations(torch.cat([net.prepare(image) for image in images[:60]]), [layer])[layer]
    fires = maps.flatten(2).amax(2).amax(0) > 0
    channels = [cw.Channel(layer, row) for row in range(len(fires))]
    first, *_, last = Ascent(net, channels, steps=24)
    grown = [
        end.note is None and end.score > 1.5 * start.score and float(end.image.std()) > 0.3
        for start, end in zip(first, last, strict=True)
    ]
    assert sum(grown) >= 0.9 * int(fires.sum()) > 0


@pytest.mark.slow
def test_imagenet_classes_are_not_bleached() -> None:
    """Where the lowest frequencies weighed most, 0.5 % of zebra was, and 12 % within a tenth."""
    pytest.importorskip("efficientnet_lite_pytorch")
    net, _, _ = cw.samples.imagenet()
    assert missed(*bleaching(net, of_classes(net, [net.classes.index("zebra")]))) == []


@pytest.mark.slow
def test_imagenet_classes_under_other_views() -> None:
    """Eight of ten are named in every view; a quarter of the default steps will do."""
    pytest.importorskip("efficientnet_lite_pytorch")
    net, _, _ = cw.samples.imagenet()
    chosen = [net.classes.index(name) for name in CHOSEN]
    with assert_untouched(net.model):
        frames = of_classes(net, chosen, steps=64)
    assert missed(named(net, frames, chosen)) == []
