"""What recording costs: time, in turns with no monitor and with others; memory."""

from __future__ import annotations

import copy
import importlib.util
import io
import os
import statistics
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import cnnwidgets as cw
from benchmarks._table import Figure, report
from cnnwidgets.training.history import History
from cnnwidgets.training.table import WIDTH, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Monitor = Callable[["Loop"], AbstractContextManager[object]]

THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
OURS, OTHERS = 9, 2
"""Rounds: of what has a limit, and of what is there for comparison."""
SECONDS, FEWEST = 1.0, 10
"""Of a block, and its steps; what slows down more than twofold gets no more than two seconds."""
WARM = 0.5
"""Seconds before each block, so that none profits from the one before."""
EARLY = {"defaults": 10.0, "everything at every step": 10.0}
"""The same before a block with the recorder: of the first steps it records most, and keeps most
snapshots, whatever it costs, which is little of a run but would be much of a block."""
KEPT = str(1 << 31)
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": KEPT, "MALLOC_TRIM_THRESHOLD_": KEPT}
"""Keeps the C library from giving memory back: a step of the CIFAR net takes 60 or 95 ms according
to whether it does so after each one, which hangs on where the last block lies, and is chance."""
BATCH = 128
STEPS = 10_000
NOTHING = "nothing (the noise)"


