"""A batch of maps that differ from known ones in one window each, as a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from cnnwidgets.attribution.incremental.windows import cut, whole
from cnnwidgets.tracing import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cnnwidgets.attribution.incremental.known import Known
    from cnnwidgets.attribution.incremental.windows import Maps, Windows

_METADATA = frozenset(
    str.split("shape size dim ndim ndimension device dtype is_floating_point is_cuda layout numel")
)


class Occluded(Tensor):
    """Maps [N, C, H, W] of a picture with N different patches over it.

    As long as they are local, only the windows exist that the patches reach; torch functions
    that work locally compute these. Anything else is given the whole batch, and from
    there on everything is computed as usual.

    Attributes
    ----------
    known
        What is known of the picture without a patch.
    maps, windows
        The maps without a patch, and what differs from them; None once it is whole.
    """

    known: Known
    maps: Maps | None
    windows: Windows | None
    _whole: Tensor | None

    @classmethod
    def local(cls, known: Known, maps: Maps, windows: Windows) -> Occluded:
        """Make one of windows; those that cover their maps are the whole."""
        values = windows.values
        if windows.place.size == maps.size:
            return cls.everywhere(known, values)
        made = cls._shaped(known, values, (*values.shape[:2], *maps.size))
        made.maps, made.windows, made._whole = maps, windows, None
        return made

    @classmethod
    def everywhere(cls, known: Known, values: Tensor) -> Occluded:
        """Make one of a batch that was computed as usual."""
        made = cls._shaped(known, values, values.shape)
        made.maps, made.windows, made._whole = None, None, values
        return made

    @classmethod
    def _shaped(cls, known: Known, like: Tensor, shape: Iterable[int]) -> Occluded:
        # One number stands for all: nothing but the metadata of this tensor is ever asked for.
        made: Occluded = Tensor._make_subclass(cls, like.new_empty(()).expand(tuple(shape)))
        made.known = known
        return made

    @property
    def whole(self) -> Tensor:
        """The batch [N, …] itself."""
        if self._whole is None:
            assert self.maps is not None
            assert self.windows is not None
            self._whole = cut(self.maps, self.windows, whole(self.maps, self.windows.place))
        return self._whole

    def become(self, other: Occluded) -> Occluded:
        """Hold what another holds: this one was written to."""
        self.maps, self.windows, self._whole = other.maps, other.windows, other._whole
        return self

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        with torch._C.DisableTorchFunctionSubclass():
            name = function_name(func)
            if name in _METADATA:
                return func(*args, **(kwargs or {}))
            return _call(name, func, args, kwargs or {})


def _call(name: str, func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    from cnnwidgets.attribution.incremental.local import LOCAL  # it needs this module

    operands = list(occluded(args)) + list(occluded(kwargs.values()))
    known = operands[0].known
    known.called()
    if name in LOCAL and any(one.windows is not None for one in operands):
        result = LOCAL[name](func, args, kwargs)
        if result is not NotImplemented:
            return result
    if writes(func, kwargs):
        for one in operands:
            one.become(Occluded.everywhere(known, one.whole))
    args, kwargs = tree_map(lambda x: x.whole if isinstance(x, Occluded) else x, (args, kwargs))
    result = func(*args, **kwargs)
    known.count(name, args, result)
    if isinstance(result, Tensor):
        return Occluded.everywhere(known, result)
    return tree_map(lambda x: Occluded.everywhere(known, x) if isinstance(x, Tensor) else x, result)


def occluded(arguments: Iterable[Any]) -> Iterator[Occluded]:
    """Find the occluded maps among arguments, and in lists of them."""
    for argument in arguments:
        if isinstance(argument, Occluded):
            yield argument
        elif isinstance(argument, (list, tuple)):
            yield from occluded(argument)


def writes(func: Callable[..., Any], kwargs: dict[str, Any]) -> bool:
    """Whether a call writes to its first argument."""
    name = func.__name__
    if name.startswith("__"):
        return name.startswith("__i") or name == "__setitem__"
    return name.endswith("_") or bool(kwargs.get("inplace"))
