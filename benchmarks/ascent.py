"""Gradient ascent against a plain autograd loop and torch-lucent, in turns in one run: time."""

from __future__ import annotations

import copy
import sys
import time
from itertools import product
from typing import TYPE_CHECKING, Any

import torch

import cnnwidgets as cw
from benchmarks import _lucent
from benchmarks._table import Figure, report
from cnnwidgets.ascent import Ascent
from tests.architectures import resnet18

if TYPE_CHECKING:
    from torch import Tensor, nn

THREADS = 2
ROUNDS, STEPS = 6, 3
PLAIN = 0.85
PEER = {224: 2.5, 128: 3.4}
INSTALL = """torch-lucent is not installed, so that there is nothing to compare with; in an
environment of its own: pip install --no-deps torch-lucent==0.1.8 torchvision kornia kornia_rs \
decorator future tqdm"""


class Reached(BaseException):
    """The layer has been reached."""


class PlainLoop:
    """Forward to a module and backward to the picture: no parameter gradients, nothing else."""

    def __init__(self, model: nn.Module, layer: str, size: int) -> None:
        self._model = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
        self._model.get_submodule(layer).register_forward_hook(self._reached)
        self._x = torch.rand(1, 3, size, size)
        self._output = self._x

    def _reached(self, _module: nn.Module, _args: object, output: Tensor) -> None:
        self._output = output
        raise Reached

    def step(self) -> None:
        """Follow the gradient."""
        x = self._x.clone().requires_grad_()
        try:
            self._model(x)
        except Reached:
            channel = self._output[:, 5]
            score = channel.mean((1, 2)) if channel.ndim > 1 else channel
            (gradient,) = torch.autograd.grad(score.sum(), x)
            self._x = self._x + 0.01 * gradient


def timed(step: Any) -> list[float]:  # noqa: ANN401
    found = []
    for _ in range(STEPS):
        start = time.perf_counter()
        step()
        found.append(time.perf_counter() - start)
    return found


def figures(name: str, net: cw.Network, layer: str, size: int) -> list[Figure]:
    ascent = Ascent(net, cw.Channel(layer, 5), size=size)
    module = layer.removesuffix(".conv2d")
    plain = PlainLoop(net.model, module, size)
    peer = copy.deepcopy(net.model).eval()  # it leaves its hooks in the model
    times: dict[str, list[float]] = {"ours": [], "plain": [], "lucent": []}
    for _ in range(ROUNDS):
        times["ours"] += timed(ascent.step)
        times["plain"] += timed(plain.step)
        if _lucent.installed():
            objective = f"{module.replace('.', '_')}:5"
            times["lucent"] += _lucent.seconds(peer, objective, size, STEPS)
    speed = {who: 1 / min(found) for who, found in times.items() if found}
    print(f"{name}, {layer}, {size}²:", *(f"{who} {s:.1f} steps/s" for who, s in speed.items()))
    what = f"{name} {layer} {size}²: steps/s, of"
    found = [
        Figure(f"{what} a plain loop's", speed["ours"] / speed["plain"], PLAIN, "×", at_least=True)
    ]
    if "lucent" in speed:
        ratio = speed["ours"] / speed["lucent"]
        found.append(Figure(f"{what} torch-lucent's", ratio, PEER[size], "×", at_least=True))
    return found


def main() -> int:
    torch.set_num_threads(THREADS)
    if _lucent.installed():
        _lucent.prepare()
    else:
        print(INSTALL)
    residual = cw.Network(resnet18(width=64, size=224, classes=1000)[0], input_size=224)
    nets = {
        "ResNet18": (residual, ("layer3.1.conv2", "fc")),
        "Lite0": (cw.samples.imagenet()[0], ("_blocks.10._project_conv.conv2d", "_fc")),
    }
    return report(
        [
            figure
            for name, (net, layers) in nets.items()
            for layer, size in product(layers, PEER)
            for figure in figures(name, net, layer, size)
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
