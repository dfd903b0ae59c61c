"""Functions whose output at one place depends on that place of their input only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from cnnwidgets.attribution.incremental.windows import Patched, Place, cover
from cnnwidgets.receptive.operations import ELEMENTWISE
from cnnwidgets.shadow import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from torch import Tensor

    Args: TypeAlias = tuple[Any, ...]
    Kwargs: TypeAlias = dict[str, Any]

    Rule: TypeAlias = Callable[[Callable[..., Any], Args, Kwargs], tuple[Any, Place] | None]

_MAP_AXES = 4
_CHANNEL_AXES = 3  # and more: a constant that is there for each channel ends in [C, 1, 1]
_CHANNELS = {1, -3}


def _elementwise(
    function: Callable[..., Any], args: Args, kwargs: Kwargs
) -> tuple[Any, Place] | None:
    """Compute what depends on each place alone, within all operands' windows."""
    operands = list(patched((*args, *kwargs.values())))
    if not _together(operands) or not all(map(_uniform, tensors((args, kwargs)))):
        return None
    place = _cover(operands)
    given = [_cut(x, place) for x in args]
    return function(*given, **{key: _cut(x, place) for key, x in kwargs.items()}), place


def _batch_norm(
    function: Callable[..., Any], args: Args, kwargs: Kwargs
) -> tuple[Any, Place] | None:
    training = kwargs.get("training", args[5] if len(args) > 5 else False)  # noqa: PLR2004
    return None if training else _where_it_stands(function, args, kwargs)


def _where_it_stands(
    function: Callable[..., Any], args: Args, kwargs: Kwargs
) -> tuple[Any, Place] | None:
    """Compute each window of the first argument where it stands."""
    if not isinstance(args[0], Patched) or any(patched((*args[1:], *kwargs.values()))):
        return None
    return function(args[0].windows, *args[1:], **kwargs), args[0].place


def _channels(function: Callable[..., Any], args: Args, kwargs: Kwargs) -> tuple[Any, Place] | None:
    """Take channels apart."""
    axis = kwargs.get("dim", args[2] if len(args) > 2 else 0)  # noqa: PLR2004
    return _where_it_stands(function, args, kwargs) if axis in _CHANNELS else None


def _items(function: Callable[..., Any], args: Args, kwargs: Kwargs) -> tuple[Any, Place] | None:
    """Take channels by index, ``x[:, a:b]``."""
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    every, channels, *rest = (*index, slice(None))
    simple = every == slice(None) and isinstance(channels, slice)
    if not simple or any(part != slice(None) for part in rest):
        return None
    return _where_it_stands(function, args, kwargs)


def _pad(_function: Callable[..., Any], args: Args, kwargs: Kwargs) -> tuple[Any, Place] | None:
    return _padded(*args, **kwargs)


def _padded(
    x: Patched,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,  # noqa: ARG001 - what is around the windows shows it
) -> tuple[Any, Place] | None:
    if mode != "constant" or len(pad) > _MAP_AXES or min(pad) < 0:
        return None
    left, _, top, _ = (*pad, 0, 0)[:_MAP_AXES]
    return x.windows, x.place.moved(top, left)


def _join(function: Callable[..., Any], args: Args, kwargs: Kwargs) -> tuple[Any, Place] | None:
    """Concatenate channels."""
    given = kwargs["tensors"] if "tensors" in kwargs else args[0]
    axis = kwargs.get("dim", args[1] if len(args) > 1 else 0)
    parts = list(patched(given))
    if axis not in _CHANNELS or len(parts) < len(given) or not _together(parts):
        return None
    place = _cover(parts)
    return function([x.cut(place) for x in parts], 1), place


def patched(arguments: Iterable[Any]) -> Iterator[Patched]:
    """Find patched maps among arguments, and in lists of them."""
    for argument in arguments:
        if isinstance(argument, Patched):
            yield argument
        elif isinstance(argument, (list, tuple)):
            yield from patched(argument)


def _cut(x: object, place: Place) -> object:
    return x.cut(place) if isinstance(x, Patched) else x


def _together(operands: Sequence[Patched]) -> bool:
    """Whether all are of maps of one size."""
    return len({x.maps.size for x in operands}) == 1


def _cover(operands: Sequence[Patched]) -> Place:
    """Return the place that covers the windows of all."""
    return cover([x.place for x in operands], operands[0].maps.size)


def _uniform(constant: Tensor) -> bool:
    """Whether a constant is the same at every place: one number, or one for each channel."""
    flat = constant.ndim >= _CHANNEL_AXES and constant.shape[-2:] == (1, 1)
    return flat or constant.numel() == 1


LOCAL: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    "batch_norm": _batch_norm,
    "cat": _join,
    "channel_shuffle": _where_it_stands,
    "chunk": _channels,
    "concat": _join,
    "concatenate": _join,
    "getitem": _items,
    "pad": _pad,
    "prelu": _where_it_stands,
    "split": _channels,
    "tensor_split": _channels,
}
"""What computes a torch function within the windows, by the function's name. It is given the
function and its arguments, and returns the result's windows and where they stand; None where it
cannot."""
PASSED = frozenset({"pad"})
"""Functions whose windows are those that they were given."""
