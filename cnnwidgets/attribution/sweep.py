"""The loop of an occlusion sweep: blocks of patches, coarse to fine, by the cheaper method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from cnnwidgets.attribution.grid import Layout
    from cnnwidgets.attribution.patches import PatchedPasses

WORTH = 0.75
"""Above this share of full passes' arithmetic, gathering windows costs more than it saves."""
BEST_BYTES = {"incremental": 32e6, "full": 128e6}
"""Batches about this large run fastest: they stay near the caches."""
MOST = 512
"""Patches in a batch."""


class Sweep:
    """Tries every patch of a layout.

    Parameters
    ----------
    passes
        Passes over the picture.
    fill
        What patches show, [1, C, H, W].
    layout
        Where they stand.
    method
        ``"auto"``, ``"incremental"`` or ``"full"``.
    memory
        Bytes that a batch may need.

    Attributes
    ----------
    method
        ``"incremental"`` or ``"full"``, whichever is used.
    reason
        Why full passes are used though they were not asked for; None if they are not.
    batch
        Most patches tried together.
    operations, full_operations
        Multiply-adds so far, and what full passes need for the same patches.
    """

    def __init__(
        self, passes: PatchedPasses, fill: Tensor, layout: Layout, method: str, memory: float
    ) -> None:
        self._passes = passes
        self._fill = fill
        self._layout = layout
        self.operations = self.full_operations = 0
        self.method, self.reason = method, None if method == "full" else passes.reason
        self._choose(memory)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the logits [..., K], and which of them are known [...], after each batch.

        The logits are one tensor that fills.

        Raises
        ------
        RuntimeError
            If the network's weights changed meanwhile.
        """
        base = self._passes.logits
        shape = self._layout.positions.shape[:-1]
        logits = torch.full((*shape, len(base)), torch.nan, dtype=base.dtype, device="cpu")
        known = torch.zeros(shape, dtype=torch.bool)
        run = self._passes.full if self.method == "full" else self._passes.incremental
        for block in self._layout.blocks(self.batch):
            if self._passes.outdated:
                raise RuntimeError("the network's weights changed during the sweep; start it again")
            patches = self._passes.patched(
                self._fill, block.rows, block.columns, self._layout.window
            )
            before = self._passes.operations
            found = run(patches).to(logits)
            self.operations += self._passes.operations - before
            self.full_operations += len(block) * self._passes.full_cost.operations
            logits[block.at] = found.view(len(block.rows), len(block.columns), -1)
            known = known.clone()
            known[block.at] = True
            yield logits, known

    def _choose(self, memory: float) -> None:
        """Choose the method and the size of batches by the cost of one patch."""
        passes, layout = self._passes, self._layout
        row, column = layout.positions.reshape(-1, 2).double().mean(0).long().tolist()
        cost = passes.full_cost
        if self.method != "full" and self.reason is None:
            local = passes.cost(passes.patched(self._fill, [row], [column], layout.window))
            share = local.operations / max(1, cost.operations)
            if self.method == "auto" and share > WORTH:
                self.reason = f"a patch changes {share:.0%} of the arithmetic"
            else:
                cost = local
        self.method = "full" if self.method == "full" or self.reason else "incremental"
        best = min(BEST_BYTES[self.method], memory)
        self.batch = 1 if passes.alone else max(1, min(MOST, int(best / max(1, cost.bytes))))
