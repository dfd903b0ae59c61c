"""Gradient ascent against a plain autograd loop and torch-lucent, in turns in one run: time.

The figures are medians of the ratios of each turn, so that what else the machine does strikes all
alike; once of the processor's time on one thread, which it strikes least, and once of the clock's
on two. In each turn the first step of each is not counted: it finds nothing in the caches.
"""

from __future__ import annotations

import copy
import sys
import time
from itertools import product
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

import cnnwidgets as cw
from benchmarks import _lucent
from benchmarks._table import Figure, report
from cnnwidgets.ascent import Ascent
from tests.architectures import resnet18

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

SECONDS = 150.0
ROUNDS, STEPS = 9, 3
PLAIN = 0.85
PEER = {224: 2.5, 128: 3.4}
INSTALL = """torch-lucent is not installed, so that there is nothing to compare with; in an
environment of its own: pip install --no-deps torch-lucent==0.1.8 torchvision kornia kornia_rs \
decorator future tqdm"""


class Clock(NamedTuple):
    """How time is taken."""

    name: str
    threads: int
    now: Callable[[], float]


CLOCKS = (
    Clock("processor, 1 thread", 1, time.process_time),
    Clock("clock, 2 threads", 2, time.perf_counter),
)


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


class Case:
    """The same unit's picture by each of them, in turns."""

    def __init__(self, name: str, net: cw.Network, layer: str, size: int) -> None:
        self.name, self.size = f"{name} {layer} {size}²", size
        module = layer.removesuffix(".conv2d")
        self._ascent = Ascent(net, cw.Channel(layer, 5), size=size, patience=None)
        self._plain = PlainLoop(net.model, module, size)
        self._model, self._objective = net.model, f"{module.replace('.', '_')}:5"

    def turn(self, clock: Clock) -> dict[str, float]:
        """Return the seconds a step takes each of them."""
        torch.set_num_threads(clock.threads)
        found = {
            "ours": self._timed(self._ascent.step, clock),
            "plain": self._timed(self._plain.step, clock),
        }
        if _lucent.installed():
            peer = copy.deepcopy(self._model).eval()  # it leaves its hooks in the model
            found["lucent"] = _lucent.seconds(peer, self._objective, self.size, STEPS, clock.now)
        return found

    @staticmethod
    def _timed(step: Any, clock: Clock) -> float:  # noqa: ANN401
        step()
        start = clock.now()
        for _ in range(STEPS):
            step()
        return (clock.now() - start) / STEPS


def figures(case: Case, clock: Clock, seconds: float) -> list[Figure]:
    end = time.monotonic() + seconds
    case.turn(clock)  # what is laid out in the first pass
    turns = [case.turn(clock)]
    while len(turns) < ROUNDS and time.monotonic() < end:
        turns.append(case.turn(clock))
    speed = {who: median(1 / turn[who] for turn in turns) for who in turns[0]}
    print(f"{case.name}, {clock.name}:", *(f"{who} {s:.1f} steps/s" for who, s in speed.items()))
    peers = {"plain": ("a plain loop's", PLAIN), "lucent": ("torch-lucent's", PEER[case.size])}
    return [
        Figure(
            f"{case.name} steps/s, of {peers[who][0]} ({clock.name})",
            median(turn[who] / turn["ours"] for turn in turns),
            peers[who][1],
            "×",
            at_least=True,
        )
        for who in turns[0]
        if who in peers
    ]


def main() -> int:
    if _lucent.installed():
        _lucent.prepare()
    else:
        print(INSTALL)
    residual = cw.Network(resnet18(width=64, size=224, classes=1000)[0], input_size=224)
    nets = {
        "ResNet18": (residual, ("layer3.1.conv2", "fc")),
        "Lite0": (cw.samples.imagenet()[0], ("_blocks.10._project_conv.conv2d", "_fc")),
    }
    cases = [
        (clock, name, net, layer, size)
        for clock, (name, (net, layers)) in product(CLOCKS, nets.items())
        for layer, size in product(layers, PEER)
    ]
    found: list[Figure] = []
    end = time.monotonic() + SECONDS
    for at, (clock, name, net, layer, size) in enumerate(cases):
        left = end - time.monotonic()
        if left < 0:
            print(f"{name} {layer} {size}², {clock.name}: not measured, time is up")
            continue
        found += figures(Case(name, net, layer, size), clock, left / (len(cases) - at))
    return report(found)


if __name__ == "__main__":
    sys.exit(main())
