"""The loop of an occlusion sweep: blocks of patches, coarse to fine, by the cheaper method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.grouping import alike

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from cnnwidgets.attribution.grid import Layout
    from cnnwidgets.attribution.grouping import Groups
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
        self.reason = None if method == "full" else passes.reason
        self._choose(method, memory)

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
        for block in self._blocks:
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

    def _choose(self, method: str, memory: float) -> None:
        """Choose the method, and which patches to try together."""
        passes = self._passes
        if method != "full" and self.reason is None:
            self._plan("incremental", self._largest(), memory)
            share = self._needed() / max(
                1, passes.full_cost.operations * self._layout.positions[..., 0].numel()
            )
            if method == "auto" and share > WORTH:
                self.reason = f"a patch changes {share:.0%} of the arithmetic"
        if method == "full" or self.reason is not None:
            self._plan("full", passes.full_cost.bytes, memory)

    def _largest(self) -> int:
        """Measure the bytes that a patch in the middle needs, where nothing is cut off."""
        passes, layout = self._passes, self._layout
        row, column = layout.positions.reshape(-1, 2).double().mean(0).long().tolist()
        return passes.cost(passes.patched(self._fill, [row], [column], layout.window)).bytes

    def _plan(self, method: str, each: int, memory: float) -> None:
        """Lay out batches by the bytes that a patch needs."""
        best = min(BEST_BYTES[method], memory)
        self.batch = 1 if self._passes.alone else max(1, min(MOST, int(best / max(1, each))))
        group = self._alike if method == "incremental" else None
        self._blocks = list(self._layout.blocks(self.batch, group))
        self.method = method

    def _alike(self, rows: Sequence[int], columns: Sequence[int]) -> tuple[Groups, Groups]:
        place = self._passes.place(rows, columns, self._layout.window)
        return alike(self._passes.forecast, place)

    def _needed(self) -> int:
        """Count the multiply-adds of all blocks."""
        passes, window = self._passes, self._layout.window
        return sum(
            len(block) * passes.forecast.operations(passes.place(block.rows, block.columns, window))
            for block in self._blocks
        )
