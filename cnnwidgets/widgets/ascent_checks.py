"""What the traits of a gradient ascent viewer may be; messages name the trait."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnwidgets.ascent.settings import Settings
from cnnwidgets.ascent.starts import STARTS
from cnnwidgets.errors import nearest
from cnnwidgets.widgets.traits import TraitValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from cnnwidgets.network import Network

LIVE = ("lr", "direction", "tv", "l2", "p_norm", "blur_sigma", "clip", "jitter", "zoom", "rotation")
"""Traits that act from the next step on."""
ANEW = (
    *("objective", "measure", "parametrization", "optimizer", "start_from", "seed", "size"),
    *("compare", "count"),
)
"""Traits with which a picture begins anew."""
WHOLE = {"steps": (1, 2048), "count": (2, 16), "seed": (0, 2**31 - 1), "size": (1, 4096)}
"""Trait → least and most."""
PICTURE = "picture"
"""What `start_from` is called where it is an image."""


@contextmanager
def refusing(name: str = "") -> Iterator[None]:
    """Refuse what makes no sense as a trait's value is refused; `name` where that goes unsaid."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise TraitValueError(f"{name}: {error}" if name else str(error)) from None


def valid_setting(name: str, value: float | None) -> float | None:
    """Return a setting that may change on the way."""
    given: dict[str, Any] = {name: value}
    with refusing():
        Settings(**given)
    return value


def valid_whole(name: str, value: int | None) -> int | None:
    """Return a whole number within its bounds."""
    least, most = WHOLE[name]
    if value is not None and not least <= value <= most:
        raise TraitValueError(f"{name}: {value}; choose {least} to {most:,}")
    return value


def valid_start(
    net: Network,
    value: Any,  # noqa: ANN401
    picture: Tensor | None,
) -> tuple[str, Tensor | None]:
    """Return what `start_from` is called, and the picture that it may be called by.

    Parameters
    ----------
    net
        The network.
    value
        What was given.
    picture
        The one that was given before, [1, C, H, W]; None if there was none.
    """
    if isinstance(value, str):
        if value in STARTS:
            return value, picture
        if value == PICTURE and picture is not None:
            return PICTURE, picture
        if not (Path(value).suffix or Path(value).exists()):
            raise TraitValueError(f"start_from: {value!r} is no file; {nearest(value, STARTS)}")
    try:
        return PICTURE, net.prepare(value)
    except (TypeError, ValueError, OSError) as error:
        raise TraitValueError(str(error).replace("image:", "start_from:", 1)) from None
