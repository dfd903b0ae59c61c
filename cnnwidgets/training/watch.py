"""One step of the optimizer after another: losses, gradients, what changed, what layers put out.

A step is over when every optimizer has stepped once, or when one begins to step again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnwidgets.training import losses
from cnnwidgets.training.bins import sample
from cnnwidgets.training.forwards import Forwards
from cnnwidgets.training.lineage import Ends, Lineage
from cnnwidgets.training.optimizers import Optimizers, learning_rates
from cnnwidgets.training.statistics import Measured, flat, number, row, together, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch.autograd.graph import Node
    from torch.optim import Optimizer

    from cnnwidgets.training.forwards import Guard
    from cnnwidgets.training.table import Key

_QUANTITIES = {"weight": "weights", "bias": "biases"}
CHANGES = 1 << 16
"""Values of a parameter of which is seen how much a step changed them, spread evenly."""
_MOST_LOSSES = 4096  # in one step; without an optimizer there is none
_GRADIENTS = {"weights": "gradients", "biases": "bias gradients"}


class Step(NamedTuple):
    """What was seen of one step.

    Attributes
    ----------
    scalars
        ``loss``, ``learning_rate``, ``gradient_norm``; tensors are still on their device.
    samples
        Pictures in the forward passes; 0 if none was seen.
    measured
        What was measured of the layers; None if the step is not recorded in full.
    """

    scalars: dict[str, Tensor | float]
    samples: int
    measured: Measured | None


class Watch:
    """Watches a model being trained, whatever the loop.

    Parameters
    ----------
    model
        Without wrappers.
    optimizers
        See `Optimizers`.
    find_loss
        Whether to take what ``backward`` is called on for the loss.
    on_step
        Called when a step is over.
    between
        Called when an optimizer has stepped; it may raise.
    guard
        Runs what a hook does, and keeps its errors from the user's loop.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Iterable[Optimizer] | None,
        *,
        find_loss: bool,
        on_step: Callable[[Step], None],
        between: Callable[[], None],
        guard: Guard,
    ) -> None:
        self._model = model
        self.optimizers = Optimizers(model, optimizers)
        self.forwards = Forwards(model, guard)
        self._find_loss, self._guard = find_loss, guard
        self._on_step, self._between = on_step, between
        self.thrifty = False
        """Whether to leave out what takes time, in steps that are not recorded in full."""
        self._armed = self._late = False
        self._lineage = Lineage(model)
        self._losses: list[tuple[Tensor | float, bool]] = []  # and if it is surely this model's
        self._norms: list[Tensor] = []
        self._stepped: list[Optimizer] = []
        self._ended = (0, 0)
        self._parameters: list[tuple[Key, nn.Parameter]] = []  # of the model, in a full step
        self._before: dict[Key, tuple[Tensor, Tensor]] = {}
        self._changes: dict[Key, Tensor] = {}
        self._measured = Measured({})

    def attach(self, root: nn.Module) -> None:
        """Begin to watch; `root` is the model or what it is wrapped in."""
        self.forwards.attach(root)
        self.optimizers.attach(self)
        if self._find_loss:
            losses.attach(self._hear)
        Measured({("", ""): torch.ones(1)}).table()  # the first time takes longer: not in the loop

    def detach(self) -> None:
        """Leave the model, its optimizers and torch as they were."""
        losses.detach(self._hear)
        self.optimizers.detach()
        self.forwards.detach()

    def arm(self) -> None:
        """Record the next step in full."""
        self._armed = True
        self.forwards.arm()

    def before(self, optimizer: Optimizer, *, closure: bool) -> None:
        """Take in gradients, if they are there already; in a full step remember the weights."""
        if self.thrifty and not self._armed and not self._stepped:
            self._late = closure
            return
        self._guard(lambda: self._begin(optimizer, closure=closure))

    def after(self, optimizer: Optimizer) -> None:
        """Take in what the step changed."""
        self._guard(lambda: self._take_changes(optimizer))
        self._between()

    def finish(self) -> None:
        """End a step that still waits for other optimizers."""
        if self._stepped:
            self._over()

    def _hear(self, loss: Tensor, graph: Node | None) -> None:
        self._guard(lambda: self._note_loss(loss, graph))

    def _note_loss(self, loss: Tensor, graph: Node | None) -> None:
        """Keep a loss that is, or may be, this model's: others are trained in the same process."""
        ends = self._lineage.ends(graph)
        if ends is Ends.OWN:
            if self._losses and self._lineage.fresh():
                del self._losses[self._ended[0] :]
        elif not self.forwards.passed_here:
            return
        self._losses.append((number(loss), ends is not Ends.OTHER))
        del self._losses[:-_MOST_LOSSES]

    def _begin(self, optimizer: Optimizer, *, closure: bool) -> None:
        if optimizer in self._stepped:
            self._over()
        self._late = closure
        if _skipped(optimizer):
            return
        if self._armed:
            self._parameters = parameters_of(self._model)
            own = self._of(optimizer)
            self._before = {key: (p, sample(row(p), CHANGES).clone()) for key, p in own.items()}
        if not closure:
            self._take_gradients(optimizer)

    def _take_gradients(self, optimizer: Optimizer) -> None:
        scale = getattr(optimizer, "grad_scale", None)
        if self._armed:
            measured = Measured(
                {
                    (layer, _GRADIENTS[of]): p.grad if scale is None else p.grad / scale
                    for (layer, of), p in self._of(optimizer).items()
                    if p.grad is not None
                }
            )
            self._measured.join(measured)
            self._norms += measured.norms()
        elif not self.thrifty:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            if gradients := [p.grad for p in parameters if p.grad is not None]:
                norms = _norms(gradients)
                self._norms += norms if scale is None else [norm / scale for norm in norms]

    def _of(self, optimizer: Optimizer) -> dict[Key, nn.Parameter]:
        """Return the model's parameters that an optimizer holds."""
        own = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return {key: p for key, p in self._parameters if id(p) in own}

    def _take_changes(self, optimizer: Optimizer) -> None:
        if _skipped(optimizer):
            return
        if self._late:
            self._take_gradients(optimizer)
        for key, (parameter, old) in self._before.items():
            new = row(parameter)
            norm = torch.linalg.vector_norm(flat(old.sub_(sample(new, CHANGES))))
            self._changes[key] = norm * math.sqrt(new.numel() / old.numel())
        self._before = {}
        self._stepped.append(optimizer)
        self._ended = len(self._losses), self.forwards.samples
        if len(self._stepped) >= len(self.optimizers.all()):
            self._over()

    def _over(self) -> None:
        """Tell what was seen, and begin the next step with what belongs to it."""
        heard, samples = self._ended
        scalars: dict[str, Tensor | float] = {}
        said = self._losses[:heard]
        if own := [loss for loss, sure in said if sure] or [loss for loss, _ in said]:
            scalars["loss"] = total(own)
        scalars |= learning_rates(self.optimizers.all())
        if self._norms:
            scalars["gradient_norm"] = number(torch.linalg.vector_norm(together(self._norms)))
        measured = self._complete() if self._armed else None
        after = self.forwards.samples - samples
        self._losses = self._losses[heard:]
        self._norms, self._stepped, self._ended = [], [], (0, 0)
        self._armed = False
        self.forwards.reset()
        self.forwards.samples = after
        self._on_step(Step(scalars, samples, measured))

    def _complete(self) -> Measured:
        measured, self._measured = self._measured, Measured({})
        measured.join(self.forwards.measured())
        measured.join(Measured(dict(self._parameters)))
        measured.put(self._changes, "update")
        measured.put(self.forwards.dead(), "dead")
        self._changes, self._parameters = {}, []
        return measured


def parameters_of(model: nn.Module) -> list[tuple[Key, nn.Parameter]]:
    """Return the parameters as ((layer, ``weights`` or ``biases``), parameter)."""
    found: list[tuple[Key, nn.Parameter]] = []
    for name, parameter in model.named_parameters():
        layer, _, own = name.rpartition(".")
        if not is_lazy(parameter) and parameter.numel():
            known = own in _QUANTITIES and layer
            found.append(((layer, _QUANTITIES[own]) if known else (name, "weights"), parameter))
    return found


def _skipped(optimizer: Optimizer) -> bool:
    """Whether a fused optimizer leaves the weights alone, for the scaled loss overflowed."""
    return bool(getattr(optimizer, "found_inf", None))


def _norms(values: Sequence[Tensor]) -> list[Tensor]:
    """Return the norm of each tensor, in single precision."""
    if any(one.is_sparse or one.is_complex() or one.dtype == torch.float64 for one in values):
        values = [flat(one) for one in values]
    return list(torch._foreach_norm(list(values), 2, dtype=torch.float32))  # noqa: SLF001
