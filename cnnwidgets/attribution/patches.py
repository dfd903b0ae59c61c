"""Passes over a picture with patches on it, whole or incremental."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnwidgets.attribution.folding import ready
from cnnwidgets.attribution.incremental import local  # noqa: F401 - what is computed locally
from cnnwidgets.attribution.incremental.axis import Span
from cnnwidgets.attribution.incremental.known import Known
from cnnwidgets.attribution.incremental.occluded import Occluded
from cnnwidgets.attribution.incremental.windows import Maps, Patched, Place
from cnnwidgets.classes import first_output, scores
from cnnwidgets.isolation import isolated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnwidgets.network import Network


class PatchedPasses:
    """Answers what the network says of one picture under patches.

    Parameters
    ----------
    net
        The network, as it is now.
    x
        The prepared picture [1, C, H, W].
    """

    def __init__(self, net: Network, x: Tensor) -> None:
        self._model = ready(net)
        x = x.detach().clone(memory_format=torch.channels_last)
        self._picture = Maps(x)
        self._known = Known()
        self.logits = self._run(x)
        """[1, K], without a patch."""

    @property
    def operations(self) -> int:
        """Multiply-adds of convolutions and dense layers so far."""
        return self._known.operations

    @property
    def values(self) -> int:
        """How many numbers they gave."""
        return self._known.values

    def patched(
        self, filled: Tensor, rows: Sequence[int], columns: Sequence[int], window: tuple[int, int]
    ) -> Patched:
        """Lay patches over the picture, at each crossing of rows and columns.

        One that would go over the edge ends there: its window is moved inside, and shows
        the picture where the patch is not.
        """
        height, width = self._picture.size
        down = _inside(rows, window[0], height)
        across = _inside(columns, window[1], width)
        place = Place(down, across)
        values = Maps(filled).pieces(place)
        bare = self._picture.pieces(place)
        for index, (start, row) in enumerate(zip(down.starts, rows, strict=True)):
            values[index, :, : row - start] = bare[index, :, : row - start]
        for index, (start, column) in enumerate(zip(across.starts, columns, strict=True)):
            values[:, index, :, : column - start] = bare[:, index, :, : column - start]
        return Patched(self._picture, values.flatten(0, 1).permute(0, 3, 1, 2), place)

    def incremental(self, patched: Patched) -> Tensor:
        """Return the logits [N, K], computing only what the patches change."""
        self._known.restart()
        return self._run(Occluded.local(self._known, patched))

    def full(self, patched: Patched) -> Tensor:
        """Return the logits [N, K] of full passes over the patched pictures."""
        self._known.restart()
        return self._run(Occluded.everywhere(self._known, patched.whole))

    def _run(self, x: Tensor) -> Tensor:
        with isolated(x.device, grad=False):
            output = first_output(self._model(x))
            return scores(output.whole if isinstance(output, Occluded) else output)


def _inside(starts: Sequence[int], length: int, size: int) -> Span:
    return Span(tuple(min(start, size - length) for start in starts), length)
