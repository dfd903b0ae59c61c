"""The loop of an occlusion sweep: blocks of patches, coarse to fine, by the cheaper method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.grouping import alike
from cnnwidgets.attribution.incremental.tape import Untapable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from cnnwidgets.attribution.grid import Block, Layout
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
        ``"auto"``, ``"incremental"``, ``"full"`` or ``"draft"``.
    memory
        Bytes that a batch may need.

    Attributes
    ----------
    method
        ``"incremental"``, ``"full"`` or ``"draft"``, whichever is used.
    reason
        Why that is not what was asked for; None if it is.
    exact
        [..., K], of a draft: the exact logits of one patch of each batch, NaN for the others.
    batch
        Most patches tried together.
    blocks
        What is tried together, in this order.
    operations, full_operations
        Multiply-adds so far, and what full passes need for the same patches.
    """

    def __init__(
        self, passes: PatchedPasses, fill: Tensor, layout: Layout, method: str, memory: float
    ) -> None:
        self._passes = self._exactly = passes
        self._fill = fill
        self._layout = layout
        self.operations = self.full_operations = 0
        self.exact: Tensor | None = None
        self.reason = None if method == "full" else passes.reason
        if method == "draft":
            method = self._lower()
        self._choose(method, memory)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the logits [..., K], and which of them are known [...], after each batch.

        The logits are one tensor that fills.

        Raises
        ------
        RuntimeError
            If the network's weights changed meanwhile.
        """
        base = self._exactly.logits
        shape = self._layout.positions.shape[:-1]
        logits = torch.full((*shape, len(base)), torch.nan, dtype=base.dtype, device="cpu")
        known = torch.zeros(shape, dtype=torch.bool)
        if self.method == "draft":
            self.exact = torch.full_like(logits, torch.nan)
        for number, block in enumerate(self.blocks):
            if self._passes.outdated:
                raise RuntimeError("the network's weights changed during the sweep; start it again")
            logits[block.at] = self._answered(self._passes, block).to(logits)
            if self.exact is not None:
                one = block.one(number)
                self.exact[one.at] = self._answered(self._exactly, one).to(logits)
            self.full_operations += len(block) * self._passes.full_cost.operations
            known = known.clone()
            known[block.at] = True
            yield logits, known

    def _answered(self, passes: PatchedPasses, block: Block) -> Tensor:
        """Return the logits [rows, columns, K] of a block."""
        patches = passes.patched(self._fill, block.rows, block.columns, self._layout.window)
        before = passes.operations
        found = (passes.full if self._whole else passes.incremental)(patches)
        self.operations += passes.operations - before
        return found.view(len(block.rows), len(block.columns), -1)

    def _lower(self) -> str:
        """Compute in bfloat16 from now on; return the method, "auto" if that cannot be."""
        if self.reason is None:
            try:
                self._passes = self._exactly.lowered()
            except Untapable as reason:
                self.reason = str(reason)
            else:
                return "draft"
        return "auto"

    def _choose(self, method: str, memory: float) -> None:
        """Choose the method, and which patches to try together."""
        passes = self._passes
        self._whole = method == "full" or self.reason is not None
        if not self._whole:
            self._plan("incremental", self._largest(), memory)
            share = self._share()
            if method != "incremental" and share > WORTH:
                self._whole = True
                self.reason = f"a patch changes {share:.0%} of the arithmetic"
        if self._whole:
            self._plan("full", passes.full_cost.bytes, memory)
        if method == "draft":
            self.method, self.reason = method, None

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
        self.blocks = list(self._layout.blocks(self.batch, group))
        self.method = method

    def _alike(self, rows: Sequence[int], columns: Sequence[int]) -> tuple[Groups, Groups]:
        place = self._passes.place(rows, columns, self._layout.window)
        return alike(self._passes.forecast, place)

    def _share(self) -> float:
        """Tell what share of full passes' arithmetic there is to do."""
        passes, window = self._passes, self._layout.window
        needed = sum(
            len(block) * passes.forecast.operations(passes.place(block.rows, block.columns, window))
            for block in self.blocks
        )
        return needed / max(1, passes.full_cost.operations * sum(map(len, self.blocks)))
