"""What a monitor's pages get of the snapshots of a run: maps, filters, predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnwidgets.errors import nearest
from cnnwidgets.widgets.monitor_weights import weights_in
from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.training.run import Run
    from cnnwidgets.training.snapshots import Snapshot

WHAT = ("filters", "maps", "gradients")
MOST_CHANNELS, MOST_INPUTS, MOST_CLASSES = 256, 64, 10
_KERNEL_AXES = 4  # [K, C, h, w]
_MAP_AXES = 3  # [C, h, w]


def snapshot_at(run: Run, step: int) -> Snapshot:
    """Return the snapshot nearest to a step.

    Raises
    ------
    RequestError
        If there is none.
    """
    try:
        return run.snapshot(step)
    except ValueError as error:
        raise RequestError(str(error)) from None


def maps_of(snapshot: Snapshot, layer: str, what: str, picture: int) -> tuple[Tensor, int]:
    """Return filters [K, C, h, w] of a layer, or maps or gradients [K, h, w] of a probe picture.

    Returns
    -------
    tuple
        At most 256 channels (of at most 64 inputs), and how many there are.

    Raises
    ------
    RequestError
        If the snapshot has none.
    """
    if what == "filters":
        found = weights_in(snapshot, layer)
        if found is None or found.ndim != _KERNEL_AXES:
            held = f"; the snapshots hold {snapshot.kind} alone" if snapshot.kind == "maps" else ""
            raise RequestError(
                f"layer: {layer!r} has no filters, which convolutions alone have{held}"
            )
        return found[:MOST_CHANNELS, :MOST_INPUTS], len(found)
    if snapshot.probed is None:
        raise RequestError(
            "picture: the run has no probe: Recorder(model, probe=pictures) shows the network "
            "the same pictures at every snapshot"
        )
    probed = snapshot.probed
    tensors = probed.activations if what == "maps" else probed.gradients
    if layer not in tensors:
        raise RequestError(
            f"layer: no {what} of {layer!r} were recorded, for the network was not followed there; "
            f"{nearest(layer, tensors)}, or record cw.Network(model, input_size=…)"
        )
    batch = tensors[layer]
    if not 0 <= picture < len(batch):
        raise RequestError(f"picture: {picture} is none of the {len(batch)} probe pictures")
    maps = _as_maps(batch[picture])
    return maps[:MOST_CHANNELS], len(maps)


def _as_maps(one: Tensor) -> Tensor:
    """Give what a layer puts out for one picture the axes [K, h, w]."""
    if one.ndim < _MAP_AXES - 1:
        return one.reshape(-1, 1, 1)
    return one.reshape(-1, *one.shape[-2:])


class Predictions:
    """What a run makes of its probe pictures, snapshot by snapshot; each is read once."""

    def __init__(self) -> None:
        self._chances: dict[int, NDArray[np.float32]] = {}

    def of(self, run: Run) -> dict[int, NDArray[np.float32]]:
        """Return step → probabilities [N, classes] of all snapshots that have them.

        One output alone is no choice between classes: it has none.
        """
        steps = run.snapshots
        for step in steps:
            if step not in self._chances:
                snapshot = snapshot_at(run, step)
                output = None if snapshot.probed is None else snapshot.probed.output
                if output is not None and output.shape[1] > 1 and snapshot.step == step:
                    self._chances[step] = output.double().softmax(1).float().numpy()
        return {step: self._chances[step] for step in steps if step in self._chances}


def predicted(
    chances: Mapping[int, NDArray[np.float32]], names: list[str]
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Return what the pages are told of probabilities by step, and those of some classes.

    Returns
    -------
    tuple
        Steps, indices and names of at most 10 classes (in their own order where that is all of
        them), the predicted class of each picture at each step, −1 where the probabilities are no
        numbers; float32 [steps, N, classes].
    """
    stacked = np.stack(list(chances.values()))
    means = np.nan_to_num(stacked).mean((0, 1))
    few = len(means) <= MOST_CLASSES
    order = np.arange(len(means)) if few else np.argsort(-means, kind="stable")
    classes = order[:MOST_CLASSES].tolist()
    value = {
        "steps": list(chances),
        "classes": classes,
        "names": [names[i] if i < len(names) else f"class {i}" for i in classes],
        "predicted": np.where(np.isnan(stacked).any(2), -1, stacked.argmax(2)).tolist(),
    }
    return value, stacked[..., classes]
