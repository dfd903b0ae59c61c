"""Whose turn it is in a forward pass: the n-th call of a module, or of a torch function."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnwidgets.shadow import tensors
from cnnwidgets.tracing import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import TypeAlias

    from cnnwidgets.shadow import Shadow
    from cnnwidgets.tracing import Call

    Turn: TypeAlias = tuple[nn.Module | str, int]
    """A module of the copy or the name of a function, and which of its calls, from 1 on."""


class Enough(BaseException):
    """Ends a pass that has shown all it was run for; no `Exception`, which a model may catch."""


class Turns:
    """Counts calls while it is entered.

    Parameters
    ----------
    shadow
        The model.
    wanted
        Whose calls to count; None for all.
    arrive
        Called with each turn and the first tensor it returned. What it raises ends the pass.
    """

    def __init__(
        self,
        shadow: Shadow,
        wanted: Collection[Turn] | None = None,
        arrive: Callable[[Turn, Tensor], None] | None = None,
    ) -> None:
        keys = {key for key, _ in wanted} if wanted is not None else set(shadow.names)
        self._modules = [key for key in keys if isinstance(key, nn.Module)]
        functions = {key for key in keys if isinstance(key, str)} if wanted is not None else None
        self._mode = None if functions == set() else _Functions(functions, self._count)
        self._arrive = arrive
        self._times: Counter[nn.Module | str] = Counter()
        self._open = ExitStack()

    def __enter__(self) -> None:
        for module in self._modules:
            hook = module.register_forward_hook(self._after_module)
            self._open.callback(hook.remove)
        if self._mode is not None:
            self._open.enter_context(self._mode)

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def last(self, call: Call) -> Turn:
        """Return the turn of a layer that has just been called."""
        key = call.module if call.function is None else function_name(call.function)
        return key or "", self._times[key or ""]

    def _after_module(self, module: nn.Module, _args: object, result: object) -> None:
        self._count(module, result)

    def _count(self, key: nn.Module | str, result: object) -> None:
        self._times[key] += 1
        if self._arrive is not None and (first := next(tensors(result), None)) is not None:
            self._arrive((key, self._times[key]), first)


class _Functions(TorchFunctionMode):
    """Reports the calls of torch functions by name; None for all."""

    def __init__(
        self, names: Iterable[str] | None, report: Callable[[nn.Module | str, object], None]
    ) -> None:
        super().__init__()
        self._names = names
        self._report = report

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        name = function_name(func)
        if self._names is None or name in self._names:
            self._report(name, args[0] if func is Tensor.__setitem__ else result)
        return result
