"""What the traits of a saliency viewer may be; messages name the trait and say what to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnwidgets.attribution.fills import filled
from cnnwidgets.errors import nearest
from cnnwidgets.widgets.saliency_methods import METHODS
from cnnwidgets.widgets.traits import TraitValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cnnwidgets.network import Network

NUMBERS: dict[str, tuple[float, float]] = {
    "samples": (1, 1000),
    "noise": (0, 1),
    "percentile": (50, 100),
    "overlay": (0, 1),
    "window": (1, 0),
    "stride": (1, 0),
}
"""Trait → least and most; 0: as many as the picture has pixels on its shorter side."""


def valid_number(name: str, value: float, size: tuple[int, int]) -> float:
    """Return a number that is within its bounds."""
    least, most = NUMBERS[name]
    if not least <= value <= (most or min(size)):
        where = "" if most else f" in a picture of {size[0]} × {size[1]} pixels"
        raise TraitValueError(f"{name}: {value}{where}; choose {least} to {most or min(size)}")
    return value


def valid_class(name: str, index: int | None, count: int, taken: int | None = None) -> int | None:
    """Return the index of a class that there is, and that is not `taken` by the target."""
    if index is not None and not 0 <= index < count:
        raise TraitValueError(f"{name}: there is no class {index}; choose 0 to {count - 1}")
    if index is not None and index == taken:
        raise TraitValueError(f"{name}: class {index} is the target; choose another one, or None")
    return index


def valid_methods(names: Sequence[str]) -> list[str]:
    """Return names of methods, each once."""
    for name in names:
        if name not in METHODS:
            raise TraitValueError(f"compare: there is no {name!r}; {nearest(name, METHODS)}")
    return list(dict.fromkeys(names))


def valid_layer(name: str | None, layers: Sequence[str]) -> str | None:
    """Return a layer that Grad-CAM can be asked for."""
    if name is not None and name not in layers:
        raise TraitValueError(f"cam_layer: no layer {name!r} has maps; {nearest(name, layers)}")
    return name


def valid_fill(name: str, value: Any, net: Network, x: Tensor) -> str | float:  # noqa: ANN401
    """Return what integrated gradients may begin with, or a patch may show."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        kind = type(value).__name__
        raise TraitValueError(
            f"{name}: {kind}; give 'black', 'mean', 'blur', 'noise', a colour or a number"
        )
    try:
        filled(net, x, value)
    except ValueError as error:
        raise TraitValueError(str(error).replace("fill:", f"{name}:", 1)) from None
    return value
