"""One of two processes that train a small network together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch._dynamo  # which the first optimizer would load, in every process anew
import torch.distributed
from torch.nn.parallel import DistributedDataParallel

from cnnwidgets.training.recorder import Recorder  # now: a process that is forked has it
from cnnwidgets.training.statistics import Measured
from tests.training import loss_of, small

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

PROCESSES = 2
STEPS = 6


def main(rank: int, meeting: str, ranks: Any, failing: int | None, told: Queue[Any]) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=PROCESSES
    )
    model = DistributedDataParallel(small())
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    losses, gradients = [], []
    if rank == failing:
        Measured.table = None  # type: ignore[method-assign, assignment]
    with Recorder(model, every=2, ranks=ranks) as run:
        for step in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of(model, 10 * step + rank)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            gradients.append(float(model.module[3].weight.grad.norm()))
    names = {name: curve.values.tolist() for name, curve in run.scalars.items()}
    norms = {
        quantity: run.statistics("3", quantity).norm.tolist()
        for quantity in ("gradients", "activations")
        if run.steps
    }
    told.put((rank, losses, gradients, run.steps, names, norms, run.notes, run.snapshots))
    torch.distributed.destroy_process_group()
