"""What pictures of units are worth with the defaults, on the sample networks; not how fast."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

import cnnwidgets as cw
from benchmarks._table import Figure, report
from cnnwidgets.ascent import Ascent, total_variation

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.ascent import Frame

CHOSEN = (
    *("zebra", "flamingo", "mosque", "dumbbell", "espresso"),
    *("tabby", "goldfish", "pineapple", "volcano", "school bus"),
)
SHIFTS = CROPS = 6


def of_classes(net: cw.Network, classes: list[int], steps: int = 256) -> list[Frame]:
    """Return the last pictures of classes."""
    *_, frames = Ascent(net, [cw.Class(index) for index in classes], steps=steps)
    return list(frames)


def pixels(net: cw.Network, frames: list[Frame]) -> Tensor:
    """Return pictures [N, C, H, W] in [0, 1]."""
    images = torch.stack([frame.image for frame in frames])
    return torch.from_numpy(net.restore(images)).permute(0, 3, 1, 2) / 255


def fashion(net: cw.Network) -> list[Figure]:
    """Measure the pictures of all ten classes: how sure the network is, how calm they are."""
    frames = of_classes(net, list(range(10)))
    images = torch.stack([frame.image for frame in frames])
    sure = functional.softmax(net.output(images), 1).diagonal().min()
    drawn, dice = pixels(net, frames), torch.Generator().manual_seed(0)
    noise = torch.rand(drawn[:1].shape, generator=dice)
    rough = {
        beta: max(total_variation(one[None], beta) for one in drawn) / total_variation(noise, beta)
        for beta in (1.0, 2.0)
    }
    return [
        Figure("Fashion, least probability of ten", float(sure), 0.99, "", at_least=True),
        *(
            Figure(f"Fashion, most variation (β = {beta:g}) of white noise's", float(of), 0.2, "×")
            for beta, of in rough.items()
        ),
    ]


def views(x: Tensor) -> Tensor:
    """Return a picture [C, H, W], shifted further than any step saw it, and cropped."""
    size = x.shape[1]
    dice = torch.Generator().manual_seed(7)
    found = [x]
    for _ in range(SHIFTS):
        down, across = torch.randint(-size // 7, size // 7 + 1, (2,), generator=dice).tolist()
        found.append(x.roll((down, across), (1, 2)))
    for _ in range(CROPS):
        side = int(torch.randint(size * 2 // 3, size * 9 // 10, (1,), generator=dice))
        top, left = torch.randint(0, size - side, (2,), generator=dice).tolist()
        crop = x[None, :, top : top + side, left : left + side]
        found.append(functional.interpolate(crop, size, mode="bilinear", antialias=True)[0])
    return torch.stack(found)


def named(net: cw.Network, frames: list[Frame], classes: list[int]) -> Figure:
    """Count the pictures that are of their class in every view."""
    right = [
        bool((net.output(views(frame.image)).argmax(1) == index).all())
        for frame, index in zip(frames, classes, strict=True)
    ]
    name = f"ImageNet, named in each of {1 + SHIFTS + CROPS} views"
    return Figure(name, sum(right), 8, f"of {len(right)}", at_least=True)


def bleached(drawn: Tensor, near: float) -> float:
    """Return the share of the pixels of [N, C, H, W] so near the ends in all channels, in %."""
    return 100 * float(((drawn - 0.5).abs() >= 0.5 - near).all(1).float().mean())


def bleaching(net: cw.Network, frames: list[Frame]) -> list[Figure]:
    """Measure how much of pictures is glare or black, and that they are not grey instead."""
    drawn = pixels(net, frames)
    return [
        Figure("ImageNet, bleached (within 2 % of an end)", bleached(drawn, 0.02), 0.05, "%"),
        Figure("ImageNet, within 10 % of an end", bleached(drawn, 0.1), 1, "%"),
        Figure(
            "ImageNet, contrast (standard deviation)", float(drawn.std()), 0.05, "", at_least=True
        ),
    ]


def main() -> int:
    figures = fashion(cw.samples.fashion()[0])
    net, _, _ = cw.samples.imagenet()
    classes = [net.classes.index(name) for name in CHOSEN]
    frames = of_classes(net, classes)
    return report([*figures, named(net, frames, classes), *bleaching(net, frames)])


if __name__ == "__main__":
    sys.exit(main())
