"""Which convolutions a pass calls, what lies in front of them, and what reads their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnnwidgets.ascent.calls import Zeros, convolving, following, padding
from cnnwidgets.provenance import writes
from cnnwidgets.shadow import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from cnnwidgets.ascent.calls import Filters, Follower


class Made:
    """What a call returned, and what reads it.

    Attributes
    ----------
    readers
        What each reader does, and what it returned; None where no convolution could do it.
    """

    def __init__(self, result: Tensor) -> None:
        self._result, self._writes = result, writes(result)  # its id stays its own
        self.readers: list[tuple[Follower, Made] | None] = []

    @property
    def follower(self) -> tuple[Follower, Made] | None:
        """What alone reads it, and what that returned, if a convolution could do it."""
        return self.readers[0] if len(self.readers) == 1 else None

    @property
    def is_overwritten(self) -> bool:
        """Whether it has been written to since."""
        return writes(self._result) != self._writes


class Padded(NamedTuple):
    """A call of `torch.nn.functional.pad`: which of them, from 1 on, and what it did."""

    turn: int
    zeros: Zeros
    made: Made


class Convolved(NamedTuple):
    """A call of `torch.conv2d`, and that of `pad` whose result it was given."""

    filters: Filters
    made: Made
    padded: Padded | None


class Watch(TorchFunctionMode):
    """Notes the convolutions of a pass.

    Attributes
    ----------
    convolved
        All of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolved: list[Convolved] = []
        self._made: dict[int, Made] = {}
        self._pads = 0
        self._padded: dict[int, Padded] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        follower = following(func, args, kwargs)
        if follower is not None:
            after = Made(result)
            self._read((args, kwargs), (follower[1], after))
            self._made[id(result)] = after  # from here on, where it was overwritten
        elif result is None or next(tensors(result), None) is not None:  # not, say, a shape
            self._read((args, kwargs), None)
        if func is torch.conv2d:
            maps, filters = convolving(*args, **kwargs)
            padded = self._padded.get(id(maps))
            self.convolved.append(Convolved(filters, self._keep(result), padded))
        elif func is functional.pad:
            self._pads += 1
            if (zeros := padding(*args, **kwargs)) is not None:
                self._padded[id(result)] = Padded(self._pads, zeros[1], self._keep(result))
        return result

    def returned(self, output: object) -> None:
        """Take what the pass returned as read."""
        self._read(output, None)

    def _keep(self, result: Tensor) -> Made:
        self._made[id(result)] = made = Made(result)
        return made

    def _read(self, values: object, reader: tuple[Follower, Made] | None) -> None:
        for one in tensors(values):
            if id(one) in self._made:
                self._made[id(one)].readers.append(reader)
