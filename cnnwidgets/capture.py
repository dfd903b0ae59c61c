"""Activations and gradients of chosen layers in one pass, leaving no trace in the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch.autograd.graph import get_gradient_edge

from cnnwidgets.classes import first_output, scores
from cnnwidgets.errors import NoGradientError, naming_shape
from cnnwidgets.isolation import isolated
from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import Call, Failure, trace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor
    from torch.autograd.graph import GradientEdge

    from cnnwidgets.network import Network

Step: TypeAlias = Callable[[int, int], None]
"""Called with (layers done, all layers) as a pass goes on; what it raises ends the pass."""


@dataclass(frozen=True)
class Capture:
    """What one pass showed.

    Attributes
    ----------
    activations
        Layer name to its output, with the batch axis; the value before any later
        layer overwrote it in place.
    gradients
        Layer name to ∂score/∂activation, of the activation's shape; empty if not asked for.
    output
        What the model returned, without gradients; None if it failed.
    failure
        Where and why the pass ended early; None if it did not.
    missing
        Layer name to why it has no gradient, where gradients were asked for.
    """

    activations: dict[str, Tensor]
    gradients: dict[str, Tensor]
    output: Any
    failure: Failure | None = None
    missing: dict[str, str] = field(default_factory=dict)


def capture(
    net: Network,
    x: Tensor,
    layers: Iterable[str] | None = None,
    *,
    gradients: bool = False,
    target: int | str | None = None,
    score: Callable[[Any], Tensor] | None = None,
    partial: bool = False,
    step: Step | None = None,
) -> Capture:
    """Run one pass and keep what the layers put out.

    Parameters
    ----------
    net
        The network.
    x
        A batch [N, C, H, W] on the network's device and of its dtype. Not changed.
    layers
        Names of the layers to keep; None for all.
    gradients
        Whether to keep ∂score/∂activation as well. The score is the target's logit (its
        mean over the positions of a dense output), summed over the batch.
    target
        Class index or name; the predicted class by default.
    score
        What to differentiate instead of a logit: a function of the model's output.
    partial
        Return what was reached if the forward fails, instead of raising its error.
    step
        Called after each layer, forward and, with gradients, backward. What it raises ends the
        pass; it should be no `Exception`, which a model may catch.

    Returns
    -------
    Capture
        With all layers asked for, those that the score does not depend on have no gradient.

    Raises
    ------
    ValueError
        If a layer or target does not exist.
    NoGradientError
        If a layer asked for by name has no gradient.
    ValueError
        If the forward fails with a picture of another shape than the network's input.
    Exception
        Whatever else the forward raised, unless `partial`.
    """
    recorder = _Recorder(net, layers, gradients=gradients)
    steps = None if step is None else _Steps(step, len(net.graph) * (2 if gradients else 1))

    def on_call(call: Call) -> None:
        recorder.keep(call)
        if steps is not None:
            steps.follow(call)

    with torch.inference_mode(mode=False), torch.set_grad_enabled(gradients):
        batch = x.detach().clone()
        if gradients:  # a layer may overwrite its input, but not a leaf of the graph
            batch = batch.requires_grad_().clone()
    output, failure = trace(shadow(net.model), batch, on_call, grad=gradients)
    if failure is not None:
        if not partial:
            with naming_shape(net, x):
                raise failure.error
        reason = "the forward pass failed with this picture"
        missing = dict.fromkeys(recorder.activations, reason) if gradients else {}
        return Capture(recorder.activations, {}, None, failure, missing)
    if not gradients:
        return Capture(recorder.activations, {}, output)
    with isolated(x.device, grad=True):
        value = score(output) if score else _score(net, output, target)
        found = recorder.gradients(value.sum())
    missing = {name: recorder.cut_after(name) for name in recorder.activations if name not in found}
    if layers is not None:
        for name, reason in missing.items():
            raise NoGradientError(f"layer {name!r} has no gradient: {reason}")
    return Capture(recorder.activations, found, first_output(output).detach(), missing=missing)


def _score(net: Network, output: Any, target: int | str | None) -> Tensor:  # noqa: ANN401
    logits = scores(output)
    if target is None:
        index = int(logits[0].argmax())
    else:
        index = net.classes.index(target, logits.shape[1])
    return logits[:, index]


class _Recorder:
    """Keeps the outputs of the wanted layers, where in the autograd graph they were, or why not."""

    def __init__(self, net: Network, layers: Iterable[str] | None, *, gradients: bool) -> None:
        self._graph = graph = net.graph
        names = [layers] if isinstance(layers, str) else layers
        self._wanted = {layer.name: layer for layer in graph.choose(names)}
        self._gradients = gradients
        self._edges: dict[str, GradientEdge] = {}
        self._without_grad: set[str] = set()
        self.activations: dict[str, Tensor] = {}

    def keep(self, call: Call) -> None:
        if self._gradients and not torch.is_grad_enabled():
            self._without_grad.add(call.name)
        layer = self._wanted.get(call.name)
        if layer is None:
            return
        output = call.output
        value = output.detach()
        self.activations[call.name] = value.clone() if layer.overwritten else value
        if self._gradients and output.is_floating_point():
            if not output.requires_grad and not layer.overwritten:
                output.requires_grad_()  # the model computed it under no_grad: start from here
            if output.requires_grad:
                self._edges[call.name] = get_gradient_edge(output)

    def gradients(self, score: Tensor) -> dict[str, Tensor]:
        """Differentiate the score by what was kept; nothing lands in ``.grad``."""
        if not score.requires_grad or not self._edges:
            return {}
        found = torch.autograd.grad(score, list(self._edges.values()), allow_unused=True)
        pairs = zip(self._edges, found, strict=True)
        return {name: gradient for name, gradient in pairs if gradient is not None}

    def cut_after(self, name: str) -> str:
        """Say why no gradient comes back to a layer, as far as that is known."""
        reached = {name}
        for layer in self._graph:
            if not reached.isdisjoint(layer.inputs):
                if layer.name in self._without_grad:
                    return (
                        f"the forward computes {layer.name!r}, which follows, with gradients off "
                        "(torch.no_grad or torch.inference_mode)"
                    )
                reached.add(layer.name)
        return (
            "the score does not depend on it, or only through something that cannot be "
            "differentiated"
        )


class _Steps:
    """Counts the layers that a pass has gone through.

    The autograd graph holds it: it must not hold the graph, which Python could not free then.
    """

    def __init__(self, step: Step, total: int) -> None:
        self._step, self._total, self._done = step, total, 0

    def follow(self, call: Call) -> None:
        """Count a layer, and count it again when the backward pass comes to it."""
        self._count()
        if call.output.grad_fn is not None:
            call.output.grad_fn.register_prehook(self._count)

    def _count(self, _gradients: object = None) -> None:
        self._done += 1
        self._step(min(self._done, self._total), self._total)
