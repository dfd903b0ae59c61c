"""A run that a monitor follows: what its pages are told about it."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnwidgets.training.findings import by_cause
from cnnwidgets.training.recorder import Recorder
from cnnwidgets.training.run import Run
from cnnwidgets.training.stored import StoredRun, load_run
from cnnwidgets.widgets.failures import sentence
from cnnwidgets.widgets.monitor_history import Digest
from cnnwidgets.widgets.monitor_images import images_of
from cnnwidgets.widgets.monitor_silence import silence_of
from cnnwidgets.widgets.monitor_snapshots import Predictions, snapshot_at
from cnnwidgets.widgets.monitor_weights import weights_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from cnnwidgets.training.findings import Finding
    from cnnwidgets.training.halving import HalvingBuffer
    from cnnwidgets.training.snapshots import Snapshot
    from cnnwidgets.training.table import Key

RATE = "learning_rate"


def as_run(given: object) -> tuple[Run, bool]:
    """Return a run, and whether it was opened here; a directory is loaded.

    Raises
    ------
    TypeError
        If it is neither.
    FileNotFoundError, ValueError
        If there is no run in the directory that can be read.
    """
    if isinstance(given, Run):
        return given, False
    if isinstance(given, (str, os.PathLike)):
        return load_run(Path(given)), True
    if isinstance(given, (list, tuple)):
        raise TypeError("runs: give them one by one: TrainingMonitor(a, b), not ([a, b])")
    raise TypeError(
        "runs: a Recorder, what load_run or load_tensorboard returns, or a run's directory, not "
        f"{type(given).__name__}; cnnwidgets.watch(model) records a model and shows it"
    )


class Followed:
    """One run of a monitor.

    Parameters
    ----------
    run
        The run.
    identity
        What the pages call it.
    owned
        Whether to close it in the end.

    Attributes
    ----------
    digest
        Packs its curves and tables.
    pictures, classes, predictions
        Of its probe; None, [] and nothing without one.
    error
        Why it cannot be followed any more; None if it can.
    """

    def __init__(self, run: Run, identity: str, *, owned: bool) -> None:
        self.run, self.identity, self._owned = run, identity, owned
        self.digest = Digest(run.history)
        self.pictures = run.pictures
        self.classes = [plain(name) for name in run.classes]
        self.predictions = Predictions()
        self.error: str | None = None
        self._last: Snapshot | None = None
        self._told: dict[str, Any] = {}
        self._shapes: tuple[int, dict[str, list[int]]] = (0, {})

    def follow(self) -> None:
        """Take in what is new where the run has to be asked for it; never raise."""
        try:
            self.run.notes  # noqa: B018 - any look takes in what waits on a device, or in a file
            self.error = self._trouble()
        except Exception as error:  # noqa: BLE001 - files may vanish; the other runs go on
            self.error = sentence(error)

    def told(self, total: int | None) -> dict[str, Any]:
        """Return what the pages are told; what they were told before if it cannot be read now."""
        try:
            self._told = self._facts(total)
        except Exception as error:  # as in `follow`
            if not self._told:
                raise
            self._told = {**self._told, "live": False, "error": sentence(error)}
        return self._told

    def _facts(self, total: int | None) -> dict[str, Any]:
        """Collect them; only what strict JSON can hold."""
        run, history = self.run, self.run.history
        with history.lock:
            keys, rate = list(history.keys), _last(history.curves.get(RATE))
            findings, notes = by_cause(history.findings), list(history.notes)
        trains = isinstance(run, Recorder) and run.running
        rests = isinstance(run, Recorder) and run.resting
        ending, live = run.ending, run.live
        steps, pictures = run.snapshots, self.pictures
        return {
            "id": self.identity,
            "name": plain(run.name),
            "model": run.model_name,
            "live": live and not rests and self.error is None,
            "paused": isinstance(run, Recorder) and run.paused,
            "controllable": trains,
            "stopped": ending is not None and ending.stopped,
            "silence": silence_of(run),
            "rate": rate,
            "pending_rate": run.pending_rate if isinstance(run, Recorder) else None,
            "total": run.total if total is None else total,
            "layers": [plain(layer) for layer in layers_of(keys)],
            "keys": [[plain(layer), plain(quantity)] for layer, quantity in keys],
            "snapshots": {"steps": steps, "kind": run.snapshot_kind, "shapes": self.shapes},
            "images": {plain(tag): [step for step, _ in of] for tag, of in images_of(run).items()},
            "findings": [_finding(one) for one in findings],
            "notes": [plain(note) for note in notes],
            "probe": 0 if pictures is None else len(pictures),
            "classes": self.classes,
            "error": self.error,
        }

    def layers(self) -> list[str]:
        """Return the layers that were recorded."""
        with self.run.history.lock:
            return layers_of(self.run.history.keys)

    def first_layer(self, quantity: str) -> str:
        """Return the first layer of which this was recorded, or the first of all; "" if none."""
        layers, keys = self.layers(), self.run.history.keys
        return next((one for one in layers if (one, quantity) in keys), "".join(layers[:1]))

    def newest(self) -> int:
        """Return the newest step that there is something to see of."""
        history = self.run.history
        with history.lock:
            recorded = history.tables.steps[-1:].tolist()
        logged = [pictures[-1][0] for pictures in images_of(self.run).values()]
        return max([*recorded, *self.run.snapshots[-1:], *logged], default=self.run.last_step)

    def snapshot(self, step: int) -> Snapshot:
        """Return the snapshot nearest to a step; the last one stays, for it may be in a file.

        Raises
        ------
        RequestError
            If there is none.
        """
        last = self._last
        if last is None or last.step != step:
            self._last = last = snapshot_at(self.run, step)
        return last

    @property
    def shapes(self) -> dict[str, list[int]]:
        """Layer → shape of its weights in the snapshots; read again when there are more layers."""
        layers, steps = self.layers(), self.run.snapshots
        if steps and layers and len(layers) != self._shapes[0]:
            found: dict[str, Tensor | None] = {}
            with suppress(ValueError):  # none can be read: their figures say so
                outline = self.run.outline(steps[-1])
                found = {layer: weights_in(outline, layer) for layer in layers}
            shapes = {plain(n): list(one.shape) for n, one in found.items() if one is not None}
            self._shapes = len(layers), shapes
        return self._shapes[1]

    def close(self) -> None:
        """Let go of the run, closing it if it was opened for the monitor."""
        if self._owned:
            self.run.close()

    def _trouble(self) -> str | None:
        if isinstance(self.run, StoredRun) and not self.run.directory.is_dir():
            return f"the directory {str(self.run.directory)!r} is gone; what was read of it stays"
        ending, error = self.run.ending, getattr(self.run, "error", None)
        said = None if error is None else sentence(error)
        return said if ending is None or ending.error is None else plain(ending.error)


def layers_of(keys: Iterable[Key]) -> list[str]:
    """Return the layers in the order in which they put something out, as far as it is known."""
    pairs = list(keys)
    executed = [layer for layer, quantity in pairs if quantity == "activations"]
    return list(dict.fromkeys([*executed, *(layer for layer, _ in pairs)]))


def plain(text: str) -> str:
    """Return text that UTF-8 can hold: a file's name may be none."""
    return text.encode("utf-8", "replace").decode()


def _last(curve: HalvingBuffer | None) -> float | None:
    return _number(curve.rows[-1, 0]) if curve is not None and curve.size else None


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _finding(found: Finding) -> dict[str, Any]:
    evidence = {plain(name): _number(value) for name, value in found.evidence.items()}
    return {
        "kind": found.kind,
        "severity": found.severity,
        "step": found.step,
        "layer": None if found.layer is None else plain(found.layer),
        "evidence": evidence,
        "message": plain(found.message),
    }
