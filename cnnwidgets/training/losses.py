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

_listeners: list[weakref.WeakMethod[Listener]] = []
_lock = threading.Lock()
_originals: dict[str, Callable[..., Any]] = {}
_scaled: tuple[weakref.ref[Tensor], Tensor] | None = None


def attach(listener: Listener) -> None:
    """Call `listener` with each loss, and the graph behind it, from now on.

    It is a method, of something that others hold: it is forgotten with it.
    """
    with _lock:
        if not _listeners:
            _originals["backward"] = torch.autograd.backward
            _originals["scale"] = GradScaler.scale
            torch.autograd.backward = _telling(torch.autograd.backward)
            GradScaler.scale = _remembering(GradScaler.scale)  # type: ignore[method-assign]
        _listeners.append(weakref.WeakMethod(listener))


def detach(listener: Listener) -> None:
    """Do not call it any more; harmless if it was not attached."""
    _keep(lambda one: one is not None and one != listener)


def _keep(wanted: Callable[[Listener | None], bool]) -> None:
    """Forget the other listeners, and what was replaced if none is left."""
    global _scaled  # noqa: PLW0603 - what was replaced is of the process, too
    with _lock:
        if not _listeners:
            return
        _listeners[:] = [one for one in _listeners if wanted(one())]
        if not _listeners:
            torch.autograd.backward = _originals["backward"]
            GradScaler.scale = _originals["scale"]  # type: ignore[method-assign]
            _scaled = None


def _telling(backward: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(backward)
    def told(tensors: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        if isinstance(tensors, Tensor) and tensors.numel() == 1:
            loss = _before_scaling(tensors)
            listeners = [reference() for reference in _listeners]
            for listener in listeners:
                if listener is not None:
                    listener(loss, tensors.grad_fn)
            if None in listeners:
                _keep(lambda one: one is not None)
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
