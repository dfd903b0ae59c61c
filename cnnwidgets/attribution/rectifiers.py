"""Other derivatives of ReLU, wherever a model calls it: as a module, a function, in place.

A `TorchFunctionMode` sees every call in its thread and nothing of other threads, so no
module is rewritten or hooked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

from cnnwidgets.kinds import kind_of
from cnnwidgets.tracing import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

_BOUNDS: dict[str, tuple[tuple[str, Any], tuple[str, Any]]] = {
    "hardtanh": (("min_val", -1.0), ("max_val", 1.0)),
    "clamp": (("min", None), ("max", None)),
    "clip": (("min", None), ("max", None)),
    "clamp_min": (("min", None), ("max", None)),
    "threshold": (("threshold", None), ("value", None)),
}
"""Functions that are a rectifier for some arguments, and what these are called."""

_SIGMOIDS = frozenset({"sigmoid", "hardsigmoid", "logsigmoid", "tanh", "softsign", "glu"})
"""Gates and squashers: rules for rectifiers were never meant for them."""


class Rectifiers(TorchFunctionMode):
    """While it is entered, rectifiers pass only positive gradients back.

    A rectifier is max(0, x) or min(max(0, x), top): ReLU, ReLU6, ``clamp(min=0)``.

    Parameters
    ----------
    masked
        Whether gradients also stop where the rectifier is flat, as they do in truth.

    Attributes
    ----------
    seen
        How many rectifiers were called.
    others
        Names of the other activation functions that were called, which keep their derivatives.
    """

    def __init__(self, *, masked: bool) -> None:
        super().__init__()
        self._masked = masked
        self.seen = 0
        self.others: dict[str, None] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        name = function_name(func)
        top = _top(name, args, kwargs)
        if top is None:
            if kind_of(None, func) == "activation" and name not in _SIGMOIDS:
                self.others[name] = None
            return func(*args, **kwargs)
        self.seen += 1
        if "input" in kwargs:
            args = (kwargs.pop("input"), *args)
        x, *rest = args
        mask = top if self._masked else None
        apply: Any = _Rectifier.apply  # not typed
        return apply(x, lambda values: func(values, *rest, **kwargs), mask)


class _Rectifier(torch.autograd.Function):
    """Runs a rectifier, in place or not, and gates what comes back."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's
        x: Tensor,
        rectify: Callable[[Tensor], Tensor],
        top: float | None,
    ) -> Tensor:
        y = rectify(x)
        if y is x:
            ctx.mark_dirty(x)
        if top is not None:
            ctx.save_for_backward((y > 0) & (y < top))
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        positive = gradient.clamp(min=0)
        for mask in ctx.saved_tensors:
            positive = positive * mask
        return positive, None, None


def _top(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
    """Return where a rectifier saturates; None if the call is no rectifier."""
    if name in {"relu", "relu6"}:
        return 6.0 if name == "relu6" else torch.inf
    if name not in _BOUNDS:
        return None
    given = dict(zip([bound for bound, _ in _BOUNDS[name]], args[1:], strict=False)) | kwargs
    low, high = (given.get(bound, usual) for bound, usual in _BOUNDS[name])
    if not isinstance(low, (int, float)) or low != 0:
        return None
    if name == "threshold":
        return torch.inf if high == 0 else None
    return torch.inf if high is None else _number(high)


def _number(high: Any) -> float | None:  # noqa: ANN401 - a bound may be a tensor
    return float(high) if isinstance(high, (int, float)) and high > 0 else None
