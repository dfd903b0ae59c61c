"""What layers put out in the user's own forward passes, and which of their units are dead.

Only while a step is recorded in full are there hooks on the layers. They copy the outputs of the
first 16 pictures, for a later layer may overwrite them; all are measured together once the step is
over, when the code that does it is not thrown out of the cache by each layer anew.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules import activation, batchnorm, conv, instancenorm

from cnnwidgets.shadow import tensors
from cnnwidgets.training.hooks import Hook
from cnnwidgets.training.statistics import Measured

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from torch.autograd.graph import Node
    from torch.utils.hooks import RemovableHandle

    from cnnwidgets.training.table import Key

    Guard: TypeAlias = Callable[[Callable[[], None]], None]

SAMPLES, VALUES = 16, 1 << 16
"""Pictures of each batch whose outputs are measured, and of how many numbers, a quarter megabyte,
they may be: of large layers fewer pictures, at least one."""
MANY = 8
"""Recorded batches after which a unit that was never positive is called dead."""

_LAST_AXIS = (nn.Linear, nn.LayerNorm)
_WEIGHTED = (
    *_LAST_AXIS,
    nn.GroupNorm,
    conv._ConvNd,  # noqa: SLF001 - torch's own name for all convolutions
    batchnorm._NormBase,  # noqa: SLF001
    instancenorm._InstanceNorm,  # noqa: SLF001
)
_ACTIVATIONS: tuple[type[nn.Module], ...] = tuple(
    getattr(activation, name) for name in activation.__all__
)
_WATCHED: tuple[type[nn.Module], ...] = (*_WEIGHTED, *_ACTIVATIONS)
_RECTIFIERS = ("Relu", "Hardtanh", "Threshold", "ClampMin")  # beginnings of names in autograd
_LOOKS = 3  # recorded steps in which the autograd graph is looked at for rectifiers
_FARTHEST = 256  # nodes between one layer and the next


class Forwards:
    """Watches the forward passes of a model that have gradients; validation has none.

    Parameters
    ----------
    model
        Without wrappers.
    guard
        Runs what a hook does, and keeps its errors from the user's loop.

    Attributes
    ----------
    samples
        Pictures in the passes since `reset`.
    """

    def __init__(self, model: nn.Module, guard: Guard) -> None:
        self._model, self._guard = model, guard
        self._root: RemovableHandle | None = None
        self._hooks: list[RemovableHandle] = []
        self._kept: dict[str, Tensor] = {}
        self._nodes: dict[Node, str] = {}
        self._rectified: dict[str, _Peak] = {}
        self._looks = 0
        self._passed: set[int] = set()  # threads
        self.samples = 0

    def attach(self, root: nn.Module) -> None:
        """Count the passes of `root`, which is the model or what it is wrapped in."""
        hook = Hook(root, lambda args, kwargs: self._guard(partial(self._count, args, kwargs)))
        self._root = root.register_forward_pre_hook(hook, with_kwargs=True)

    def arm(self) -> None:
        """Measure what the layers put out in the next pass."""
        for name, module in self._model.named_modules():
            if isinstance(module, _WATCHED):
                self._hooks.append(module.register_forward_hook(self._hook(name, module)))

    def reset(self) -> None:
        """Forget what was measured, and take the hooks off the layers."""
        self._passed.clear()
        self.samples = 0
        if not self._hooks:
            return
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._kept.clear()
        self._looks += bool(self._nodes)
        self._nodes.clear()

    def detach(self) -> None:
        """Take all hooks off the model."""
        self.reset()
        if self._root is not None:
            self._root.remove()

    @property
    def passed_here(self) -> bool:
        """Whether there was a pass in this thread since `reset`."""
        return threading.get_ident() in self._passed

    def measured(self) -> Measured:
        """Return the statistics of what the layers put out, for up to 16 pictures."""
        return Measured({(name, "activations"): values for name, values in self._kept.items()})

    def dead(self) -> dict[Key, Tensor]:
        """Return the share of dead units of the layers that a ReLU follows.

        A layer is there from the eighth recorded batch on.
        """
        found: dict[Key, Tensor] = {}
        for name, peak in self._rectified.items():
            if name in self._kept:
                peak.add(_highest(self._kept[name], self._model.get_submodule(name)))
                if peak.batches >= MANY:
                    found[name, "activations"] = peak.dead()
        return found

    def _hook(self, name: str, module: nn.Module) -> Hook:
        return Hook(module, lambda _, output: self._guard(partial(self._measure, name, output)))

    def _count(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if torch.is_grad_enabled():
            first = args[0] if args and isinstance(args[0], Tensor) else [args, kwargs]
            given = next(tensors(first), None)
            self._passed.add(threading.get_ident())
            self.samples += given.shape[0] if given is not None and given.ndim else 0

    def _measure(self, name: str, output: object) -> None:
        if name in self._kept or not torch.is_grad_enabled():
            return
        first = next(tensors(output), None)
        if first is None or not first.is_floating_point():
            return
        self._kept[name] = _first(first.detach()).clone()
        if self._looks < _LOOKS and first.grad_fn is not None:
            self._look(first.grad_fn)
            if not isinstance(self._model.get_submodule(name), _ACTIVATIONS):
                self._nodes[first.grad_fn] = name

    def _look(self, node: Node) -> None:
        """Find rectifiers between here and the layers before, modules or functions."""
        waiting: list[Node | None] = [node]
        for _ in range(_FARTHEST):
            if not waiting:
                break
            one = waiting.pop()
            if one is None or one in self._nodes:
                continue
            before = [following for following, _ in one.next_functions]
            if one.name().startswith(_RECTIFIERS):
                for name in (self._nodes[node] for node in before if node in self._nodes):
                    self._rectified.setdefault(name, _Peak())
            waiting += before


def _first(output: Tensor) -> Tensor:
    """Return the part of an output that is measured."""
    pictures = output.shape[0] if output.ndim else 0
    if not pictures:
        return output
    fitting = VALUES * pictures // max(1, output.numel())
    return output.narrow(0, 0, min(pictures, max(1, min(SAMPLES, fitting))))


def _highest(output: Tensor, module: nn.Module) -> Tensor:
    """Return the largest output of each unit, [units]."""
    axis = output.ndim - 1 if isinstance(module, _LAST_AXIS) or output.ndim == 1 else 1
    others = [i for i in range(output.ndim) if i != axis]
    return output.amax(others) if others else output


class _Peak:
    """The largest output of each unit over the last 8 to 16 recorded batches."""

    def __init__(self) -> None:
        self.batches = 0
        self._now: Tensor | None = None
        self._before: Tensor | None = None

    def add(self, highest: Tensor) -> None:
        if self._now is not None and (
            self._now.shape != highest.shape or self._now.device != highest.device
        ):
            self._now, self._before, self.batches = None, None, 0  # the layer was replaced
        if self.batches and self.batches % MANY == 0:
            self._before, self._now = self._now, None
        self._now = highest if self._now is None else torch.maximum(self._now, highest)
        self.batches += 1

    def dead(self) -> Tensor:
        if self._now is None:
            raise RuntimeError("no batch was seen")
        peak = self._now if self._before is None else torch.maximum(self._now, self._before)
        return (peak <= 0).float().mean()
