"""One forward pass seen call by call: modules by hooks, functions by a `TorchFunctionMode`.

Names are the same in every pass over the same model: a module's path, or the path
of the module that calls a function and the function's name (``layer1.0.add``), with
``#2``, ``#3`` … from the second time on.
"""

from __future__ import annotations

import functools
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnwidgets.isolation import PrivateDice, isolated, out_of_inference_mode
from cnnwidgets.provenance import Source, Sources, writes
from cnnwidgets.shadow import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cnnwidgets.shadow import Shadow

_COMPOSITE = (
    nn.Sequential,
    nn.ModuleList,
    nn.ModuleDict,
    nn.ParameterList,
    nn.ParameterDict,
    nn.Transformer,
    nn.TransformerEncoder,
    nn.TransformerEncoderLayer,
    nn.TransformerDecoder,
    nn.TransformerDecoderLayer,
)
_SAME_VALUES = frozenset(
    str.split(
        "contiguous to detach detach_ clone data float half double bfloat16 type type_as cpu cuda "
        "requires_grad requires_grad_ alias positive"
    )
)
_SHAPE_ONLY = frozenset(
    str.split(
        "zeros_like ones_like empty_like full_like rand_like randn_like randint_like "
        "new_zeros new_ones new_empty new_full new_tensor grad"
    )
)
_OPERATORS = frozenset(
    str.split("add sub mul div truediv floordiv mod pow matmul and or xor lshift rshift")
)


@dataclass(frozen=True)
class Call:
    """One layer's turn in a forward pass.

    Attributes
    ----------
    name
        The layer's name.
    module
        The module called (the shadow's), or None for a function.
    function
        The function called, or None for a module.
    owner
        The module in whose forward the function was called, or `module`.
    args, kwargs
        What it was called with.
    inputs
        Names of the layers (or ``"input"``) its tensors came from, one for each of …
    input_shapes
        … these, with the batch axis.
    output
        The first tensor it returned.
    parameters
        The parameters it used, each once.
    """

    name: str
    module: nn.Module | None
    function: Callable[..., Any] | None
    owner: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[str, ...]
    input_shapes: tuple[torch.Size, ...]
    output: Tensor
    parameters: tuple[nn.Parameter, ...]


@dataclass(frozen=True)
class Failure:
    """Where a forward pass ended early, and why; the fields are as in `Call`."""

    name: str
    module: nn.Module | None
    function: Callable[..., Any] | None
    owner: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[str, ...]
    error: Exception


class Trace(NamedTuple):
    """How a forward pass ended: what the model returned, or its failure."""

    output: Any
    failure: Failure | None


def trace(
    shadow: Shadow, x: Tensor, on_call: Callable[[Call], None], *, grad: bool = False
) -> Trace:
    """Run one forward pass and report every layer in execution order.

    A layer is a call of a torch.nn module, or of any other function that makes a tensor
    out of one that depends on the input. What only reads metadata or passes the
    values on (``.shape``, ``.contiguous()``, ``.detach()``) is none.

    Parameters
    ----------
    shadow
        The model, from `cnnwidgets.shadow.shadow`.
    x
        The batch [N, C, H, W], on the model's device and of its dtype.
    on_call
        Called after each layer, in its grad mode, before anything can overwrite its output.
    grad
        Whether autograd records the pass.

    Returns
    -------
    Trace
        An exception raised in the model is returned as its `failure`; one raised by
        `on_call` is raised.
    """
    if x.is_inference():  # it does not count its versions
        with torch.inference_mode(mode=False):
            x = x.clone()
    tracer = _Tracer(shadow, x, on_call)
    handles = [handle for module in _visible(shadow) for handle in tracer.hook(module)]
    try:
        with isolated(x.device, grad=grad), tracer:
            return Trace(shadow.model(x), None)
    except Exception as error:
        if tracer.refused:
            raise
        return Trace(None, tracer.failure_of(error))
    finally:
        for handle in handles:
            handle.remove()


