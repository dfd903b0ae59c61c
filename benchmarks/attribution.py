"""SmoothGrad and integrated gradients against Captum's: time, in turns in one run, and memory.

The figures are medians of the ratios of each turn, so that what else the machine does strikes all
alike. Memory is what a fresh process needs more for the method than for one gradient.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from functools import partial
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import TYPE_CHECKING

import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency

import cnnwidgets as cw
from benchmarks._table import Figure, report
from tests.architectures import first_cnn, resnet18, vgg16

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

THREADS = 2
ROUNDS = 5
NOISE = 0.1
BATCH = 8  # Captum's fastest at 224²; its default is all at once
CASES: dict[str, tuple[Callable[[], tuple[nn.Module, Tensor]], int]] = {
    "first_cnn 32²": (first_cnn, 50),
    "resnet18 224²": (partial(resnet18, width=64, size=224, classes=1000), 24),
    "vgg16 224²": (partial(vgg16, width=64, size=224, classes=1000), 16),
}
"""What is explained → how it is made, samples."""
PAIRS = {
    "SmoothGrad, NoiseTunnel's": ("smoothgrad", "tunnel"),
    f"SmoothGrad, NoiseTunnel's in batches of {BATCH},": ("smoothgrad", "tunnel in batches"),
    "integrated gradients, Captum's": ("integrated", "path"),
}
"""What is compared → ours, Captum's."""


def methods(name: str) -> dict[str, Callable[[], object]]:
    """Return ours and Captum's on the same network, picture and settings."""
    make, count = CASES[name]
    model, x = make()
    net = cw.Network(model.eval(), input_size=tuple(x.shape[1:]))
    stdevs = NOISE * float(x.max() - x.min())
    tunnel, path = NoiseTunnel(Saliency(model)), IntegratedGradients(model)

    def captum(batch: int) -> object:
        return tunnel.attribute(x, "smoothgrad", count, batch, stdevs=stdevs, target=1, abs=False)

    return {
        "one gradient": lambda: cw.saliency(net, x, 1),
        "smoothgrad": lambda: cw.smoothgrad(net, x, 1, samples=count, noise=NOISE),
        "tunnel": lambda: captum(count),
        "tunnel in batches": lambda: captum(BATCH),
        "integrated": lambda: cw.integrated_gradients(net, x, 1, steps=count),
        "path": lambda: path.attribute(x, target=1, n_steps=count),
    }


def in_turns(methods: dict[str, Callable[[], object]]) -> list[dict[str, float]]:
    """Return the seconds of each method in each round, after one to warm up."""
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS + 1):
        rounds.append({})
        for name, method in methods.items():
            start = time.perf_counter()
            method()
            rounds[-1][name] = time.perf_counter() - start
    return rounds[1:]


def peak(name: str, method: str) -> float:
    """Return how many MB a method adds to what the process held at most for one gradient."""
    torch.set_num_threads(THREADS)
    made = methods(name)
    made["one gradient"]()
    before = getrusage(RUSAGE_SELF).ru_maxrss
    made[method]()
    return (getrusage(RUSAGE_SELF).ru_maxrss - before) / 1000


def memory(name: str) -> str:
    """Return a line about what each method adds, each in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        found = {method: fresh.apply(peak, (name, method)) for method in methods(name)}
    return ", ".join(f"{method} {value:,.0f} MB" for method, value in found.items())


def figures(name: str) -> list[Figure]:
    rounds = in_turns(methods(name))
    seconds = {method: median(turn[method] for turn in rounds) for method in rounds[0]}
    found = ", ".join(f"{method} {value:.3f} s" for method, value in seconds.items())
    print(f"{name}, {CASES[name][1]} samples: {found}")
    return [
        Figure(
            f"{name}: {what} time / ours",
            median(turn[theirs] / turn[ours] for turn in rounds),
            1,
            "×",
            at_least=True,
        )
        for what, (ours, theirs) in PAIRS.items()
    ]


def main() -> int:
    torch.set_num_threads(THREADS)
    for name in CASES:  # first, as a process begins with the peak of the one that started it
        print(f"{name}, {CASES[name][1]} samples, peak: {memory(name)}")
    return report([figure for name in CASES for figure in figures(name)])


if __name__ == "__main__":
    sys.exit(main())
