"""The loss of an unmodified loop: whatever ``backward`` is called on.

While somebody listens, `torch.autograd.backward`, through which ``Tensor.backward`` goes as well,
is replaced by a function that tells the loss and then does the same; and
``torch.amp.GradScaler.scale``, so that the loss is known before it was scaled.
"""

from __future__ import annotations

import functools
import threading
import weakref
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor
from torch.amp import GradScaler

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.autograd.graph import Node

Listener: TypeAlias = "Callable[[Tensor, Node | None], None]"

_listeners: list[Listener] = []
_lock = threading.Lock()
_originals: dict[str, Callable[..., Any]] = {}
_scaled: tuple[weakref.ref[Tensor], Tensor] | None = None


def attach(listener: Listener) -> None:
    """Call `listener` with each loss, detached, and the graph behind it, from now on."""
    with _lock:
        if not _listeners:
            _originals["backward"] = torch.autograd.backward
            _originals["scale"] = GradScaler.scale
            torch.autograd.backward = _telling(torch.autograd.backward)
            GradScaler.scale = _remembering(GradScaler.scale)  # type: ignore[method-assign]
        _listeners.append(listener)


def detach(listener: Listener) -> None:
    """Do not call it any more; harmless if it was not attached."""
    global _scaled  # noqa: PLW0603 - what was replaced is of the process, too
    with _lock:
        if listener not in _listeners:
            return
        _listeners.remove(listener)
        if not _listeners:
            torch.autograd.backward = _originals["backward"]
            GradScaler.scale = _originals["scale"]  # type: ignore[method-assign]
            _scaled = None


def _telling(backward: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(backward)
    def told(tensors: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if isinstance(tensors, Tensor) and tensors.numel() == 1:
            loss = _before_scaling(tensors).detach()
            for listener in tuple(_listeners):
                listener(loss, tensors.grad_fn)
        backward(tensors, *args, **kwargs)

    return told


def _remembering(scale: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(scale)
    def remembered(self: GradScaler, outputs: Any) -> Any:  # noqa: ANN401
        global _scaled  # noqa: PLW0603
        result = scale(self, outputs)
        if isinstance(outputs, Tensor) and result is not outputs:
            _scaled = weakref.ref(result), outputs.detach()
        return result

    return remembered


def _before_scaling(loss: Tensor) -> Tensor:
    return _scaled[1] if _scaled is not None and _scaled[0]() is loss else loss
