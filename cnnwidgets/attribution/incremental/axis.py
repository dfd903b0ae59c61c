"""The arithmetic of windows along one axis: pure, cached functions of whole numbers."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

Starts: TypeAlias = tuple[int, ...]
"""The first position of each window."""

_KEPT = 4096  # a sweep asks for the same rows again for every block of columns


class Axis(NamedTuple):
    """How a sliding operation reads one axis of its input."""

    kernel: int
    stride: int = 1
    padding: int = 0
    """Before the first position."""
    dilation: int = 1

    @property
    def extent(self) -> int:
        """How many positions one unit spans."""
        return (self.kernel - 1) * self.dilation + 1

    def halo(self, units: int) -> int:
        """How many positions so many neighbouring units span."""
        return (units - 1) * self.stride + self.extent


class Span(NamedTuple):
    """Where windows stand along one axis, and how long they all are."""

    starts: Starts
    length: int
    roams: bool = False
    """Whether they will stand elsewhere next, and shall be as long there: oneDNN takes long over
    the first piece of every other shape."""

    def at(self, indices: Sequence[int]) -> Span:
        """Choose some of the windows."""
        return self._replace(starts=tuple(self.starts[index] for index in indices))


class Run(NamedTuple):
    """Windows at a regular distance that stand at the same offset within their pieces."""

    windows: slice
    offset: int


@lru_cache(_KEPT)
def reached(axis: Axis, span: Span, size: int) -> Span:
    """Tell which of `size` units see the windows.

    All get the length of the longest; one that would go over the edge is moved inside.
    """
    reach = axis.extent - 1 - axis.padding
    ends = span.length - 1 + axis.padding
    firsts = [min(max(0, -((reach - start) // axis.stride)), size - 1) for start in span.starts]
    lasts = [min((start + ends) // axis.stride, size - 1) for start in span.starts]
    units = 1 + max(max(0, last - first) for first, last in zip(firsts, lasts, strict=True))
    if span.roams:
        units = min(size, 1 + (span.length + axis.extent - 2) // axis.stride)
    return Span(tuple(min(first, size - units) for first in firsts), units, span.roams)


@lru_cache(_KEPT)
def read(axis: Axis, span: Span) -> Span:
    """Tell what the units read of the padded input."""
    starts = tuple(start * axis.stride for start in span.starts)
    return Span(starts, axis.halo(span.length), span.roams)


@lru_cache(_KEPT)
def union(spans: tuple[Span, ...], size: int) -> Span:
    """Cover several windows each, moved inside `size`."""
    firsts = [min(starts) for starts in zip(*(span.starts for span in spans), strict=True)]
    lasts = [
        max(start + span.length for start, span in zip(starts, spans, strict=True))
        for starts in zip(*(span.starts for span in spans), strict=True)
    ]
    length = max(last - first for first, last in zip(firsts, lasts, strict=True))
    starts = tuple(min(first, size - length) for first in firsts)
    return Span(starts, length, any(span.roams for span in spans))


@lru_cache(_KEPT)
def shifted(span: Span, by: int) -> Span:
    """Move all windows."""
    return span._replace(starts=tuple(start + by for start in span.starts))


@lru_cache(_KEPT)
def runs(inner: Span, outer: Span) -> tuple[Run, ...]:
    """Sort windows by their offset within their pieces, into as few slices as there are."""
    offsets = [a - b for a, b in zip(inner.starts, outer.starts, strict=True)]
    if len(set(offsets)) == 1:
        return (Run(slice(0, len(offsets), 1), offsets[0]),)
    found = []
    for offset in dict.fromkeys(offsets):
        members = [index for index, other in enumerate(offsets) if other == offset]
        found += [Run(run, offset) for run in _slices(members)]
    return tuple(found)


def _slices(members: list[int]) -> list[slice]:
    """Cut rising indices into slices of constant step."""
    found: list[slice] = []
    while members:
        step = members[1] - members[0] if len(members) > 1 else 1
        count = 1
        while count < len(members) and members[count] - members[count - 1] == step:
            count += 1
        found.append(slice(members[0], members[count - 1] + 1, step))
        members = members[count:]
    return found


@lru_cache(_KEPT)
def steady(span: Span) -> int | None:
    """Return the distance from each window to the next where it is always the same."""
    steps = {after - before for before, after in pairwise(span.starts)} or {0}
    step = steps.pop()
    return step if not steps and step >= 0 else None


@lru_cache(_KEPT)
def positions(span: Span) -> Tensor:
    """List the positions of each window, [windows, length]."""
    return torch.tensor(span.starts)[:, None] + torch.arange(span.length)
