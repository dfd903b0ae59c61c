"""A training run to look at: what happened at each step, while it goes on or long after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from cnnwidgets.errors import nearest
from cnnwidgets.shadow import shadow, unwrap
from cnnwidgets.training.bins import EDGES
from cnnwidgets.training.findings import by_cause
from cnnwidgets.training.series import Histograms, Statistics
from cnnwidgets.training.table import FIELDS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch.optim import Optimizer

    from cnnwidgets.training.background import Ending
    from cnnwidgets.training.findings import Finding
    from cnnwidgets.training.history import Curve, History
    from cnnwidgets.training.probing import Probed
    from cnnwidgets.training.snapshots import Kind, Snapshot


class Run:
    """What a recorder saw, or what was read of a directory or of event files.

    Step ``k`` is what was measured while the optimizer made its ``k``-th step: loss, gradients and
    activations before it, weights after it.

    Attributes
    ----------
    name
        To tell runs apart.
    """

    def __init__(self, name: str, history: History, model: nn.Module | None = None) -> None:
        self.name = name
        self._history = history
        self._model = model
        self._closed = False

    def __repr__(self) -> str:
        last = self.last_step
        with self._history.lock:
            curve = self._history.curves.get("loss")
            loss = f", loss {curve.rows[-1, 0]:.4g}" if curve else ""
            found = len(by_cause(self._history.findings))
        notes = "".join(f"\n  {note}" for note in self._history.notes)
        about = f"step {last}{loss}, {found} findings"
        return f"{type(self).__name__}({self.name!r}, {about}){notes}"

    @property
    def model(self) -> nn.Module | None:
        """The model that is recorded; None for a run read from files without one."""
        return self._model

    @property
    def model_name(self) -> str:
        """The class of the model; empty where that is not known."""
        return "" if self._model is None else type(unwrap(self._model)).__name__

    @property
    def history(self) -> History:
        """What is known, as it grows; for whoever shows it meanwhile."""
        return self._history

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return False

    @property
    def idle(self) -> float:
        """Seconds since something was last recorded; 0 if nothing was, or nothing more may come."""
        return 0.0

    @property
    def ending(self) -> Ending | None:
        """How training ended; None if more may come, or that is not known."""
        return None

    @property
    def total(self) -> int | None:
        """Steps that training will have; None if that is not known."""
        return None

    @property
    def classes(self) -> list[str]:
        """Names of the network's classes by index; empty without a probe, or if it has none."""
        return []

    @property
    def pictures(self) -> NDArray[np.uint8] | None:
        """The probe pictures as one sees them, [N, H, W, 1 or 3]; None without a probe."""
        return None

    @property
    def snapshot_kind(self) -> Kind | None:
        """What the last snapshot holds, see `cnnwidgets.training.snapshots`; None without one."""
        return None

    @property
    def steps(self) -> list[int]:
        """The steps whose layers were recorded; in a long run each stands for some after it."""
        self._sync()
        return [int(step) for step in self._history.tables.steps]

    @property
    def seconds(self) -> NDArray[np.float64]:
        """When each of `steps` was, in seconds since the run began."""
        self._sync()
        with self._history.lock:
            return self._history.tables.seconds

    @property
    def last_step(self) -> int:
        """The last step that is known of; 0 before the first."""
        self._sync()
        with self._history.lock:
            ends = [int(c.steps[-1]) for c in self._history.curves.values() if c.size]
            return max([*ends, *self._history.tables.steps[-1:].tolist()], default=0)

    @property
    def scalars(self) -> dict[str, Curve]:
        """Steps, values and seconds of each curve by name, such as ``loss``.

        A curve has at most 8,192 points; in a longer run neighbours are averaged.
        """
        self._sync()
        with self._history.lock:
            return {name: self._history.curve(name) for name in self._history.curves}

    @property
    def layers(self) -> list[str]:
        """Names of the layers that were recorded."""
        self._sync()
        return list(dict.fromkeys(layer for layer, _ in self._history.keys))

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the run, or worth a look; see `cnnwidgets.training.diagnosis`."""
        self._sync()
        with self._history.lock:
            return by_cause(self._history.findings)

    @property
    def notes(self) -> list[str]:
        """What the recorder has to say about itself: what it does not see, and why."""
        self._sync()
        return list(self._history.notes)

    @property
    def snapshots(self) -> list[int]:
        """The steps whose weights are kept; 0 is before training."""
        self._sync()
        return list(self._snapshot_steps())

    def quantities(self, layer: str) -> list[str]:
        """Return what was recorded of a layer, such as weights, gradients and activations."""
        self._sync()
        self._check_layer(layer)
        return [quantity for name, quantity in self._history.keys if name == layer]

    def histograms(self, layer: str, quantity: str = "weights") -> Histograms:
        """Return the histograms of a layer over the run.

        Parameters
        ----------
        layer
            Name of the layer: its module path.
        quantity
            ``"weights"``, ``"biases"``, ``"gradients"``, ``"bias gradients"`` or
            ``"activations"``: what the layer puts out for the first pictures of a batch, 16 of
            them or as many as have 131,072 values, at least one; for a convolution or dense layer
            they are the pre-activations of what follows.

        Raises
        ------
        ValueError
            If the layer or the quantity was not recorded; the message names the nearest.
        """
        steps, rows = self._rows(layer, quantity)
        return Histograms(steps, EDGES.copy(), rows[:, len(FIELDS) :])

    def statistics(self, layer: str, quantity: str = "weights") -> Statistics:
        """Return norm, mean, dead units … of a layer over the run; see `histograms`."""
        steps, rows = self._rows(layer, quantity)
        return Statistics(steps, *rows[:, : len(FIELDS)].T)

    def snapshot(self, step: int) -> Snapshot:
        """Return the snapshot nearest to a step.

        Raises
        ------
        ValueError
            If there is none.
        """
        return self._nearest(step, self._snapshot)

    def outline(self, step: int) -> Snapshot:
        """Return the shapes of the weights in the snapshot nearest to a step.

        It is the snapshot where that is in memory, else its file is not read: the weights in it
        are tensors of the device ``"meta"``, and there is nothing else in it.

        Raises
        ------
        ValueError
            If there is none.
        """
        return self._nearest(step, self._outline)

    def weights(self, step: int) -> dict[str, Tensor]:
        """Return the weights of the snapshot nearest to a step, by name, on the CPU.

        `snapshots` lists the steps that there are.

        Raises
        ------
        ValueError
            If there is no snapshot.
        """
        return dict(self.snapshot(step).state)

    def probed(self, step: int) -> Probed | None:
        """Return what the network made of the probe pictures at the snapshot nearest to a step.

        None if the run has no probe.
        """
        return self.snapshot(step).probed

    def model_at(self, step: int, model: nn.Module | None = None) -> nn.Module:
        """Return a copy of the network as it was at the snapshot nearest to a step.

        Parameters
        ----------
        step
            The step.
        model
            What to copy; by default the model that is recorded. It is not changed.

        Returns
        -------
        torch.nn.Module
            In evaluation mode, with weights and buffers of its own.

        Raises
        ------
        ValueError
            If there is no snapshot, it does not hold all weights, or the model is another one.
        """
        snapshot = self._whole(step)
        source = unwrap(self._needed(model))
        copied = shadow(source).model
        state = copied.state_dict()
        wanted = {
            name: one.clone().to(state[name]) if name in state else one
            for name, one in snapshot.state.items()
        }
        _load(copied, wanted, assign=True)
        for name, parameter in copied.named_parameters():
            parameter.requires_grad_(source.get_parameter(name).requires_grad)
        return copied

    def restore(self, step: int, model: nn.Module, *optimizers: Optimizer) -> int:
        """Put a model, and its optimizers, back to where they were, to train on from there.

        Parameters
        ----------
        step
            The step; the snapshot nearest to it is taken.
        model
            Gets the weights and buffers.
        optimizers
            Get their state, in the order in which they were recorded.

        Returns
        -------
        int
            The step of the snapshot.

        Raises
        ------
        ValueError
            If there is no snapshot, or it does not hold what is asked for.
        """
        snapshot = self._whole(step)
        if len(optimizers) > len(snapshot.optimizers):
            raise ValueError(
                f"optimizers: the snapshot of step {snapshot.step} holds the state of "
                f"{len(snapshot.optimizers)}, not of {len(optimizers)}"
            )
        _load(unwrap(model), snapshot.state)
        for optimizer, state in zip(optimizers, snapshot.optimizers, strict=False):
            optimizer.load_state_dict(state)
        return snapshot.step

    def to_tensorboard(self, logdir: str | os.PathLike[str]) -> None:
        """Write curves, histograms and probe pictures as an event file for TensorBoard."""
        from cnnwidgets.training.tensorboard.writing import write  # noqa: PLC0415 - seldom needed

        write(self, logdir)

    def close(self) -> None:
        """Let go of what is open. What was recorded stays."""
        self._closed = True

    def _sync(self) -> None:
        """Take in what is new."""

    def _snapshot_steps(self) -> list[int]:
        return []

    def _snapshot(self, step: int) -> Snapshot:
        raise KeyError(step)

    def _outline(self, step: int) -> Snapshot:
        return self._snapshot(step)

    def _nearest(self, step: int, read: Callable[[int], Snapshot]) -> Snapshot:
        steps = self.snapshots
        if not steps:
            raise ValueError(f"step: run {self.name!r} has no snapshots of the weights")
        while steps:
            closest = min(steps, key=lambda taken: abs(taken - step))
            try:
                return read(closest)
            except KeyError:  # dropped meanwhile, or its file is gone
                steps.remove(closest)
        raise ValueError(f"step: none of the snapshots of run {self.name!r} can be read")

    def _whole(self, step: int) -> Snapshot:
        snapshot = self.snapshot(step)
        if snapshot.kind in {"filters", "maps"}:
            raise ValueError(
                f"step: the snapshots hold {snapshot.kind} alone, for lack of room: "
                "Recorder(model, snapshot_bytes=…) gives them more"
            )
        return snapshot

    def _needed(self, model: nn.Module | None) -> nn.Module:
        if model is None:
            model = self._model
        if model is None:
            raise ValueError(
                "model: the run was read from files, which hold weights but no code: give a model "
                "of the class that was trained, run.model_at(step, model)"
            )
        return model

    def _check_layer(self, layer: str) -> None:
        known = dict.fromkeys(name for name, _ in self._history.keys)
        if layer not in known:
            raise ValueError(f"layer: {layer!r} was not recorded; {nearest(layer, known)}")

    def _rows(self, layer: str, quantity: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
        self._sync()
        self._check_layer(layer)
        if (layer, quantity) not in self._history.keys:
            known = [of for name, of in self._history.keys if name == layer]
            raise ValueError(
                f"quantity: {quantity!r} was not recorded of {layer!r}; {nearest(quantity, known)}"
            )
        with self._history.lock:
            return self._history.tables.steps, self._history.rows((layer, quantity))


def _load(model: nn.Module, state: dict[str, Tensor], *, assign: bool = False) -> None:
    try:
        with torch.no_grad():
            model.load_state_dict(state, assign=assign)
    except RuntimeError as error:
        raise ValueError(f"model: it is not the one that was recorded. {error}") from error
