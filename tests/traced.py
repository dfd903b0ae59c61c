"""Any function as a model, and its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import Call, Trace, trace
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


class Apply(nn.Module):
    """A function, and modules for it, as a module."""

    def __init__(self, function: Callable[..., Any], **modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def traced(model: nn.Module, x: Tensor, **options: bool) -> tuple[dict[str, Call], Trace]:
    calls: dict[str, Call] = {}

    def add(call: Call) -> None:
        assert call.name not in calls
        calls[call.name] = call

    with assert_untouched(model, also=(x,)):
        ended = trace(shadow(model), x, add, **options)
    return calls, ended
