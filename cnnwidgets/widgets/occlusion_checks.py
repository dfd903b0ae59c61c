"""What the traits of an occlusion slider may be; the messages say what to give instead."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cnnwidgets.attribution.fills import bytes_of
from cnnwidgets.errors import nearest
from cnnwidgets.widgets.traits import TraitValueError

if TYPE_CHECKING:
    from cnnwidgets.attribution.probe import Box
    from cnnwidgets.widgets.occlusion_probing import Probing

_PARTS = ("row", "column", "window")


def checked(probing: Probing, name: str, value: Any) -> Any:  # noqa: ANN401
    """Return a trait's value in its one form.

    Raises
    ------
    TraitValueError
        If it makes no sense for this picture and network.
    """
    if name == "fill":
        return _fill(probing, value)
    if name == "measure":
        return _measure(probing, value)
    if name == "kept":
        return _kept(probing, value)
    return _number(probing, name, value)


def _measure(probing: Probing, value: str) -> str:
    if value not in probing.measures:
        raise TraitValueError(
            f"measure: {value!r}; the network's outputs are probabilities already: "
            f"{nearest(None, probing.measures)}"
        )
    return value


def _number(probing: Probing, name: str, value: int) -> int:
    height, width = probing.size
    least, most = {
        "window": (1, min(height, width)),
        "stride": (1, max(height, width)),
        "row": (0, height - 1),
        "column": (0, width - 1),
        "target": (0, len(probing.bare) - 1),
    }[name]
    if not least <= value <= most:
        what = "there is no class " if name == "target" else ""
        where = "" if name == "target" else f" in a picture of {height} × {width} pixels"
        raise TraitValueError(f"{name}: {what}{value}{where}; choose {least} to {most}")
    return value


def _kept(probing: Probing, value: Any) -> list[Box]:  # noqa: ANN401
    return list(dict.fromkeys(_box(probing, one) for one in value))


def _box(probing: Probing, value: Any) -> Box:  # noqa: ANN401
    if (
        not isinstance(value, tuple | list)
        or len(value) != len(_PARTS)
        or not all(isinstance(part, int) and not isinstance(part, bool) for part in value)
    ):
        raise TraitValueError(f"kept: {value!r}; give (row, column, window) of each patch")
    try:
        row, column, window = map(_number, [probing] * len(_PARTS), _PARTS, value)
    except TraitValueError as error:
        raise TraitValueError(f"kept, {error}") from None
    return row, column, window


def _fill(probing: Probing, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, str | int | float | tuple | list):
        kind = type(value).__name__
        raise TraitValueError(f"fill: {kind}; give 'mean', 'blur', 'noise', a colour or a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise TraitValueError(f"fill: {value}; give a finite number")
    try:
        if isinstance(value, tuple | list):
            value = "#" + "".join(f"{part:02x}" for part in bytes_of(value))
        probing.filled(value)
    except ValueError as error:
        raise TraitValueError(str(error)) from None
    return value
