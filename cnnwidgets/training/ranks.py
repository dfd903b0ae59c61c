"""Which processes of a distributed training record, and what they tell the first one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch.distributed

from cnnwidgets.training.table import Table, merged

if TYPE_CHECKING:
    from collections.abc import Sequence


class Report(NamedTuple):
    """What one process saw of a step that is recorded in full."""

    scalars: dict[str, float]
    table: Table


class Ranks:
    """The processes of a training.

    Parameters
    ----------
    ranks
        0: the first process records. ``"all"``: each measures, and the first one stores: the mean
        of what was measured of a layer, and each one's loss as ``loss@1``, ``loss@2`` …
    """

    def __init__(self, ranks: Literal["all"] | int = 0) -> None:
        if ranks not in {0, "all"}:
            raise ValueError(f"ranks: {ranks!r} is neither 0 nor 'all'")
        here = torch.distributed.is_available() and torch.distributed.is_initialized()
        self.rank = torch.distributed.get_rank() if here else int(os.environ.get("RANK", "0"))
        size = torch.distributed.get_world_size() if here else 1
        self.gathering = ranks == "all" and size > 1

    @property
    def first(self) -> bool:
        """Whether this is the process that stores."""
        return self.rank == 0

    @property
    def recording(self) -> bool:
        """Whether this process measures anything."""
        return self.first or self.gathering

    def gather(self, report: Report | None, wait: int) -> tuple[Report | None, int]:
        """Let the first process have every report; all processes have to call it.

        Parameters
        ----------
        report
            Of this process; None if there is none.
        wait
            In how many steps the next one is recorded in full; the first process decides.

        Returns
        -------
        report : Report or None
            That of all processes, on the first one.
        wait : int
            What the first process decided.
        """
        if not self.gathering:
            return report, wait
        reports: list[Report | None] | None = None
        if self.first:
            reports = [None] * torch.distributed.get_world_size()
        torch.distributed.gather_object(report, reports)
        decision = [wait]
        torch.distributed.broadcast_object_list(decision)
        return (None if reports is None else _together(reports)), decision[0]


def _together(reports: Sequence[Report | None]) -> Report | None:
    """Make one report of several: numbers of layers averaged, losses side by side."""
    there = [(rank, report) for rank, report in enumerate(reports) if report is not None]
    if not there:
        return None
    keys = tuple(dict.fromkeys(key for _, report in there for key in report.table.keys))
    width = there[0][1].table.values.shape[1]
    rows = np.full((len(there), len(keys), width), np.nan, np.float32)
    for i, (_, report) in enumerate(there):
        rows[i, [keys.index(key) for key in report.table.keys]] = report.table.values
    scalars = dict(there[0][1].scalars)
    for rank, report in there[1:]:
        scalars |= {f"{name}@{rank}": one for name, one in report.scalars.items() if name == "loss"}
    return Report(scalars, Table(keys, np.asarray(merged(rows, [1.0] * len(there)))))
