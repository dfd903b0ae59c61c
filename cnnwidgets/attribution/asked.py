"""What a caller of occlusion asked for, checked: messages name the argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cnnwidgets.network import Network

    Pair = tuple[int, int]

METHODS = ("auto", "incremental", "full", "draft")


def whole_pixels(name: str, given: int | Sequence[int], size: Pair | None = None) -> Pair:
    """Return a number of pixels along both axes, at most `size`."""
    pair = tuple(given) if isinstance(given, (tuple, list)) else (given, given)
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in pair)
    if len(pair) != 2 or not whole or min(pair) < 1:  # noqa: PLR2004
        raise ValueError(f"{name}: {given!r}; give pixels, one number or (rows, columns)")
    if size is not None and (pair[0] > size[0] or pair[1] > size[1]):
        raise ValueError(
            f"{name}: {given!r} is larger than the input of {size[0]} × {size[1]} pixels"
        )
    return pair[0], pair[1]


def positions_in(
    positions: Sequence[tuple[int, int]] | Tensor, window: Pair, size: Pair
) -> tuple[Pair, ...]:
    """Return the first pixels of patches, each of which covers some of the picture."""
    given = torch.as_tensor(positions)
    whole = not (given.is_floating_point() or given.is_complex() or given.dtype == torch.bool)
    if not whole or given.ndim != 2 or given.shape[1] != 2 or not len(given):  # noqa: PLR2004
        raise ValueError(
            f"positions: {list(given.shape)} of {given.dtype}; "
            "give [P, 2], whole numbers (row, column)"
        )
    places = tuple((row, column) for row, column in given.tolist())
    for row, column in places:
        covering("positions", row, column, window, size)
    return places


def covering(name: str, row: int, column: int, window: Pair, size: Pair) -> None:
    """Refuse a patch that covers nothing of the picture."""
    if not all(-w < at < s for at, w, s in zip((row, column), window, size, strict=True)):
        raise ValueError(
            f"{name}: a patch of {window[0]} × {window[1]} at ({row}, {column}) is beside the "
            f"input of {size[0]} × {size[1]} pixels"
        )


def target_of(net: Network, target: int | str | None, logits: Tensor) -> int:
    """Return the index of a class; by default that of the highest logit."""
    return int(logits.argmax()) if target is None else net.classes.index(target, len(logits))
