"""Looking never changes the model: compare it, bit for bit, before and after."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

if TYPE_CHECKING:
    from collections.abc import Iterator

State = dict[str, object]


@contextmanager
def assert_untouched(
    model: nn.Module, *, also: tuple[Any, ...] = (), threads: bool = False
) -> Iterator[None]:
    """Fail, saying what changed, unless the block leaves everything as it was.

    Parameters
    ----------
    model
        Its parameters and buffers (values, identity, versions, requires_grad), gradients, modes,
        hooks, attributes and plain containers; the same in every module it holds.
    also
        More tensors, arrays or containers that must not change.
    threads
        Whether `torch.get_num_threads` must be the same too.

    Checked as well: random states of torch, NumPy and Python, grad and inference
    mode, autocast, default dtype and device, global module hooks. An exception
    passes through, after the check.
    """
    before = state_of(model, also, threads=threads)
    try:
        yield
    finally:
        after = state_of(model, also, threads=threads)
        changes = [
            f"{name}: {_show(before.get(name))} → {_show(after.get(name))}"
            for name in [*before, *(after.keys() - before.keys())]
            if before.get(name) != after.get(name) or (name in before) != (name in after)
        ]
        assert not changes, "changed by looking:\n  " + "\n  ".join(changes)


def state_of(model: nn.Module, also: tuple[Any, ...] = (), *, threads: bool = False) -> State:
    """Everything that must not change, as name → value that can be compared."""
    state: State = {}
    for path, module in model.named_modules(remove_duplicate=False):
        state |= {f"{path or 'model'} {what}": v for what, v in _module_state(module).items()}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        state |= {f"{name} {what}": v for what, v in _tensor_state(tensor).items()}
    for index, extra in enumerate(also):
        state[f"also[{index}]"] = _value(extra)
    if threads:
        state["thread count"] = torch.get_num_threads()
    return state | _global_state()


def _module_state(module: nn.Module) -> State:
    # The class is part of it: a lazy module becomes another one when it is built.
    state: State = {"identity": id(module), "class": type(module), "training": module.training}
    state["attributes"] = tuple(module.__dict__)
    for name, value in module.__dict__.items():
        if "hooks" in name and isinstance(value, dict):
            state[name] = tuple((key, id(hook)) for key, hook in value.items())
        elif name not in {"_parameters", "_buffers", "_modules"}:
            state[f"attribute {name}"] = _value(value)
    return state


def _tensor_state(tensor: Tensor) -> State:
    state: State = {"identity": id(tensor), "requires_grad": tensor.requires_grad}
    if is_lazy(tensor):
        return state | {"value": "unbuilt"}
    return state | {
        "memory": tensor.data_ptr(),
        "version": 0 if tensor.is_inference() else tensor._version,
        "value": _value(tensor),
        "gradient": None if tensor.grad is None else (id(tensor.grad), _value(tensor.grad)),
    }


def _global_state() -> State:
    hooks = vars(torch.nn.modules.module)
    numpy_state: Any = np.random.get_state()  # noqa: NPY002 - the global one
    return {
        "random state of torch": _value(torch.get_rng_state()),
        "random state of NumPy": (*numpy_state[:1], numpy_state[1].tobytes(), *numpy_state[2:]),
        "random state of Python": random.getstate(),
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "default dtype": torch.get_default_dtype(),
        "torch function modes": torch._C._len_torch_function_stack(),
        **{
            name: tuple(map(id, value.values()))
            for name, value in hooks.items()
            if name.startswith("_global") and isinstance(value, dict)
        },
    }


def _value(value: Any) -> object:
    """Something that equals itself only while nothing in it has changed (NaN included)."""
    match value:
        case Tensor():
            kept: object = "unbuilt" if is_lazy(value) else (value.shape, _bytes(value))
        case np.ndarray():
            kept = value.shape, value.tobytes()
        case dict():
            kept = tuple((key, _value(item)) for key, item in value.items())
        case list() | tuple() | set():
            kept = tuple(map(_value, value))
        case torch.Generator():
            kept = _value(value.get_state())
        case bool() | int() | float() | str() | None:
            kept = value
        case _:
            kept = id(value)
    return type(value), getattr(value, "dtype", None), kept


def _bytes(tensor: Tensor) -> bytes:
    if tensor.is_meta:
        return b""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… (hash {hash(text):x})"
