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
from contextlib import contextmanager, redirect_stdout
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

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
TURNS, OTHERS = 60, 2
"""Blocks with the recorder, and with what is there for comparison."""
TURN, SECONDS, FEWEST = 0.3, 1.0, 5
"""Seconds of both kinds of block, and the fewest steps; what slows down more than twofold gets no
more than twice as long."""
WARM, EARLY = 0.5, 10.0
"""Seconds before a block, so that none profits from the one before, and before the first with a
recorder: of the first steps it records most, and keeps most snapshots, whatever it costs, which is
little of a run but would be much of a block."""
KEPT = str(1 << 31)
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": KEPT, "MALLOC_TRIM_THRESHOLD_": KEPT}
"""Keeps the C library from giving memory back: a step of the CIFAR net takes 60 or 95 ms according
to whether it does so after each one, which hangs on where the last block lies, and is chance."""
BATCH = 128
STEPS = 10_000


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
    """A plain training loop."""

    def __init__(self, model: nn.Module, *shape: int) -> None:
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        self.x, self.y = torch.randn(BATCH, *shape), torch.randint(0, 10, (BATCH,))
        self.warm()
        start = time.perf_counter()
        for _ in range(5):
            self.step()
        self.speed = 5 / (time.perf_counter() - start)

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

    def block(self, seconds: float = SECONDS) -> Times:
        """Return what a step takes, of as many as take so long without a monitor."""
        most = round(self.speed * seconds)
        wall, cpu, steps = time.perf_counter(), time.process_time(), 0
        while steps < FEWEST or (steps < most and time.perf_counter() - wall < 2 * seconds):
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


def compare(net: str, loop: Loop, name: str, monitor: Monitor) -> None:
    """Print by what share a step takes longer with the monitor of another than around it."""
    shares, plain = [], loop.block()
    for _ in range(OTHERS):
        with monitor(loop):
            loop.warm()
            watched = loop.block()
        loop.warm()
        after = loop.block()
        shares.append(_longer(watched, plain, after))
        plain = after
    _say(f"{net}, {1e3 * plain.wall:.1f} ms a step; {name}: longer by", shares)


@contextmanager
def detached(run: cw.Recorder, loop: Loop) -> Iterator[None]:
    """Take the recorder's hooks off, as `close` does, and put them on again."""
    watch, pace = run._watch, run._recording.pace  # noqa: SLF001 - there is no other way to do it
    watch.detach()
    try:
        yield
    finally:
        pace.pause()
        watch.attach(loop.model)
        if watch._armed:  # noqa: SLF001
            watch.arm()


def ours(name: str, loop: Loop, every: int | Literal["auto"], *, limit: float) -> Figure:
    """Return by what share a step takes longer with a recorder: the middle of all turns.

    A turn is a block with it between two without, all so short that what else the machine does is
    the same in them; the same is done with a block without it, which shows what that leaves.
    """
    shares, nothing = [], []
    with cw.Recorder(loop.model, every=every) as run:
        loop.warm(EARLY)
        for _ in range(TURNS):
            with detached(run, loop):
                before = loop.block(TURN)
            watched = loop.block(TURN)
            with detached(run, loop):
                blocks = [loop.block(TURN) for _ in range(3)]
            shares.append(_longer(watched, before, blocks[0]))
            nothing.append(_longer(blocks[1], blocks[0], blocks[2]))
    print(f"{name}, {1e3 * before.wall:.1f} ms a step; steps with nothing: ", end="")
    _say("longer by", nothing)
    longer = _say("steps with a recorder: longer by", shares)
    return Figure(f"{name}, longer steps", 100 * longer.wall, limit, "%")


def _longer(watched: Times, before: Times, after: Times) -> Times:
    """Return by what share a block took longer than the mean of those around it."""
    return Times(*(2 * w / (b + a) - 1 for w, b, a in zip(watched, before, after, strict=True)))


def _say(what: str, shares: list[Times]) -> Times:
    """Print the middle of all, and between what the middle half of them lies; return it."""
    middles, words = [], []
    for kind, values in zip(Times._fields, zip(*shares, strict=True), strict=True):
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        middles.append(middle)
        words.append(f"{kind} {100 * middle:+.1f} % ({100 * low:+.1f} to {100 * high:+.1f})")
    print(f"{what} {', '.join(words)}", flush=True)
    return Times(*middles)


def time_figures() -> list[Figure]:
    """Measure ours against the limits; print the others'."""
    cifar, small = Loop(cifar_net(), 3, 32, 32), Loop(lenet(), 1, 28, 28)
    figures = [
        ours("CIFAR net: defaults", cifar, "auto", limit=3),
        ours("CIFAR net: everything at every step", cifar, 1, limit=8),
        ours("LeNet: defaults", small, "auto", limit=3),
    ]
    for name, monitor in others().items():
        compare("CIFAR net", cifar, name, monitor)
        compare("LeNet", small, name, monitor)
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
