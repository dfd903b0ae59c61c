"""What the defaults reach on the sample networks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent, total_variation
from tests.untouched import assert_untouched

CHOSEN = (
    *("zebra", "flamingo", "mosque", "dumbbell", "espresso"),
    *("tabby", "goldfish", "pineapple", "volcano", "school bus"),
)


@pytest.mark.slow
def test_fashion_classes() -> None:
    """All ten at 0.99 or more, and five times as calm as white noise, by either measure."""
    net, _, _ = cw.samples.fashion()
    with assert_untouched(net.model):
        *_, frames = Ascent(net, [cw.Class(index) for index in range(10)])
    noise = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for index, frame in enumerate(frames):
        assert frame.prediction is not None
        assert frame.prediction.index == index
        assert frame.prediction.probability >= 0.99
        pixels = torch.from_numpy(net.restore(frame.image[None])).permute(0, 3, 1, 2) / 255
        for beta in (1.0, 2.0):
            rough = float(total_variation(noise, beta))
            assert float(total_variation(pixels, beta)) < rough / 5


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


def views(x: Tensor) -> Tensor:
    """A picture [C, H, W] shifted further than any step saw it, and cropped."""
    size = x.shape[1]
    dice = torch.Generator().manual_seed(7)
    found = [x]
    for _ in range(6):
        down, across = torch.randint(-size // 7, size // 7 + 1, (2,), generator=dice).tolist()
        found.append(x.roll((down, across), (1, 2)))
    for _ in range(6):
        side = int(torch.randint(size * 2 // 3, size * 9 // 10, (1,), generator=dice))
        top, left = torch.randint(0, size - side, (2,), generator=dice).tolist()
        crop = x[None, :, top : top + side, left : left + side]
        found.append(functional.interpolate(crop, size, mode="bilinear", antialias=True)[0])
    return torch.stack(found)


def bleached(pixels: Tensor, near: float = 0.02) -> float:
    """The share of the pixels of [N, C, H, W] so near the range's ends in all channels."""
    return float(((pixels - 0.5).abs() >= 0.5 - near).all(1).float().mean())


@pytest.mark.slow
def test_imagenet_classes_are_not_bleached() -> None:
    """Where the lowest frequencies weighed most, 0.5 % of zebra was, and 12 % within a tenth."""
    pytest.importorskip("efficientnet_lite_pytorch")
    net, _, _ = cw.samples.imagenet()
    *_, (frame,) = Ascent(net, cw.Class(net.classes.index("zebra")), patience=None)
    pixels = torch.from_numpy(net.restore(frame.image[None])).permute(0, 3, 1, 2) / 255
    assert bleached(pixels) <= 0.0005
    assert bleached(pixels, 0.1) <= 0.01
    assert float(pixels.std()) > 0.05  # not by being grey


@pytest.mark.slow
def test_imagenet_classes_under_other_views() -> None:
    """Eight of ten are named in every view; a quarter of the default steps will do."""
    pytest.importorskip("efficientnet_lite_pytorch")
    net, _, _ = cw.samples.imagenet()
    chosen = [net.classes.index(name) for name in CHOSEN]
    with assert_untouched(net.model):
        *_, frames = Ascent(net, [cw.Class(index) for index in chosen], steps=64)
    named = [
        bool((net.output(views(frame.image)).argmax(1) == index).all())
        for frame, index in zip(frames, chosen, strict=True)
    ]
    assert sum(named) >= 8, dict(zip(CHOSEN, named, strict=True))
