"""Every rectifier of a model as one module, however it is called: as a function, in place, again.

Captum gates ``nn.ReLU`` modules by hooks. A `TorchFunctionMode` sees every call in its thread and
nothing of other threads, so it is a module of ours that is hooked and never one of the model's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
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
    """While it is entered, every rectifier is a call of one ``nn.ReLU`` module, for Captum to hook.

    A rectifier is max(0, x) or min(max(0, x), top): ReLU, ReLU6, ``clamp(min=0)``.

    Attributes
    ----------
    seen
        Whether a rectifier was called.
    others
        Names of the other activation functions that were called, which keep their derivatives.
    """

    def __init__(self) -> None:
        super().__init__()
        self._relu = _AnyRectifier()
        self.seen = False
        self.others: dict[str, None] = {}

    def network(self, forward: Callable[[Tensor], Tensor]) -> nn.Module:
        """Return a module that does as `forward` does, and has no other ReLU."""
        return _Network(forward, self._relu)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        name = function_name(func)
        if not _rectifies(name, args, kwargs):
            if kind_of(None, func) == "activation" and name not in _SIGMOIDS:
                self.others[name] = None
            return func(*args, **kwargs)
        self.seen = True
        if "input" in kwargs:
            args = (kwargs.pop("input"), *args)
        x, *rest = args
        if not (x.requires_grad and torch.is_grad_enabled()):  # nothing to gate, nothing to hook
            return func(x, *rest, **kwargs)
        # A view, whose gradient is that of this call, whatever else is done with x.
        y = self._relu(x.view_as(x), rectify=lambda values: func(values, *rest, **kwargs))
        return x.copy_(y) if self._relu.in_place else y


class _AnyRectifier(nn.ReLU):
    """Whichever rectifier the network calls, on a copy that Captum's hook makes.

    One module serves all calls: autograd goes through what a call made in one go, the latest
    first, so Captum's hooks of two calls never mix.
    """

    in_place = False

    def forward(self, x: Tensor, rectify: Callable[[Tensor], Tensor]) -> Tensor:  # type: ignore[override]
        y = rectify(x)
        self.in_place = y is x
        return y


class _Network(nn.Module):
    """A function as a module; Captum finds no module behind it but `relu`."""

    def __init__(self, function: Callable[[Tensor], Tensor], relu: nn.ReLU) -> None:
        super().__init__()
        self._function = function
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        return self._function(x)


def _rectifies(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether a call is one of a rectifier."""
    if name not in _BOUNDS:
        return name in {"relu", "relu6"}
    given = dict(zip([bound for bound, _ in _BOUNDS[name]], args[1:], strict=False)) | kwargs
    low, high = (given.get(bound, usual) for bound, usual in _BOUNDS[name])
    if not isinstance(low, (int, float)) or low != 0:  # a bound may be a tensor
        return False
    if name == "threshold":
        return bool(high == 0)
    return high is None or (isinstance(high, (int, float)) and high > 0)
