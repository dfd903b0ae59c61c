"""What recording costs: time, in turns with no recorder and with TensorBoard's writer; memory."""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.optimizer import register_optimizer_step_post_hook

import cnnwidgets as cw
from benchmarks._table import Figure, report
from cnnwidgets.samples.fashion_net import FashionNet
from cnnwidgets.training.history import History
from cnnwidgets.training.table import WIDTH, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS = 2
ROUNDS = 5
SECONDS = 4.0  # of a block
BATCH = 128
STEPS = 10_000


def lenet() -> nn.Sequential:
    """Return LeNet-5 with ReLU, for 28 x 28 pixels."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


class Loop:
    """A plain training loop; a block is as many steps of it as take some seconds."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        self.x, self.y = torch.randn(BATCH, 1, 28, 28), torch.randint(0, 10, (BATCH,))
        self.step()
        start = time.perf_counter()
        for _ in range(5):
            self.step()
        self.steps = max(8, round(5 * SECONDS / (time.perf_counter() - start)))

    def step(self) -> None:
        """Train on one batch."""
        self.optimizer.zero_grad()
        loss: Any = functional.cross_entropy(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()

    def seconds(self) -> float:
        """Return what a step takes."""
        start = time.perf_counter()
        for _ in range(self.steps):
            self.step()
        return (time.perf_counter() - start) / self.steps


@contextmanager
def tensorboard(model: nn.Module, every: int) -> Iterator[None]:
    """Write histograms of all weights and gradients, as tutorials do."""
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - need not be there

    count = 0

    def write(*_: object) -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            for name, parameter in model.named_parameters():
                writer.add_histogram(name, parameter, count)
                writer.add_histogram(f"{name}.grad", parameter.grad, count)

    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
        handle = register_optimizer_step_post_hook(write)
        try:
            yield
        finally:
            handle.remove()


def ratios(model: nn.Module, blocks: dict[str, Any]) -> dict[str, float]:
    """Return how much longer a step takes, block by block in turns, the middle of all rounds."""
    loop = Loop(model)
    found: dict[str, list[float]] = {name: [] for name in blocks}
    for _ in range(ROUNDS):
        for name, block in blocks.items():
            plain = loop.seconds()
            with block(model):
                watched = loop.seconds()
            found[name].append(watched / ((plain + loop.seconds()) / 2))
    return {name: statistics.median(values) for name, values in found.items()}


def time_figures() -> list[Figure]:
    peers: dict[str, Any] = {}
    if importlib.util.find_spec("tensorboard"):
        peers = {
            "TensorBoard, every step": lambda model: tensorboard(model, 1),
            "TensorBoard, every 10": lambda model: tensorboard(model, 10),
        }
    everything = {"everything at every step": lambda model: cw.Recorder(model, every=1)}
    figures = []
    for net, model, limits in (
        ("S3.3 net", FashionNet(), {"defaults": 3.0, "everything at every step": 8.0}),
        ("LeNet", lenet(), {"defaults": 3.0}),
    ):
        blocks = {"defaults": cw.Recorder, **(everything if len(limits) > 1 else {}), **peers}
        for name, ratio in ratios(model, blocks).items():
            limit = limits.get(name, 1e9)  # of others, for comparison
            figures.append(Figure(f"{net}: {name}, longer steps", 100 * (ratio - 1), limit, "%"))
    return figures


def memory() -> Figure:
    """Return what 10,000 recorded steps of the S3.3 net take."""
    model = FashionNet()
    loop = Loop(model)
    with cw.Recorder(model, every=1, snapshots=0) as run:
        loop.step()
    keys = tuple((layer, of) for layer in run.layers for of in run.quantities(layer))
    history, table = History(), Table(keys, np.ones((len(keys), WIDTH), np.float32))
    for step in range(1, STEPS + 1):
        history.add_table(step, 0.1 * step, table)
        for name in run.scalars:
            history.add_scalar(name, step, 0.1 * step, 1.0)
    return Figure(f"memory after {STEPS:,} steps", history.nbytes / 1e6, 10, "MB")


def main() -> int:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    return report([*time_figures(), memory()])


if __name__ == "__main__":
    sys.exit(main())
