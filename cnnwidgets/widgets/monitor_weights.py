"""What a monitor's pages get of a layer's weights over a run: single weights, norms of filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cnnwidgets.training.run import Run
    from cnnwidgets.training.snapshots import Snapshot

MOST_ROWS = 256
_GOLDEN = (5**0.5 - 1) / 2


class Columns(NamedTuple):
    """Of a layer's weights, a column for each snapshot."""

    steps: list[int]
    shape: list[int]
    """Of the weights as `weights_in` returns them; a filter, or what a unit has, is an index of the
    first axis."""
    weights: list[int]
    """Which of them are told, by their place in C order, ascending."""
    filters: list[int]
    """Of which filters the norm is told."""
    values: NDArray[np.float32]
    """[steps, weights]"""
    norms: NDArray[np.float32]
    """[steps, filters]"""


def sample(count: int, most: int = MOST_ROWS) -> NDArray[np.int64]:
    """Choose indices spread evenly over a count, one in each of as many equal parts.

    Where in its part each one lies goes by the golden ratio: at equal distances, such as 18 in
    filters of 3 × 3, all would be of the same place in their filters.

    Returns
    -------
    numpy.ndarray
        int64, ascending; all of them if there are no more than `most`.
    """
    if count <= most:
        return np.arange(count)
    parts = np.arange(most)
    within = parts * _GOLDEN % 1 if count >= 2 * most else 0  # or else two might be the same
    return ((parts + within) * count / most).astype(np.int64)


def weights_in(snapshot: Snapshot, layer: str) -> Tensor | None:
    """Return the weights that were recorded as a layer's, with an axis at least; None if none.

    The first axis is always of what the layer puts out, the second of what it takes in: those of
    transposed convolutions are turned.
    """
    found = snapshot.state.get(f"{layer}.weight", snapshot.state.get(layer))
    if found is None:
        return None
    if layer in snapshot.transposed:
        groups = found.reshape(snapshot.transposed[layer], -1, *found.shape[1:])
        return groups.transpose(1, 2).flatten(0, 1)
    return found if found.ndim else found.reshape(1)


def columns_of(
    run: Run, layer: str, after: int, progress: Callable[[int, int], None]
) -> tuple[list[int], Columns]:
    """Collect a layer's weights at the snapshots after a step.

    Parameters
    ----------
    run
        The run.
    layer
        A layer.
    after
        The last step that is known already; −1 if none is.
    progress
        Told (done, total) before each snapshot is read.

    Returns
    -------
    tuple
        The steps of all snapshots, and the columns of those that are new.

    Raises
    ------
    RequestError
        If no snapshot has weights of the layer.
    """
    steps = run.snapshots
    new = [step for step in steps if step > after]
    found: dict[int, Tensor] = {}
    for done, step in enumerate(new):
        progress(done, len(new))
        weights = _weights_at(run, step, layer)
        if weights is not None:
            found[step] = weights
    if not found and after < 0:
        raise RequestError(f"layer: the snapshots hold no weights of {layer!r}")
    return steps, _columns(found)


def _weights_at(run: Run, step: int, layer: str) -> Tensor | None:
    try:
        snapshot: Snapshot = run.snapshot(step)
    except ValueError:
        return None
    return weights_in(snapshot, layer) if snapshot.step == step else None  # dropped meanwhile


def _columns(found: dict[int, Tensor]) -> Columns:
    shape = list(next(reversed(found.values())).shape) if found else [0]
    kept = {step: one.double() for step, one in found.items() if list(one.shape) == shape}
    weights, filters = sample(int(np.prod(shape))), sample(shape[0])
    values = np.empty((len(kept), len(weights)), np.float32)
    norms = np.empty((len(kept), len(filters)), np.float32)
    for i, one in enumerate(kept.values()):
        values[i] = one.reshape(-1)[weights]
        norms[i] = torch.linalg.vector_norm(one[filters].reshape(len(filters), -1), dim=1)
    return Columns(list(kept), shape, weights.tolist(), filters.tolist(), values, norms)


def told(steps: list[int], columns: Columns) -> dict[str, Any]:
    """Return what is told of them beside the numbers."""
    return {
        "steps": steps,
        "new": columns.steps,
        "shape": columns.shape,
        "weights": columns.weights,
        "filters": columns.filters,
    }
