"""Training and recording into a directory until the process is killed."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
import torch._dynamo  # which the first optimizer would load, in every process anew

from cnnwidgets.training.recorder import Recorder  # now: a process that is forked has it
from tests.training import small, train

SAID = "said"
"""A file in the directory: a line for each step that had ended."""


def main(directory: str) -> None:
    torch.set_num_threads(1)
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    recorder = Recorder(model, "killed", directory=directory, every=1, snapshots=8)
    with recorder, (Path(directory) / SAID).open("w", buffering=1) as said:
        for step in itertools.count():
            train(model, optimizer, steps=1, first=step)
            said.write(f"{step + 1}\n")
