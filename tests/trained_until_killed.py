"""A process that trains and records into a directory until it is killed; says each step it ended.

python -m tests.trained_until_killed DIRECTORY
"""

from __future__ import annotations

import itertools
import sys

import torch

import cnnwidgets as cw
from tests.training import small, train


def main(directory: str) -> None:
    torch.set_num_threads(1)
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, "killed", directory=directory, every=1, snapshots=8):
        for step in itertools.count():
            train(model, optimizer, steps=1, first=step)
            sys.stdout.write(f"{step + 1}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