def is_leaf(module: nn.Module) -> bool:
    """Whether a module is one layer: its forward is torch.nn's own, and it is no container."""
    owner = next(kind for kind in type(module).__mro__ if "forward" in vars(kind))
    return (
        owner.__module__.startswith(("torch.nn.modules.", "torch.ao.nn."))
        and owner is not nn.Module
        and owner not in _COMPOSITE
    )


def _visible(shadow: Shadow) -> list[nn.Module]:
    """List the modules down to the leaves, not what is inside a leaf."""
    inside = {
        part
        for leaf in filter(is_leaf, shadow.names)
        for child in leaf.children()
        for part in child.modules()
    }
    return [module for module in shadow.names if module not in inside]


@functools.lru_cache(maxsize=4096)
def function_name(function: Callable[..., Any]) -> str:
    """Name a torch function as in the documentation: ``x + y``, ``x.add_(y)`` are ``add``."""
    name = str(getattr(function, "__name__", type(function).__name__))
    if name == "__get__":  # a property of Tensor
        name = str(getattr(getattr(function, "__self__", None), "__name__", name))
    name = name.partition(".")[0].strip("_")  # of torch.ops.aten.conv2d.default
    if name[1:] in _OPERATORS and name[0] in "ri":
        name = name[1:]
    return {"truediv": "div"}.get(name, name)


