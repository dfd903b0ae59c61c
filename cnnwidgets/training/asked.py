"""What a recorder is asked for, checked before training begins."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeGuard

from torch.optim import Optimizer

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(*, every: object, snapshots: object, snapshot_bytes: object, loss: object) -> None:
    """Refuse what a recorder cannot work with, naming the argument."""
    if every != "auto" and (not _whole(every) or every < 1):
        raise ValueError(f"every: 'auto' or a number of steps from 1 on, not {every!r}")
    for name, value in (("snapshots", snapshots), ("snapshot_bytes", snapshot_bytes)):
        if not _whole(value) or value < 0:
            raise ValueError(f"{name}: a number from 0 on, not {value!r}")
    if loss not in {"auto", None}:
        raise ValueError(f"loss: 'auto', or None to give it by run.log(loss=…), not {loss!r}")


def check_words(name: object, directory: object) -> None:
    """Refuse what is no name of a run, and no path."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name: text, not {type(name).__name__}")
    if directory is not None and not isinstance(directory, (str, os.PathLike)):
        raise TypeError(f"directory: a path, not {type(directory).__name__}")


def check_total(steps: object) -> None:
    """Refuse what is no number of steps that training will have."""
    if steps is not None and (not _whole(steps) or steps < 1):
        raise ValueError(f"total: a number of steps from 1 on, or None, not {steps!r}")


def optimizers_of(given: Optimizer | Iterable[Optimizer] | None) -> list[Optimizer] | None:
    """Return the optimizers that a recorder is given; TypeError if one is none."""
    if given is None:
        return None
    several = [given] if isinstance(given, Optimizer) else list(given)
    for one in several:
        if not isinstance(one, Optimizer):
            raise TypeError(f"optimizer: a torch.optim.Optimizer, not {type(one).__name__}")
    return several


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
