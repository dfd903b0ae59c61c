"""Gradient attributions against Captum's, in turns in one run: time."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency

import cnnwidgets as cw
from benchmarks._table import Figure, report
from tests.architectures import first_cnn, resnet18, vgg16

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 2
ROUNDS = 3
BATCH = 8  # Captum's fastest at 224²; its default is all at once
SAMPLES = {"first_cnn 32²": 50, "resnet18 224²": 24, "vgg16 224²": 16}


def in_turns(methods: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the best time of each, in seconds, after one to warm up."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(ROUNDS + 1):
        for name, method in methods.items():
            start = time.perf_counter()
            method()
            times[name].append(time.perf_counter() - start)
    return {name: min(found[1:]) for name, found in times.items()}


def figures(name: str, model: torch.nn.Module, x: torch.Tensor) -> list[Figure]:
    model.eval()
    net = cw.Network(model, input_size=tuple(x.shape[1:]))
    count = SAMPLES[name]
    stdevs = 0.1 * float(x.max() - x.min())
    tunnel, path = NoiseTunnel(Saliency(model)), IntegratedGradients(model)

    def captum(batch: int) -> object:
        return tunnel.attribute(x, "smoothgrad", count, batch, stdevs=stdevs, target=1, abs=False)

    times = in_turns(
        {
            "smoothgrad": lambda: cw.smoothgrad(net, x, 1, samples=count),
            "tunnel at once": lambda: captum(count),
            "tunnel in batches": lambda: captum(BATCH),
            "integrated": lambda: cw.integrated_gradients(net, x, 1, steps=count),
            "path": lambda: path.attribute(x, target=1, n_steps=count),
        }
    )
    pairs = {
        "smoothgrad, of Captum's default": ("smoothgrad", "tunnel at once"),
        f"smoothgrad, of Captum's in batches of {BATCH}": ("smoothgrad", "tunnel in batches"),
        "integrated gradients, of Captum's": ("integrated", "path"),
    }
    return [
        Figure(f"{name}: {what}", 100 * times[ours] / times[theirs], 100, "%")
        for what, (ours, theirs) in pairs.items()
    ]


def main() -> int:
    torch.set_num_threads(THREADS)
    made = {
        "first_cnn 32²": first_cnn(),
        "resnet18 224²": resnet18(width=64, size=224, classes=1000),
        "vgg16 224²": vgg16(width=64, size=224, classes=1000),
    }
    return report(
        [figure for name, (model, x) in made.items() for figure in figures(name, model, x)]
    )


if __name__ == "__main__":
    sys.exit(main())
