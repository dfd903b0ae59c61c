"""When the optimizers of a model step: torch's own hooks, which see each step exactly once.

They see it once however many backward passes there were before it, after clipping, with gradients
that are no longer scaled, and reduced over all processes. An optimizer that is pickled or copied
takes nothing of them along.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Protocol

from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn
    from torch.utils.hooks import RemovableHandle


_left: list[RemovableHandle] = []
"""Hooks of those that are gone: not taken off then, for that may be while torch calls them."""


class Stepped(Protocol):
    """What is told of each step of an optimizer."""

    def before(self, optimizer: Optimizer, *, closure: bool) -> None:
        """Be called before parameters change; with a closure, before gradients are computed."""

    def after(self, optimizer: Optimizer) -> None:
        """Be called when they have."""


class Optimizers:
    """Watches the optimizers that hold parameters of a model.

    Parameters
    ----------
    model
        The model.
    given
        The optimizers to watch; by default all that hold one of its parameters.
    """

    def __init__(self, model: nn.Module, given: Iterable[Optimizer] | None = None) -> None:
        self._model = model
        self._given = None if given is None else [weakref.ref(_unwrapped(one)) for one in given]
        self._known: dict[int, tuple[weakref.ref[Optimizer], int, bool]] = {}
        self._handles: list[RemovableHandle] = []

    def attach(self, listener: Stepped) -> None:
        """Tell `listener` of each step from now on, for as long as others hold it."""
        mine, told = weakref.ref(self), weakref.ref(listener)

        begun: set[int] = set()  # what stepped in between need not be asked again

        def before(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            own, one = mine(), told()
            begun.discard(id(optimizer))
            if own is not None and one is not None and own.holds(optimizer):
                begun.add(id(optimizer))
                given = [*args[1:], kwargs.get("closure")]  # the first one is the optimizer
                one.before(optimizer, closure=any(map(callable, given)))

        def after(optimizer: Optimizer, *_: Any) -> None:  # noqa: ANN401
            if id(optimizer) in begun and (one := told()) is not None:
                one.after(optimizer)

        while _left:
            _left.pop().remove()
        self._handles = [
            register_optimizer_step_pre_hook(before),
            register_optimizer_step_post_hook(after),
        ]
        weakref.finalize(self, _left.extend, self._handles).atexit = False

    def detach(self) -> None:
        """Tell nobody any more."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def all(self) -> list[Optimizer]:
        """Return those given, or those that have stepped."""
        if self._given is not None:
            return [one for one in (reference() for reference in self._given) if one is not None]
        known = [(reference(), holds) for reference, _, holds in self._known.values()]
        return [optimizer for optimizer, holds in known if holds and optimizer is not None]

    def holds(self, optimizer: Optimizer) -> bool:
        """Whether it is one of the given ones, or holds one of the model's parameters."""
        if self._given is not None:
            return any(reference() is optimizer for reference in self._given)
        groups = optimizer.param_groups
        count = len(groups[0]["params"]) if len(groups) == 1 else len(groups)
        known = self._known.get(id(optimizer))
        if known is not None and known[0]() is optimizer and known[1] == count:
            return known[2]
        own = {id(parameter) for parameter in self._model.parameters()}
        holds = any(id(p) in own for group in groups for p in group["params"])
        self._known[id(optimizer)] = weakref.ref(optimizer), count, holds
        return holds


def _unwrapped(optimizer: Optimizer) -> Optimizer:
    """Take off what accelerate and Lightning wrap optimizers in."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = inner
    return optimizer


def learning_rates(optimizers: Iterable[Optimizer]) -> dict[str, float]:
    """Return the rate of each parameter group, ``learning_rate``, ``learning_rate/1`` and so on."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    rates = [float(group["lr"]) for group in groups if "lr" in group]
    if len({*rates}) <= 1:
        rates = rates[:1]
    return {f"learning_rate/{i}" if i else "learning_rate": rate for i, rate in enumerate(rates)}
