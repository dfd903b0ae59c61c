"""Hooks on modules that no copy and no pickle of the model takes along."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn


class Hook:
    """A hook for one module, not for its copies, and not for what `torch.compile` makes of it.

    Parameters
    ----------
    module
        The module that it will be on.
    call
        Called as a hook, without the module; it returns nothing.
    """

    def __init__(self, module: nn.Module, call: Callable[..., None]) -> None:
        self._module = weakref.ref(module)
        self._call = call

    def __call__(self, module: nn.Module, *args: Any) -> None:  # noqa: ANN401
        """Be a forward hook or pre-hook."""
        if not torch.compiler.is_compiling() and self._module() is module:
            self._call(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is a function of any arguments that does nothing and is known to every Python.
        return getattr, (nullcontext(), "__exit__")