def lenet() -> nn.Sequential:
    """Return LeNet-5 with ReLU, for 28 x 28 pixels."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def cifar_net() -> nn.Sequential:
    """Return the classic first network for CIFAR-10: 477,994 parameters, unpadded, with dropout."""
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
        *(nn.Linear(1600, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10)),
    )


class Times(NamedTuple):
    """Seconds of one step, or a share of them."""

    wall: float
    cpu: float


class Loop:
    """A plain training loop; a block is as many steps of it as take a second."""

    def __init__(self, model: nn.Module, *shape: int) -> None:
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        self.x, self.y = torch.randn(BATCH, *shape), torch.randint(0, 10, (BATCH,))
        self.warm()
        start = time.perf_counter()
        for _ in range(5):
            self.step()
        self.steps = max(FEWEST, round(5 * SECONDS / (time.perf_counter() - start)))

    def step(self) -> None:
        """Train on one batch."""
        self.optimizer.zero_grad()
        loss: Any = functional.cross_entropy(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()

    def warm(self, seconds: float = WARM) -> None:
        """Take some steps."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            self.step()

    def block(self) -> Times:
        """Return what a step takes."""
        wall, cpu, steps = time.perf_counter(), time.process_time(), 0
        while steps < FEWEST or (steps < self.steps and time.perf_counter() - wall < 2 * SECONDS):
            self.step()
            steps += 1
        return Times((time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps)


@contextmanager
def each(loop: Loop, every: int, write: Callable[[int], None]) -> Iterator[None]:
    """Call `write` after each so many steps."""
    count = 0

    def after(*_: object) -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            write(count)

    handle = loop.optimizer.register_step_post_hook(after)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def tensorboard(loop: Loop, every: int) -> Iterator[None]:
    """Write histograms of all weights and gradients, as tutorials do."""
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - need not be there

    def write(count: int) -> None:
        for name, parameter in loop.model.named_parameters():
            writer.add_histogram(name, parameter, count)
            writer.add_histogram(f"{name}.grad", parameter.grad, count)

    with (
        tempfile.TemporaryDirectory() as folder,
        SummaryWriter(folder) as writer,
        each(loop, every, write),
    ):
        yield


@contextmanager
def redrawn(loop: Loop, every: int) -> Iterator[None]:
    """Draw the curve of the loss anew, as a PNG, which is what a notebook gets."""
    import matplotlib as mpl  # noqa: PLC0415 - slow, and need not be there

    livelossplot = import_module("livelossplot")
    outputs = import_module("livelossplot.outputs")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    def drawn(figure: Any) -> None:  # noqa: ANN401 - matplotlib's
        figure.savefig(io.BytesIO(), format="png")
        plt.close(figure)

    def write(count: int) -> None:
        plot.update({"loss": 1 / count})
        plot.send()

    mpl.use("Agg")
    plot = livelossplot.PlotLosses(outputs=[outputs.MatplotlibPlot(after_plots=drawn)])
    with (
        warnings.catch_warnings(),
        redirect_stdout(io.StringIO()),
        each(loop, every, write),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def explored(loop: Loop, every: int) -> Iterator[None]:
    """Take histograms of what layers put out, of weights and of gradients; show them nowhere.

    Its hooks stay on a model, so that a copy is trained.
    """
    torchexplorer = import_module("torchexplorer")
    plain = loop.model, loop.optimizer
    loop.model = copy.deepcopy(loop.model)
    loop.optimizer = torch.optim.Adam(loop.model.parameters(), 1e-3)
    torchexplorer.watch(loop.model, log_freq=every, backend="none", verbose=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        loop.model, loop.optimizer = plain


def others() -> dict[str, Monitor]:
    """Return the monitors of others that are installed, and say which are not."""
    found: dict[str, Monitor] = {}
    monitors = {"tensorboard": tensorboard, "livelossplot": redrawn, "torchexplorer": explored}
    for package, monitor in monitors.items():
        if importlib.util.find_spec(package):
            for every in (1, 10):
                name = f"{package}, every {every if every > 1 else 'step'}"
                found[name] = partial(monitor, every=every)
        else:
            print(f"{package}: not installed")
    return found


def compare(net: str, loop: Loop, monitors: dict[str, Monitor], rounds: int) -> dict[str, Times]:
    """Return by what share a step takes longer: the middle of all rounds, in turns.

    Each block with a monitor is set against the mean of the two blocks without one around it.
    Half of the rounds lie between the numbers in brackets.
    """
    found: dict[str, list[Times]] = {name: [] for name in monitors}
    plain = loop.block()
    for _ in range(rounds):
        for name, monitor in monitors.items():
            with monitor(loop):
                loop.warm(EARLY.get(name, WARM))
                watched = loop.block()
            loop.warm()
            after = loop.block()
            pairs = zip(watched, plain, after, strict=True)
            found[name].append(Times(*(2 * one / (a + b) - 1 for one, a, b in pairs)))
            plain = after
    longer = {}
    for name, times in found.items():
        middles, words = [], []
        for kind, shares in zip(Times._fields, zip(*times, strict=True), strict=True):
            low, middle, high = statistics.quantiles(shares, n=4, method="inclusive")
            middles.append(middle)
            words.append(f"{kind} {100 * middle:+.1f} % ({100 * low:+.1f} to {100 * high:+.1f})")
        longer[name] = Times(*middles)
        print(f"{net}, {1e3 * plain.wall:.1f} ms a step: {name}: {', '.join(words)}", flush=True)
    return longer


def time_figures() -> list[Figure]:
    """Measure ours against the limits, and nothing, which shows the noise; print the others'."""
    defaults: dict[str, Monitor] = {
        NOTHING: lambda _: nullcontext(),
        "defaults": lambda loop: cw.Recorder(loop.model),
    }
    everything: dict[str, Monitor] = {
        "everything at every step": lambda loop: cw.Recorder(loop.model, every=1)
    }
    limits = {"defaults": 3.0, "everything at every step": 8.0}
    peers, figures = others(), []
    for net, loop, ours in (
        ("CIFAR net", Loop(cifar_net(), 3, 32, 32), defaults | everything),
        ("LeNet", Loop(lenet(), 1, 28, 28), defaults),
    ):
        longer = compare(net, loop, ours, OURS)
        figures += [
            Figure(f"{net}: {name}, longer steps", 100 * longer[name].wall, limits[name], "%")
            for name in ours
            if name != NOTHING
        ]
        compare(net, loop, peers, OTHERS)
    return figures


def memory() -> Figure:
    """Return what 10,000 recorded steps of the CIFAR net take."""
    loop = Loop(cifar_net(), 3, 32, 32)
    with cw.Recorder(loop.model, every=1, snapshots=0) as run:
        loop.step()
    keys = tuple((layer, of) for layer in run.layers for of in run.quantities(layer))
    history, table = History(), Table(keys, np.ones((len(keys), WIDTH), np.float32))
    for step in range(1, STEPS + 1):
        history.add_table(step, 0.1 * step, table)
        for name in run.scalars:
            history.add_scalar(name, step, 0.1 * step, 1.0)
    return Figure(f"memory after {STEPS:,} steps", history.nbytes / 1e6, 10, "MB")


def main() -> int:
    if not ALLOCATOR.keys() <= os.environ.keys():  # it is read when a process begins
        command = [sys.executable, "-m", "benchmarks.recorder"]
        os.execve(sys.executable, command, {**os.environ, **ALLOCATOR})  # noqa: S606
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    return report([*time_figures(), memory()])


if __name__ == "__main__":
    sys.exit(main())
