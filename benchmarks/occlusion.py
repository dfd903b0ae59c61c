"""Occlusion sweeps and one dragged patch against Captum and plain passes, on two threads.

Batches of our sweep, Captum's `Occlusion` with its best `perturbations_per_eval`, and a best batch
of full passes take turns, so that what else the machine does strikes all alike. The figures are
ratios of the fastest of some rounds; the ratios of all rounds are printed too. A dragged patch and
the model's own pass take turns as well: the figure is the ratio of the medians.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from captum.attr import Occlusion

import cnnwidgets as cw
from benchmarks._table import Figure, report
from cnnwidgets.attribution.grid import Grid
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.attribution.sweep import Sweep
from tests.architectures import first_cnn, resnet18, vgg16

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from cnnwidgets.attribution.grid import Block

    Made = tuple[cw.Network, Tensor]

ROUNDS = 4
BLOCKS = 6
DRAGS = 50
THREADS = 2


@dataclass
class Case:
    """A network, how it is swept, and the limits that it has to keep."""

    name: str
    make: Callable[[], Made]
    window: int
    stride: int
    dragged: int
    batches: tuple[int, ...]
    over_captum: float
    over_full: float
    of_a_pass: float


def untrained(make: Callable[..., tuple[torch.nn.Module, Tensor]], *sizes: int) -> Made:
    """Make a network of the tests' architectures, at the size that people use."""
    model, x = make(*sizes)
    return cw.Network(model.eval(), input_size=tuple(x.shape[1:])), x


def lite0() -> Made:
    """Take the network and a photograph of the ImageNet sample."""
    net, images, _ = cw.samples.imagenet()
    return net, net.prepare(images[0])


CASES = [
    Case("first CNN 32²", lambda: untrained(first_cnn), 4, 1, 8, (16, 32, 64), 5, 2.5, 0.5),
    Case("EfficientNet-Lite0 224²", lite0, 16, 8, 32, (1, 4, 8), 5.5, 1.8, 0.55),
    Case(
        "ResNet18 224²",
        lambda: untrained(resnet18, 64, 224, 1000),
        16,
        8,
        32,
        (1, 4, 8),
        3.4,
        2.3,
        0.5,
    ),
    Case("VGG16 224²", lambda: untrained(vgg16, 64, 224, 1000), 16, 8, 32, (1, 4, 8), 9, 7, 0.28),
]


def seconds(run: Callable[..., object], *args: object) -> float:
    """Time one call."""
    start = perf_counter()
    run(*args)
    return perf_counter() - start


class Swept:
    """The parts of a sweep over a picture, each of which can be timed.

    Parameters
    ----------
    case
        What is swept.
    """

    def __init__(self, case: Case) -> None:
        self.net, self.x = case.make()
        self.passes = PatchedPasses(self.net, self.x)
        self.fill = torch.zeros_like(self.x)
        self.grid = Grid.regular(
            (case.window,) * 2, (case.stride,) * 2, (self.x.shape[2], self.x.shape[3])
        )
        self.sweep = Sweep(self.passes, self.fill, self.grid, "auto", 1e9)
        self._captum = Occlusion(self.net.model)

    def some(self, count: int) -> list[Block]:
        """Choose batches from all over the sweep."""
        blocks = self.sweep.blocks
        return blocks[:: max(1, len(blocks) // count)]

    def ours(self, blocks: list[Block]) -> float:
        """Time batches of the sweep, for each position."""
        return seconds(self._run, blocks) / sum(map(len, blocks))

    def share(self, blocks: list[Block]) -> float:
        """Tell what share of full passes' arithmetic batches need."""
        before = self.passes.operations
        self._run(blocks)
        whole = self.passes.full_cost.operations * sum(map(len, blocks))
        return (self.passes.operations - before) / whole

    def _run(self, blocks: list[Block]) -> None:
        run = self.passes.full if self.sweep.method == "full" else self.passes.incremental
        for block in blocks:
            run(self.passes.patched(self.fill, block.rows, block.columns, self.grid.window))

    def captum(self, at_once: int) -> float:
        """Time Captum on a few large patches, of which each costs what a small one costs."""
        _, channels, height, width = self.x.shape
        large = (channels, height // 4, width // 4)
        with torch.inference_mode():
            options = {"strides": large, "target": 0, "perturbations_per_eval": at_once}
            return seconds(lambda: self._captum.attribute(self.x, large, **options)) / 16

    def full(self, at_once: int) -> float:
        """Time a batch of full passes over pictures that are there already."""
        return seconds(self.passes.whole, self.x.repeat(at_once, 1, 1, 1)) / at_once


def sweeping(case: Case) -> list[Figure]:
    """Compare one position of a sweep."""
    swept = Swept(case)
    blocks = swept.some(BLOCKS)
    swept.ours(blocks)
    peak = getrusage(RUSAGE_SELF).ru_maxrss / 1000  # before Captum and full batches need theirs
    at_once = min(case.batches, key=swept.captum), min(case.batches, key=swept.full)
    rounds = [
        (swept.ours(blocks), swept.captum(at_once[0]), swept.full(at_once[1]))
        for _ in range(ROUNDS)
    ]
    ours, captum, full = (list(column) for column in zip(*rounds, strict=True))
    sweep, share = swept.sweep, swept.share(blocks)
    print(
        f"{case.name}: fastest {1000 * min(ours):.3f} ms a position, {sweep.method}; "
        f"Captum {1000 * min(captum):.3f}, full passes {1000 * min(full):.3f}; first "
        f"{1000 * ours[0]:.3f}; {share:.1%} of the arithmetic, at most {sweep.batch} at once; "
        f"peak of the process so far, without Captum's sweep {peak:,.0f} MB"
    )
    for name, other in {"Captum": captum, "full passes": full}.items():
        spread = sorted(a / b for a, b in zip(other, ours, strict=True))
        print(f"  {name} / ours, round by round: " + " ".join(f"{one:.2f}" for one in spread))
    return [
        Figure(
            f"{case.name}: position, {name} / ours",
            min(other) / min(ours),
            limit,
            "×",
            at_least=True,
        )
        for name, other, limit in (
            ("Captum's time", captum, case.over_captum),
            ("full pass", full, case.over_full),
        )
    ]


def dragging(case: Case) -> Figure:
    """Compare one patch under the mouse with a plain pass of the model."""
    net, x = case.make()
    probe = cw.OcclusionProbe(net, x)
    free = x.shape[2] - case.dragged
    ours, plain = [], []
    with torch.inference_mode():
        for step in range(DRAGS):
            ours.append(seconds(probe.at, 37 * step % free, 53 * step % free, case.dragged))
            plain.append(seconds(net.model, x))
    print(
        f"{case.name}: {1000 * median(ours):.2f} ms for one patch, {1000 * median(plain):.2f} for "
        f"a plain pass; fastest {1000 * min(ours):.2f} and {1000 * min(plain):.2f}"
    )
    name = f"{case.name}: one patch of {case.dragged}², of a plain pass"
    return Figure(name, median(ours) / median(plain), case.of_a_pass, "×")


def main() -> int:
    """Measure everything and print it."""
    torch.set_num_threads(THREADS)
    figures = []
    for case in CASES:
        figures += [*sweeping(case), dragging(case)]
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
