"""Functions whose output at one place depends on the places around it only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from cnnwidgets.attribution.incremental.axis import shifted, union
from cnnwidgets.attribution.incremental.occluded import Occluded, occluded, writes
from cnnwidgets.attribution.incremental.sliding import average_pool, convolve, max_pool
from cnnwidgets.attribution.incremental.windows import Place, Windows, cut
from cnnwidgets.receptive.operations import ELEMENTWISE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Function: TypeAlias = Callable[..., Any]
    Local: TypeAlias = Callable[[Function, tuple[Any, ...], dict[str, Any]], Any]

_MAP_AXES = 4


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

    def of(value: Callable[[Occluded], Tensor]) -> Any:  # noqa: ANN401
        given = [value(x) if isinstance(x, Occluded) else x for x in args]
        options = {k: value(x) if isinstance(x, Occluded) else x for k, x in kwargs.items()}
        return func(*given, **options)

    known = operands[0].known
    maps = known.maps(func.__name__, lambda: of(lambda x: _maps(x, copied=inplace)))
    place = _cover(operands)
    result = Occluded.local(known, maps, Windows(of(lambda x: _piece(x, place)), place))
    return operands[0].become(result) if inplace else result


def _batch_norm(  # noqa: PLR0917 - the arguments of torch.nn.functional.batch_norm
    x: Occluded,
    mean: Tensor | None,
    variance: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:  # noqa: ANN401
    if training:
        return NotImplemented

    def compute(x: Tensor) -> Tensor:
        return functional.batch_norm(x, mean, variance, weight, bias, False, momentum, eps)

    return _same_place("batch_norm", x, compute)


def _prelu(x: Occluded, weight: Tensor) -> Occluded:
    return _same_place("prelu", x, lambda x: functional.prelu(x, weight))


def _pad(
    x: Occluded, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Any:  # noqa: ANN401
    if mode != "constant" or len(pad) > _MAP_AXES or min(pad) < 0:
        return NotImplemented
    left, _, top, _ = (*pad, 0, 0)[:_MAP_AXES]
    maps = x.known.maps("pad", lambda: functional.pad(_maps(x), list(pad), value=value))
    values, place = _windows(x).values, _windows(x).place
    moved = Place(shifted(place.rows, top), shifted(place.columns, left))
    return Occluded.local(x.known, maps, Windows(values, moved))


def _join(tensors: Sequence[Any], dim: int = 0) -> Any:  # noqa: ANN401
    parts = list(occluded(tensors))
    if dim not in {1, -3} or len(parts) < len(tensors) or not _together(parts):
        return NotImplemented
    known, place = parts[0].known, _cover(parts)
    maps = known.maps("cat", lambda: torch.cat(list(map(_maps, parts)), 1))
    values = torch.cat([_piece(x, place) for x in parts], 1)
    return Occluded.local(known, maps, Windows(values, place))


def _same_place(name: str, x: Occluded, compute: Callable[[Tensor], Tensor]) -> Occluded:
    maps = x.known.maps(name, lambda: compute(_maps(x)))
    windows = _windows(x)
    return Occluded.local(x.known, maps, Windows(compute(windows.values), windows.place))


def _maps(x: Occluded, *, copied: bool = False) -> Tensor:
    assert x.maps is not None
    return x.maps.values.clone() if copied else x.maps.values


def _windows(x: Occluded) -> Windows:
    assert x.windows is not None
    return x.windows


def _piece(x: Occluded, place: Place) -> Tensor:
    assert x.maps is not None
    return cut(x.maps, _windows(x), place)


def _together(operands: Sequence[Occluded]) -> bool:
    """Whether all are local, and of maps of one size."""
    return len({x.maps and x.maps.size for x in operands} | {None}) == 2 and all(  # noqa: PLR2004
        x.windows is not None for x in operands
    )


def _cover(operands: Sequence[Occluded]) -> Place:
    places = tuple(dict.fromkeys(_windows(x).place for x in operands))
    if len(places) == 1:
        return places[0]
    assert operands[0].maps is not None
    height, width = operands[0].maps.size
    rows = union(tuple(place.rows for place in places), height)
    return Place(rows, union(tuple(place.columns for place in places), width))


def _uniform(constant: Tensor) -> bool:
    """Whether a constant is the same at every place: one number, or one for each channel."""
    return constant.numel() == 1 or (constant.ndim >= 3 and constant.shape[-2:] == (1, 1))  # noqa: PLR2004


LOCAL: dict[str, Local] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
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
"""By the name of the torch function; each may return NotImplemented."""
