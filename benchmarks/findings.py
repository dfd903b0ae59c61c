"""Diagnosis of two healthy and six broken runs: what is found, what is a false alarm."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

import cnnwidgets as cw
from benchmarks._table import Figure, report
from cnnwidgets.samples.fashion_net import FashionNet

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS, BATCH = 90, 32
SEEDS = (101, 202)  # the thresholds were found with others
MEAN, STD = 0.286, 0.353

Case = tuple[nn.Module, torch.optim.Optimizer]


def adam(model: nn.Module, lr: float) -> Case:
    return model, torch.optim.Adam(model.parameters(), lr)


def sgd(model: nn.Module, lr: float) -> Case:
    return model, torch.optim.SGD(model.parameters(), lr, momentum=0.9)


def normalised() -> nn.Sequential:
    """Return a network with batch normalisation after each of its three convolutions."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(inplace=True)),
        *(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(inplace=True)),
        *(nn.Conv2d(32, 32, 3, stride=2), nn.BatchNorm2d(32), nn.ReLU(inplace=True)),
        *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10)),
    )


def deep(squash: type[nn.Module], gain: float) -> nn.Sequential:
    """Return ten dense layers with something between them that squashes."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for i, (fan_in, fan_out) in enumerate([(784, 64)] + 9 * [(64, 64)]):
        layers[f"fc{i}"] = dense = nn.Linear(fan_in, fan_out)
        nn.init.normal_(dense.weight, std=gain / fan_in**0.5)
        layers[f"squash{i}"] = squash()
    layers["last"] = nn.Linear(64, 10)
    return nn.Sequential(layers)


def buried() -> FashionNet:
    """Return a network whose units of one layer cannot be reached."""
    model = FashionNet()
    nn.init.constant_(model.get_parameter("block2.conv1.bias"), -20.0)
    return model


RUNS: dict[str, tuple[Callable[[], Case], str | None]] = {
    "healthy, Adam": (lambda: adam(FashionNet(), 1e-3), None),
    "healthy, batch norm": (lambda: sgd(normalised(), 0.05), None),
    "rate too high": (lambda: adam(FashionNet(), 0.1), "not learning"),
    "rate too low": (lambda: sgd(FashionNet(), 1e-6), "not learning"),
    "ten sigmoids": (lambda: sgd(deep(nn.Sigmoid, 1.0), 0.05), "vanishing gradients"),
    "large weights": (lambda: sgd(deep(nn.Tanh, 5.0), 1e-3), "exploding gradients"),
    "dead layer": (lambda: adam(buried(), 1e-3), "dead units"),
    "a pixel is NaN": (lambda: adam(FashionNet(), 1e-3), "not finite"),
}


def batches(seed: int) -> tuple[Tensor, Tensor]:
    """Return normalised pictures [N, 1, 28, 28] and their classes, shuffled."""
    images, labels = cw.samples.fashion_training()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    x = (torch.from_numpy(images)[order, None].float() / 255 - MEAN) / STD
    return x, torch.from_numpy(labels)[order]


def recorded(name: str, seed: int) -> cw.Recorder:
    torch.manual_seed(seed)
    model, optimizer = RUNS[name][0]()
    x, y = batches(seed)
    with cw.Recorder(model, name, every=2, snapshots=0) as run:
        for step in range(STEPS):
            chosen = slice(step * BATCH, (step + 1) * BATCH)
            part = x[chosen].clone()
            if "NaN" in name and step == STEPS // 2:
                part[3, 0, 14, 14] = torch.nan
            optimizer.zero_grad()
            torch.autograd.backward(functional.cross_entropy(model(part), y[chosen]))
            optimizer.step()
    return run


def main() -> int:
    torch.set_num_threads(2)
    hits = alarms = 0
    for name, (_, expected) in RUNS.items():
        for seed in SEEDS:
            found = [one for one in recorded(name, seed).findings if one.severity != "mark"]
            kinds = list(dict.fromkeys(one.kind for one in found))
            hits += expected in kinds
            alarms += len(found) if expected is None else 0
            print(f"{name}, seed {seed}: {', '.join(kinds) or 'nothing'}")
            for one in found[: 2 if expected else None]:
                print(f"    {one}")
    broken = sum(expected is not None for _, expected in RUNS.values()) * len(SEEDS)
    return report(
        [
            Figure("broken runs named rightly", hits, broken, "runs", at_least=True),
            Figure("false alarms in healthy runs", alarms, 0.001, "findings"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
