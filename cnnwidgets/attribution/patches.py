"""Passes over a picture with patches on it, whole or incremental."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnwidgets.attribution.incremental.axis import Span
from cnnwidgets.attribution.incremental.folding import folded
from cnnwidgets.attribution.incremental.program import Program
from cnnwidgets.attribution.incremental.tape import Recorder, Untapable, spliced
from cnnwidgets.attribution.incremental.windows import Maps, Patched, Place
from cnnwidgets.classes import scores
from cnnwidgets.isolation import PrivateDice, isolated
from cnnwidgets.shadow import shadow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cnnwidgets.network import Network

    Score = Callable[[Any], Tensor]

TOLERANCE = 1e-4
"""By which logits of an incremental pass may differ from a full one, relative to the largest."""


class PatchedPasses:
    """Answers what the network says of one picture under patches.

    Parameters
    ----------
    net
        The network, as it is now.
    x
        The prepared picture [1, C, H, W].
    score
        Makes [N] or [N, K] of what the model returns; by default its logits.

    Attributes
    ----------
    logits
        [K], without a patch.
    reason
        Why only full passes are possible; None if incremental ones are.
    alone
        Whether pictures must be shown one by one: the answer for one depends on the others.
    """

    def __init__(self, net: Network, x: Tensor, score: Score | None = None) -> None:
        self._model = shadow(net.model).model
        self._score = score
        self._picture = Maps(x.detach().clone(memory_format=torch.contiguous_format))
        self._program: Program | None = None
        self.reason: str | None = None
        self.alone = False
        with isolated(x.device, grad=False):
            self._study(self._picture.values)

    @property
    def operations(self) -> float:
        """Multiply-adds of convolutions and dense layers so far."""
        return self._program.operations if self._program else 0

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
        if self._program is None:
            raise RuntimeError(self.reason)
        with isolated(patched.windows.device, grad=False):
            return self._program.run(patched)

    def full(self, patched: Patched) -> Tensor:
        """Return the logits [N, K] of full passes over the patched pictures."""
        with isolated(patched.windows.device, grad=False):
            if self._program is not None:
                return self._program.run(patched.whole)
            if self.alone:
                return torch.cat([self._plain(one[None]) for one in patched.whole])
            return self._plain(patched.whole)

    def _study(self, x: Tensor) -> None:
        """See what the forward does, with one picture and with two."""
        changed = x.clone()
        height, width = self._picture.size
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(x)
        box = ..., slice(height // 4, -(-height // 2)), slice(width // 4, -(-width // 2))
        changed[box] = noise[box]
        one, (found, output) = self._recorded(x)
        self.logits = found[0]
        try:
            two, (pair, second) = self._recorded(torch.cat([x, changed]))
            same = pair.shape[0] == 2 and _close(pair[:1], found)
        except Exception as error:
            self.reason = f"{type(error).__name__} with two pictures: {error}"
            self.alone = True
            return
        if not same:
            self.reason = "its answer for one picture depends on the others with it"
            self.alone = True
            return
        try:
            tape = folded(spliced(one, two, (one.slot(output), two.slot(second))))
            program = Program(tape, x)
        except Untapable as error:
            self.reason = str(error)
            return
        place = Place(*(Span((part.start,), part.stop - part.start) for part in box[1:]))
        patch = Patched(program.picture, changed[box], place)
        if not _close(program.run(patch), pair[1:]):
            self.reason = "its passes cannot be taken apart"
            return
        self._program = program
        self._picture = program.picture

    def _recorded(self, x: Tensor) -> tuple[Recorder, tuple[Tensor, Tensor]]:
        x = x.clone()
        with Recorder(x) as recorder:
            output = self._answer(x)
        return recorder, (output.detach().clone(), output)

    def _answer(self, x: Tensor) -> Tensor:
        output = self._model(x)
        return scores(output if self._score is None else self._score(output))

    def _plain(self, x: Tensor) -> Tensor:
        with _Dice(x.device):
            return self._answer(x)


class _Dice(TorchFunctionMode):
    """Draws the same random numbers in every pass, and none of the user's."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._dice = PrivateDice(device)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        return self._dice.roll(func, args, kwargs or {})


def _close(found: Tensor, expected: Tensor) -> bool:
    atol = TOLERANCE * float(expected.abs().max())
    return torch.allclose(found, expected, rtol=0, atol=atol, equal_nan=True)


def _inside(starts: Sequence[int], length: int, size: int) -> Span:
    return Span(tuple(min(start, size - length) for start in starts), length)