class _Event(NamedTuple):
    """A call of a module or function: what came in, and how often it had been written to."""

    module: nn.Module | None
    function: Callable[..., Any] | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    arrived: list[Tensor]
    versions: list[int]

    @classmethod
    def of(
        cls,
        called: nn.Module | Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> _Event:
        arrived = list(tensors((args, kwargs)))
        versions = [writes(tensor) for tensor in arrived]
        if isinstance(called, nn.Module):
            return cls(called, None, args, kwargs, arrived, versions)
        return cls(None, called, args, kwargs, arrived, versions)

    def written(self) -> list[Tensor]:
        """List what has been written to since."""
        return [t for t, n in zip(self.arrived, self.versions, strict=True) if writes(t) != n]


class _Tracer(TorchFunctionMode):
    """Turns what happens in one pass over a shadow into `Call`s."""

    def __init__(self, shadow: Shadow, x: Tensor, on_call: Callable[[Call], None]) -> None:
        super().__init__()
        self._shadow = shadow
        self._on_call = on_call
        self._times: Counter[str] = Counter()
        self._sources = Sources()
        self._sources.set(shadow.model.buffers(), Source(()))
        self._sources.set([x], Source(("input",)))
        self._within: list[nn.Module] = []
        self._leaf: _Event | None = None
        self._dice = PrivateDice(x.device)
        self._failure: Failure | None = None
        self._raised_before = sys.exc_info()[1]
        self.refused = False

    def hook(self, module: nn.Module) -> Iterator[torch.utils.hooks.RemovableHandle]:
        """Watch one module; its own hooks run between ours."""
        leaf = is_leaf(module)
        enter, leave = (self._enter_leaf, self._leave_leaf) if leaf else (self._enter, self._leave)
        yield module.register_forward_pre_hook(enter, prepend=True, with_kwargs=True)
        yield module.register_forward_hook(leave, with_kwargs=True, always_call=True)

    def failure_of(self, error: Exception) -> Failure:
        """Say where an exception that ended the pass was raised."""
        if self._failure is None or self._failure.error is not error:
            self._failed(error, _Event.of(self._shadow.model, (), {}))
        return cast("Failure", self._failure)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        if self._leaf or not self._within:
            return self._run(func, args, kwargs)
        event = _Event.of(func, args, kwargs)
        try:
            result = self._run(func, args, kwargs)
        except Exception as error:
            self._failed(error, event)
            raise
        if returned := [args[0]] if func is Tensor.__setitem__ else list(tensors(result)):
            self._function(event, returned)
        return result

    def _run(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
        """Call a function so that what it makes counts how often it is written to."""
        if not torch.is_inference_mode_enabled() or any(
            tensor.is_inference() for tensor in tensors((args, kwargs))
        ):
            return self._dice.roll(func, args, kwargs)
        with out_of_inference_mode():
            return self._dice.roll(func, args, kwargs)

    def _enter(self, module: nn.Module, *_: object) -> None:
        self._within.append(module)

    def _leave(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: object
    ) -> None:
        returned = list(tensors(result))
        if error := self._raising(result):
            self._failed(error, _Event.of(module, args, kwargs))
        elif returned and all(self._sources.get(tensor) is None for tensor in returned):
            # Made by code that torch does not see (NumPy, say): the module is one opaque layer.
            self._layer(_Event.of(module, args, kwargs), returned)
        if self._within and self._within[-1] is module:
            self._within.pop()

    def _enter_leaf(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._leaf = _Event.of(module, args, kwargs)  # until it leaves, nothing else is a layer

    def _leave_leaf(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: object
    ) -> None:
        event = self._leaf or _Event.of(module, args, kwargs)
        if error := self._raising(result):
            self._failed(error, event)
        elif returned := list(tensors(result)):
            self._layer(event, returned)
        self._leaf = None

    def _raising(self, result: object) -> Exception | None:
        """Return the exception a module is being left by, if it is."""
        error = sys.exc_info()[1]
        raising = result is None and error is not self._raised_before
        return error if raising and isinstance(error, Exception) else None

    def _failed(self, error: Exception, event: _Event) -> None:
        if self._failure is None or self._failure.error is not error:  # the innermost tells most
            inputs = dict.fromkeys(name for name, _ in self._inputs(event))
            owner = event.module or self._within[-1]
            name = self._name(event)
            called = event.module, event.function, owner, event.args, event.kwargs
            self._failure = Failure(name, *called, tuple(inputs), error)

    def _function(self, event: _Event, returned: list[Tensor]) -> None:
        name = function_name(cast("Callable[..., Any]", event.function))
        arrived = set(map(id, event.arrived))
        untouched = not event.written() and all(id(tensor) in arrived for tensor in returned)
        if name in _SHAPE_ONLY:
            self._sources.set(returned, Source(()))
        elif name in _SAME_VALUES or (untouched and "dropout" not in name):
            source = next(filter(None, map(self._sources.get, event.arrived)), Source(()))
            self._sources.set([t for t in returned if id(t) not in arrived], source)
        else:
            self._layer(event, returned)

    def _layer(self, event: _Event, returned: list[Tensor]) -> None:
        """Report a layer, or note a constant if nothing of it came from the input."""
        inputs = self._inputs(event)
        parameters = self._parameters(event, returned)
        if not inputs:
            if all(map(self._sources.get, event.arrived)):
                self._sources.set(returned, Source((), parameters))
            return
        name = self._name(event)
        self._sources.set(returned, Source((name,)))
        for tensor in event.written():
            self._sources.add_to_aliases(tensor, name, but=returned)
        call = Call(
            name,
            event.module,
            event.function,
            event.module or self._within[-1],
            event.args,
            event.kwargs,
            tuple(layer for layer, _ in inputs),
            tuple(shape for _, shape in inputs),
            returned[0],
            parameters,
        )
        self.refused = True
        with out_of_inference_mode():
            self._on_call(call)
        self.refused = False

    def _inputs(self, event: _Event) -> list[tuple[str, torch.Size]]:
        sources = ((tensor, self._sources.get(tensor)) for tensor in event.arrived)
        return [(layer, t.shape) for t, source in sources if source for layer in source.layers]

    def _parameters(self, event: _Event, returned: list[Tensor]) -> tuple[nn.Parameter, ...]:
        sources = map(self._sources.get, (*event.arrived, *returned))
        used = [parameter for source in sources if source for parameter in source.parameters]
        if event.module is not None and is_leaf(event.module):
            used += event.module.parameters()
        return tuple(dict.fromkeys(used))

    def _name(self, event: _Event) -> str:
        path = self._shadow.names[event.module or self._within[-1]]
        if event.function is not None:
            name = function_name(event.function)
            path = f"{path}.{name}" if path else name
        path = path or type(self._shadow.model).__name__
        self._times[path] += 1
        return path if self._times[path] == 1 else f"{path}#{self._times[path]}"
