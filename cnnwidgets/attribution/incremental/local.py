"""Functions whose output at one place depends on the places around it only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from cnnwidgets.attribution.incremental.axis import union
from cnnwidgets.attribution.incremental.occluded import LOCAL, Occluded, occluded, writes
from cnnwidgets.attribution.incremental.sliding import average_pool, convolve, max_pool
from cnnwidgets.attribution.incremental.windows import Patched, Place
from cnnwidgets.receptive.operations import ELEMENTWISE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnwidgets.attribution.incremental.occluded import Function, Local

_MAP_AXES = 4
_CHANNEL_AXES = 3  # and more: a constant that is there for each channel ends in [C, 1, 1]


def _as_called(compute: Function) -> Local:
    """Make a local function of one that takes the arguments that torch's function takes."""

    def local(_func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
        return compute(*args, **kwargs)

    return local


def _elementwise(func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
    """Compute what depends on each place alone, within all operands' windows."""
    arguments = (*args, *kwargs.values())
    operands = list(occluded(arguments))
    constants = (x for x in arguments if isinstance(x, Tensor) and not isinstance(x, Occluded))
    if not _together(operands) or not all(map(_uniform, constants)):
        return NotImplemented
    inplace = writes(func, kwargs)

    def of(value: Callable[[Patched], Tensor]) -> Any:  # noqa: ANN401
        given = [value(x.patched) if isinstance(x, Occluded) else x for x in args]
        options = {k: value(x.patched) if isinstance(x, Occluded) else x for k, x in kwargs.items()}
        return func(*given, **options)

    known = operands[0].known
    maps = known.maps(
        func.__name__, lambda: of(lambda x: x.maps.values.clone() if inplace else x.maps.values)
    )
    place = _cover(operands)
    result = Occluded.local(known, Patched(maps, of(lambda x: x.cut(place)), place))
    return operands[0].become(result) if inplace else result


def _batch_norm(  # noqa: PLR0917 - the arguments of torch.nn.functional.batch_norm
    x: Occluded,
    mean: Tensor | None,
    variance: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,  # noqa: FBT001, FBT002
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:  # noqa: ANN401
    if training:
        return NotImplemented

    def compute(x: Tensor) -> Tensor:
        return functional.batch_norm(x, mean, variance, weight, bias, momentum=momentum, eps=eps)

    return _in_place("batch_norm", x, compute)


def _prelu(x: Occluded, weight: Tensor) -> Occluded:
    return _in_place("prelu", x, lambda x: functional.prelu(x, weight))


def _in_place(name: str, x: Occluded, compute: Callable[[Tensor], Tensor]) -> Occluded:
    """Compute each window where it stands."""
    given = x.patched
    maps = x.known.maps(name, lambda: compute(given.maps.values))
    return Occluded.local(x.known, Patched(maps, compute(given.windows), given.place))


def _pad(
    x: Occluded, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Any:  # noqa: ANN401
    if mode != "constant" or len(pad) > _MAP_AXES or min(pad) < 0:
        return NotImplemented
    left, _, top, _ = (*pad, 0, 0)[:_MAP_AXES]
    given = x.patched
    maps = x.known.maps("pad", lambda: functional.pad(given.maps.values, list(pad), value=value))
    return Occluded.local(x.known, Patched(maps, given.windows, given.place.moved(top, left)))


def _join(tensors: Sequence[Any], dim: int = 0) -> Any:  # noqa: ANN401
    """Concatenate channels."""
    parts = list(occluded(tensors))
    if dim not in {1, -3} or len(parts) < len(tensors) or not _together(parts):
        return NotImplemented
    known, place = parts[0].known, _cover(parts)
    maps = known.maps("cat", lambda: torch.cat([x.patched.maps.values for x in parts], 1))
    windows = torch.cat([x.patched.cut(place) for x in parts], 1)
    return Occluded.local(known, Patched(maps, windows, place))


def _together(operands: Sequence[Occluded]) -> bool:
    """Whether all are local, and of maps of one size."""
    if not all(x.is_local for x in operands):
        return False
    return len({x.patched.maps.size for x in operands}) == 1


def _cover(operands: Sequence[Occluded]) -> Place:
    """Return the place that covers the windows of all."""
    places = tuple(dict.fromkeys(x.patched.place for x in operands))
    if len(places) == 1:
        return places[0]
    height, width = operands[0].patched.maps.size
    rows = union(tuple(place.rows for place in places), height)
    return Place(rows, union(tuple(place.columns for place in places), width))


def _uniform(constant: Tensor) -> bool:
    """Whether a constant is the same at every place: one number, or one for each channel."""
    flat = constant.ndim >= _CHANNEL_AXES and constant.shape[-2:] == (1, 1)
    return flat or constant.numel() == 1


LOCAL.update(dict.fromkeys(ELEMENTWISE, _elementwise))
LOCAL.update(
    {
        "conv2d": _as_called(convolve),
        "max_pool2d": _as_called(max_pool),
        "avg_pool2d": _as_called(average_pool),
        "batch_norm": _as_called(_batch_norm),
        "prelu": _as_called(_prelu),
        "pad": _as_called(_pad),
        "cat": _as_called(_join),
        "concat": _as_called(_join),
        "concatenate": _as_called(_join),
    }
)
