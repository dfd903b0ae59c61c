"""The loop of an occlusion sweep: blocks of patches, coarse to fine, by the cheaper method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.grid import Block, coarse_to_fine, pieces
from cnnwidgets.attribution.patches import PatchedPasses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from cnnwidgets.attribution.grid import Grid
    from cnnwidgets.attribution.incremental.windows import Patched
    from cnnwidgets.network import Network

WORTH = 0.75
"""Above this share of full passes' arithmetic, gathering windows costs more than it saves."""
TOLERANCE = 1e-4
"""By which logits of an incremental pass may differ from a full one, relative to the largest."""
WINDOWS_BYTES = 24e6
"""Batches of windows about this large run fastest: they stay near the caches."""
PICTURES_BYTES = 256e6
"""The same for whole pictures."""
MOST = 256
"""Patches in a batch."""


class Sweep:
    """Tries every patch of a grid.

    Parameters
    ----------
    net, x
        The network and the prepared picture [1, C, H, W].
    patch
        What patches show, [1, C, H, W].
    grid
        Where they stand.
    method
        ``"auto"``, ``"incremental"`` or ``"full"``.
    memory
        Bytes that a batch may need.

    Attributes
    ----------
    base
        [K], the logits without a patch.
    method
        ``"incremental"`` or ``"full"``, whichever is used.
    reason
        Why full passes are used though they were not asked for; None if they are not.
    operations, full_operations
        Multiply-adds so far, and what full passes need for the same patches.
    """

    def __init__(  # noqa: PLR0917 - what a sweep is made of
        self, net: Network, x: Tensor, patch: Tensor, grid: Grid, method: str, memory: float
    ) -> None:
        self._passes = PatchedPasses(net, x)
        self._patch = patch
        self._grid = grid
        self.base = self._passes.logits
        self.operations = self.full_operations = 0
        self.reason: str | None = None
        self.method = method
        self._try(memory)

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the logits [rows, columns, K] after each batch; NaN where there are none yet."""
        logits = torch.full((*self._grid.shape, len(self.base)), torch.nan)
        run = self._passes.full if self.method == "full" else self._passes.incremental
        for block in coarse_to_fine(self._grid.shape):
            for part in pieces(block, self._batch):
                before = self._passes.operations
                found = run(self._patched(part)).to(logits)
                self.operations += self._passes.operations - before
                self.full_operations += len(part) * self._per_pass
                rows, columns = torch.tensor(part.rows), torch.tensor(part.columns)
                logits[rows[:, None], columns] = found.view(len(rows), len(columns), -1)
                yield logits.clone()

    def _try(self, memory: float) -> None:
        """Try one patch both ways: decide the method and how large a batch is."""
        down, across = self._grid.shape
        patched = self._patched(Block((down // 2,), (across // 2,)))
        p=self._passes
        o=p.operations; p.full(patched); self._per_pass=p.operations-o
        if self.method!="full":
            self.reason=p.reason
            if not self.reason:
                o=p.operations; p.incremental(patched); n=p.operations-o
                if self.method=="auto" and n>WORTH*self._per_pass: self.reason=f"a patch changes {n / self._per_pass:.0%} of the arithmetic"
            self.method = "full" if self.reason else "incremental"
        import os
        self._batch=int(os.environ.get("B",16))

    def _patched(self, block: Block) -> Patched:
        rows = [self._grid.rows[index] for index in block.rows]
        columns = [self._grid.columns[index] for index in block.columns]
        return self._passes.patched(self._patch, rows, columns, self._grid.window)
