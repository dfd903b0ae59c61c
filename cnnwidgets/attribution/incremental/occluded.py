"""A batch of maps that differ from known ones in one window each, as a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from cnnwidgets.tracing import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cnnwidgets.attribution.incremental.known import Known
    from cnnwidgets.attribution.incremental.windows import Patched

    Function: TypeAlias = Callable[..., Any]
    Local: TypeAlias = Callable[[Function, tuple[Any, ...], dict[str, Any]], Any]

LOCAL: dict[str, Local] = {}
"""What computes a torch function within the windows, by the function's name; it is given the
function and its arguments, and returns NotImplemented where it cannot."""

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
    """

    known: Known
    _patched: Patched | None
    _whole: Tensor | None

    @classmethod
    def local(cls, known: Known, patched: Patched) -> Occluded:
        """Make one of windows; those that cover their maps are the whole."""
        windows, maps = patched.windows, patched.maps
        if patched.place.size == maps.size:
            return cls.everywhere(known, windows)
        made = _shaped(known, windows, (*windows.shape[:2], *maps.size))
        return made._hold(patched, None)

    @classmethod
    def everywhere(cls, known: Known, values: Tensor) -> Occluded:
        """Make one of a batch that was computed as usual."""
        return _shaped(known, values, values.shape)._hold(None, values)

    @property
    def is_local(self) -> bool:
        """Whether it is `patched`, and not yet whole."""
        return self._patched is not None

    @property
    def patched(self) -> Patched:
        """The windows and what is around them, of one that is local."""
        if self._patched is None:
            raise RuntimeError("these maps are whole; they have no windows")
        return self._patched

    @property
    def whole(self) -> Tensor:
        """The batch [N, …] itself."""
        if self._whole is None:
            self._whole = self.patched.whole
        return self._whole

    def become(self, other: Occluded) -> Occluded:
        """Hold what another holds: this one was written to."""
        return self._hold(other._patched, other._whole)

    def _hold(self, patched: Patched | None, whole: Tensor | None) -> Occluded:
        self._patched, self._whole = patched, whole
        return self

    @classmethod
    def __torch_function__(
        cls,
        func: Function,
        _types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        with torch._C.DisableTorchFunctionSubclass():  # noqa: SLF001 - as torch's guide has it
            name = function_name(func)
            if name in _METADATA:
                return func(*args, **(kwargs or {}))
            return _call(name, func, args, kwargs or {})


def _shaped(known: Known, like: Tensor, shape: Iterable[int]) -> Occluded:
    # One number stands for all: nothing but the metadata of this tensor is ever asked for.
    number = like.new_empty(()).expand(tuple(shape))
    made: Occluded = Tensor._make_subclass(Occluded, number)  # noqa: SLF001 - as torch's guide has it
    made.known = known
    return made


def _call(name: str, func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
    operands = [*occluded(args), *occluded(kwargs.values())]
    known = operands[0].known
    known.called()
    if name in LOCAL and any(one.is_local for one in operands):
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


def writes(func: Function, kwargs: dict[str, Any]) -> bool:
    """Whether a call writes to its first argument."""
    name = func.__name__
    if name.startswith("__"):
        return name.startswith("__i") or name == "__setitem__"
    return name.endswith("_") or bool(kwargs.get("inplace"))
