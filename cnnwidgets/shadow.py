"""A copy of a model to run passes on, so that looking never changes the model.

The copy shares the storage of every parameter, so it costs next to nothing and
follows training; buffers, hooks, mode flags and whatever a forward could set,
append to or draw from are its own. Nothing has to be put back afterwards, also
not after an exception, an interrupt, or while another thread trains the model.
"""

from __future__ import annotations

import copy
import functools
import os
import random
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.utils.hooks import RemovableHandle

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator


@dataclass(frozen=True)
class Shadow:
    """A model to run passes on, and what its modules stand for.

    Attributes
    ----------
    model
        The copy, in evaluation mode. Run it, hook it, throw it away.
    names
        The path of each of the copy's modules in the user's model; ``""`` for the model.
    originals
        The user's module for each of the copy's modules.
    """

    model: nn.Module
    names: dict[nn.Module, str]
    originals: dict[nn.Module, nn.Module]


def shadow(model: nn.Module) -> Shadow:
    """Copy a model for a pass that must leave no trace.

    Parameters
    ----------
    model
        Any module. ``DataParallel``, ``DistributedDataParallel`` and
        ``torch.compile`` wrappers are taken off.

    Returns
    -------
    Shadow
        Parameters share their storage with the model's and need no gradient;
        buffers and other tensors are clones; lazily built layers stay unbuilt in the model.

    Raises
    ------
    TypeError
        If the model is no ``nn.Module``, or is TorchScript, whose inside cannot be seen.
    """
    if not isinstance(model, nn.Module):
        kind = type(model).__name__
        raise TypeError("; ".join([f"model must be a torch.nn.Module, not {kind}", *_hints(model)]))
    copier = _Copier()
    with torch.inference_mode(mode=False), torch.no_grad():
        copied = copier.module(model, "")
    return Shadow(copied, copier.names, copier.originals)


def _hints(given: object) -> Iterator[str]:
    """Say how to come from what was given to a model."""
    match given:
        case Mapping() if any(isinstance(value, torch.Tensor) for value in given.values()):
            yield "a state dict: make the model, then model.load_state_dict(…), and give the model"
        case Mapping():
            keys = ", ".join(map(repr, list(given)[:5]))
            yield f"a checkpoint? give the model, or load what it has into one: {keys}"
        case str() | os.PathLike():
            yield "load the model first, and give the model"
        case torch.Tensor() | np.ndarray() | Image.Image():
            yield "the network comes first, then the image"
        case types.LambdaType(__name__="<lambda>"):
            yield "the layers of a function cannot be seen: make it the forward of a module"
        case type() | types.FunctionType():
            yield f"call it to make one: {given.__name__}()"


def unwrap(module: nn.Module) -> nn.Module:
    """Take ``DataParallel``, ``DistributedDataParallel`` and ``torch.compile`` off a module."""
    while True:
        if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            module = module.module
        elif type(module).__name__ == "OptimizedModule":  # importing it would load the compiler
            module = cast("nn.Module", module._orig_mod)  # noqa: SLF001 - there is no public way
        else:
            return module


