"""Weights of the network at steps spread evenly over the run, within a budget of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn.modules.conv import _ConvTransposeNd
from torch.nn.parameter import is_lazy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn
    from torch.optim import Optimizer

    from cnnwidgets.training.probing import Probed

Kind = Literal["everything", "weights", "filters", "maps"]
"""What a snapshot holds: weights and optimizers, weights, the filters of convolutions alone, or
only what the network made of the probe pictures."""

BUDGET = 256 * 2**20
"""Bytes that all snapshots together may take."""
ENOUGH = 8
"""Snapshots that have to fit into the budget, or else they hold less."""
_FILTER_AXES = 4


@dataclass(frozen=True)
class Snapshot:
    """A network at one step, on the CPU.

    Attributes
    ----------
    step
        Steps of the optimizer before it; 0 is before training.
    kind
        What it holds.
    state
        The model's state dict, or as much of it as its kind has.
    optimizers
        State dicts of the optimizers, in the order in which they were given or first stepped.
    probed
        What the network made of the probe pictures; None without a probe.
    transposed
        Of each transposed convolution its groups, by name: the first axis of its weights is of
        input channels.
    """

    step: int
    kind: Kind
    state: dict[str, Tensor]
    optimizers: tuple[dict[str, Any], ...] = ()
    probed: Probed | None = None
    transposed: dict[str, int] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        maps = self.probed.nbytes if self.probed else 0
        held = [*self.state.values(), *_tensors(self.optimizers)]
        return maps + sum(tensor.nbytes for tensor in held)


class Shelf(Protocol):
    """Where snapshots are kept, by their steps."""

    def put(self, snapshot: Snapshot) -> None:
        """Keep one."""

    def get(self, step: int) -> Snapshot:
        """Return one; KeyError if it is not there."""

    def drop(self, step: int) -> None:
        """Keep it no longer."""


class Memory:
    """Keeps snapshots in memory."""

    def __init__(self) -> None:
        self._held: dict[int, Snapshot] = {}

    def put(self, snapshot: Snapshot) -> None:
        """Keep one."""
        self._held[snapshot.step] = snapshot

    def get(self, step: int) -> Snapshot:
        """Return one; KeyError if it is not there."""
        return self._held[step]

    def drop(self, step: int) -> None:
        """Keep it no longer."""
        self._held.pop(step, None)


class Either:
    """Keeps snapshots on one shelf, and still has those of another one."""

    def __init__(self, new: Shelf, old: Shelf) -> None:
        self._new, self._old = new, old

    def put(self, snapshot: Snapshot) -> None:
        """Keep one."""
        self._new.put(snapshot)

    def get(self, step: int) -> Snapshot:
        """Return one; KeyError if it is not there."""
        try:
            return self._new.get(step)
        except KeyError:
            return self._old.get(step)

    def drop(self, step: int) -> None:
        """Keep it no longer; what is on the old shelf stays there."""
        self._new.drop(step)


class Snapshots:
    """Takes snapshots; when there are too many, every second one goes.

    Parameters
    ----------
    limit
        Most snapshots that are kept, besides the one of the end.
    budget
        Most bytes that they take.
    half
        Weights in half precision, without the optimizers.
    shelf
        Where they are kept.
    """

    def __init__(self, limit: int, *, budget: int, half: bool, shelf: Shelf) -> None:
        self.steps: list[int] = []
        self.note: str | None = None
        """Why snapshots do not hold everything; None if they do."""
        self._limit, self._budget, self._half, self._shelf = limit, budget, half, shelf
        self._interval = 1
        self._largest = 1
        self._kind: Kind = "weights" if half else "everything"

    @property
    def kind(self) -> Kind | None:
        """What the last one holds; None if there is none."""
        return self._kind if self.steps else None

    def due(self, step: int) -> bool:
        """Whether one should be taken at a step that is recorded in full."""
        return self._limit > 0 and (not self.steps or step >= self.steps[-1] + self._interval)

    def take(
        self, step: int, model: nn.Module, optimizers: list[Optimizer], probed: Probed | None
    ) -> None:
        """Keep the model and the optimizers as they are now."""
        if any(is_lazy(tensor) for tensor in model.state_dict().values()):
            return
        snapshot = self._fitting(step, model, optimizers, probed)
        if (snapshot.kind == "maps" and probed is None) or 2 * snapshot.nbytes > self._budget:
            return
        self._shelf.put(snapshot)
        self.steps = sorted({*self.steps, step})
        self._largest = max(self._largest, snapshot.nbytes)  # maps may need more at one step
        most = max(2, min(self._limit, self._budget // self._largest))
        while len(self.steps) > most:
            self._thin()

    def get(self, step: int) -> Snapshot:
        """Return the snapshot nearest to a step."""
        if not self.steps:
            raise ValueError("there is no snapshot: Recorder(model, snapshots=64) takes some")
        return self._shelf.get(min(self.steps, key=lambda taken: abs(taken - step)))

    def to_memory(self) -> None:
        """Keep those to come in memory."""
        self._shelf = Either(Memory(), self._shelf)

    def _fitting(
        self, step: int, model: nn.Module, optimizers: list[Optimizer], probed: Probed | None
    ) -> Snapshot:
        """Take a snapshot that holds as much as the budget allows."""
        while True:
            kept = [one.state_dict() for one in optimizers if self._kind == "everything"]
            state = model.state_dict() if self._kind != "maps" else {}
            if self._kind == "filters":
                state = {name: one for name, one in state.items() if one.ndim == _FILTER_AXES}
            live = Snapshot(step, self._kind, state, tuple(kept), probed)
            factor = 0.5 if self._half else 1.0
            if self._kind == "maps" or factor * live.nbytes * ENOUGH <= self._budget:
                kept = [_copied(one) for one in kept]
                weights = {name: self._weight(one) for name, one in state.items()}
                groups = _transposed(model)
                return Snapshot(step, self._kind, weights, tuple(kept), probed, groups)
            self._less()

    def _weight(self, tensor: Tensor) -> Tensor:
        half = self._half and tensor.is_floating_point()
        return tensor.detach().to("cpu", torch.float16 if half else tensor.dtype, copy=True)

    def _less(self) -> None:
        less: dict[Kind, tuple[Kind, str]] = {
            "everything": ("weights", "the weights without the optimizers' states"),
            "weights": ("filters", "the filters of convolutions alone, not all weights"),
            "filters": ("maps", "what the network makes of the probe pictures, no weights"),
        }
        self._kind, what = less[self._kind]
        self.note = (
            f"snapshots hold {what}: {ENOUGH} of them would not fit into {self._budget:,} bytes; "
            "Recorder(…, snapshot_bytes=…) gives them more"
        )

    def _thin(self) -> None:
        for step in self.steps[1:-1:2]:
            self._shelf.drop(step)
        self.steps = [*self.steps[:-1:2], self.steps[-1]]
        self._interval *= 2


def _transposed(model: nn.Module) -> dict[str, int]:
    modules = model.named_modules()
    return {name: one.groups for name, one in modules if isinstance(one, _ConvTransposeNd)}


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _tensors(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _tensors(one)


def _copied(value: Any) -> Any:  # noqa: ANN401 - what optimizers keep
    """Copy a state dict with its tensors on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(one) for one in value)
    return value
