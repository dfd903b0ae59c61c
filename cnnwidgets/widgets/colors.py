"""Numbers to colours where there is no browser: the front-end's own tables (`look.ts`)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import ImageColor

if TYPE_CHECKING:
    from numpy.typing import NDArray

Table = Literal["activations", "weights", "sequential"]

STOPS: dict[Table, str] = {
    "activations": "#08306b #2f6fb7 #92bce0 #efeeeb #eba184 #c24a3a #67000f",
    "weights": "#481467 #8452a8 #c0a4d5 #efeeeb #93c79a #2b844b #003a1b",
    "sequential": "#440154 #414487 #2a788e #22a884 #7ad151 #fde725",
}
RUNS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e6a400", "#56b4e9", "#8a8f98")
"""Of the runs of a training, in the order given."""
MARKS = ("#0072b2", "#d55e00", "#009e73", "#e6a400", "#cc79a7", "#56b4e9", "#8a8f98")
"""Of pictures beside each other."""
NOT_A_NUMBER, POSITIVE_INFINITY, NEGATIVE_INFINITY = "#f03cd2", "#ff9d00", "#00d5f5"
_ENTRIES = 257  # odd: zero is the neutral colour


@cache
def colors(table: Table) -> NDArray[np.uint8]:
    """Return a table, uint8 [257, 3]; entry 128 of a diverging one is zero."""
    stops = np.array([ImageColor.getrgb(stop) for stop in STOPS[table].split()], np.float64)
    at = np.linspace(0, len(stops) - 1, _ENTRIES)
    channels = [np.interp(at, range(len(stops)), stops[:, channel]) for channel in range(3)]
    table_of: NDArray[np.uint8] = np.stack(channels, 1).round().astype(np.uint8)
    return table_of


def paint(values: NDArray[np.float32], limit: float, table: Table) -> NDArray[np.uint8]:
    """Colour values on the zero-centred range ±limit.

    Parameters
    ----------
    values
        Any shape; NaN and infinities get colours of their own.
    limit
        The value of the last colour, and less its negative of the first.
    table
        Which colours.

    Returns
    -------
    numpy.ndarray
        uint8, a last axis of 3 added.
    """
    middle = _ENTRIES // 2
    finite = bool(np.isfinite(values).all())
    shares = (values if finite else np.nan_to_num(values, posinf=0.0, neginf=0.0)) / (limit or 1.0)
    entries = np.rint(shares.clip(-1, 1) * middle).astype(np.intp) + middle
    painted: NDArray[np.uint8] = colors(table).take(entries, axis=0)
    if not finite:
        painted[np.isnan(values)] = ImageColor.getrgb(NOT_A_NUMBER)
        painted[values == np.inf] = ImageColor.getrgb(POSITIVE_INFINITY)
        painted[values == -np.inf] = ImageColor.getrgb(NEGATIVE_INFINITY)
    return painted