@dataclass
class _Copier:
    """One walk over a model; every object met is copied once, by identity."""

    memo: dict[int, Any] = field(default_factory=dict)
    alive: list[object] = field(default_factory=list)
    names: dict[nn.Module, str] = field(default_factory=dict)
    originals: dict[nn.Module, nn.Module] = field(default_factory=dict)

    def module(self, wrapped: nn.Module, path: str) -> nn.Module:
        original = unwrap(wrapped)
        if id(original) in self.memo:
            return self.memo[id(original)]  # type: ignore[no-any-return]
        if isinstance(original, torch.jit.ScriptModule):
            raise TypeError(
                f"{path or 'the model'} is a TorchScript module, whose layers cannot be seen: "
                "pass the nn.Module it was scripted from"
            )
        copied: nn.Module = object.__new__(type(original))
        self._remember(original, copied)
        self.names[copied] = path
        self.originals[copied] = original
        for key, value in list(original.__dict__.items()):  # another thread may be adding some
            inside = path if key == "_modules" else _join(path, key)
            copied.__dict__[key] = self.follow(value, inside)
        copied.__dict__["training"] = False
        copied.__dict__["_compiled_call_impl"] = None
        return copied

    def follow(self, value: Any, path: str) -> Any:  # noqa: ANN401 - walks arbitrary attributes
        """Copy what a pass could change; everything else by reference."""
        rule = _rule(type(value))  # type: ignore[arg-type]  # some metaclass may hash otherwise
        if rule is None:
            return value
        if id(value) in self.memo:
            return self.memo[id(value)]
        return rule(self, value, path)

    def _remember(self, original: object, copied: Any) -> Any:  # noqa: ANN401
        self.alive.append(original)  # or its id could come back as another object's
        self.memo[id(original)] = copied
        return copied

    def mapping(self, value: Any, path: str) -> Any:  # noqa: ANN401
        copied = self._remember(value, value.copy())
        for key, item in list(copied.items()):
            copied[key] = self.follow(item, _join(path, key))
        return copied

    def sequence(self, value: Any, path: str) -> Any:  # noqa: ANN401
        copied = self._remember(value, value.copy())
        for index, item in enumerate(copied):
            copied[index] = self.follow(item, _join(path, index))
        return copied

    def tuple(self, value: tuple[Any, ...], path: str) -> tuple[Any, ...]:
        items = [self.follow(item, _join(path, index)) for index, item in enumerate(value)]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return getattr(type(value), "_make", tuple)(items)

    def set(self, value: set[Any], path: str) -> set[Any]:
        return self._remember(value, {self.follow(item, path) for item in value})  # type: ignore[no-any-return]

    def method(self, value: types.MethodType, path: str) -> types.MethodType:
        return types.MethodType(value.__func__, self.follow(value.__self__, path))

    def partial(self, value: functools.partial[Any], path: str) -> functools.partial[Any]:
        args, keywords = self.follow((value.args, value.keywords), path)
        return functools.partial(self.follow(value.func, path), *args, **keywords)

    def closure(self, function: types.FunctionType, path: str) -> types.FunctionType:
        """Give a function that remembers modules a memory of their copies."""
        if not function.__closure__:
            return function
        self._remember(function, function)  # a function may remember itself
        cells = [_contents(cell) for cell in function.__closure__]
        copies = [self.follow(content, path) for content in cells]
        if all(new is old for new, old in zip(copies, cells, strict=True)):
            return function
        rebuilt = types.FunctionType(
            function.__code__,
            function.__globals__,
            function.__name__,
            function.__defaults__,
            tuple(types.CellType(content) for content in copies),
        )
        rebuilt.__kwdefaults__ = function.__kwdefaults__
        rebuilt.__dict__.update(function.__dict__)
        self.memo[id(function)] = rebuilt
        return rebuilt

    def tensor(self, value: torch.Tensor, _path: str) -> torch.Tensor:
        return self._remember(value, _tensor(value))  # type: ignore[no-any-return]

    def generator(self, value: Any, _path: str) -> Any:  # noqa: ANN401
        own = value.clone_state() if isinstance(value, torch.Generator) else copy.deepcopy(value)
        return self._remember(value, own)

    def handle(self, handle: RemovableHandle, _path: str) -> RemovableHandle:
        """Let the copy of a hook's handle remove the copy's hook, not the model's."""
        copied = copy.copy(handle)
        copied.hooks_dict_ref = self._reference(handle.hooks_dict_ref)
        copied.extra_dict_ref = tuple(map(self._reference, handle.extra_dict_ref or ()))
        return copied

    def _reference(self, reference: Any) -> Any:  # noqa: ANN401
        hooks = reference()
        return reference if hooks is None else weakref.ref(self.follow(hooks, ""))


_RULES: tuple[tuple[tuple[type, ...], Callable[[_Copier, Any, str], Any]], ...] = (
    ((nn.Module,), _Copier.module),
    ((torch.Tensor,), _Copier.tensor),
    ((tuple,), _Copier.tuple),
    ((types.MethodType,), _Copier.method),
    ((functools.partial,), _Copier.partial),
    ((types.FunctionType,), _Copier.closure),
    ((RemovableHandle,), _Copier.handle),
    (
        (torch.Generator, np.random.Generator, np.random.RandomState, random.Random),
        _Copier.generator,
    ),
)
_EXACT: dict[Hashable, Callable[[_Copier, Any, str], Any]] = {
    dict: _Copier.mapping,  # what is derived from these may not survive being copied
    OrderedDict: _Copier.mapping,
    defaultdict: _Copier.mapping,
    list: _Copier.sequence,
    deque: _Copier.sequence,
    set: _Copier.set,
}


@functools.lru_cache(maxsize=1024)
def _rule(kind: Hashable) -> Callable[[_Copier, Any, str], Any] | None:
    inherited = (rule for kinds, rule in _RULES if issubclass(cast("type", kind), kinds))
    return _EXACT.get(kind) or next(inherited, None)


def _tensor(value: torch.Tensor) -> torch.Tensor:
    if isinstance(value, (UninitializedParameter, UninitializedBuffer)):
        kind: Any = type(value)  # whose signature is not typed
        return kind(requires_grad=value.requires_grad, device=value.device, dtype=value.dtype)  # type: ignore[no-any-return]
    if not isinstance(value, nn.Parameter):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if type(value) is not nn.Parameter or type(value.data) is not torch.Tensor:
        return value  # a quantised or distributed parameter knows better than an alias of it
    if value.is_inference():
        return nn.Parameter(value.clone(), requires_grad=False)
    # .data has its own version counter: an optimizer step between our forward
    # and our backward, in the user's thread, does not make the backward fail.
    return nn.Parameter(value.data, requires_grad=False)


def _contents(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not yet assigned
        return None


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def tensors(value: object) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested lists, tuples, mappings and dataclasses, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors(item)
    elif hasattr(value, "__dataclass_fields__"):
        for item in vars(value).values():
            yield from tensors(item)
