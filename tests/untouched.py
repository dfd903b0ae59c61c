"""Looking never changes the model: compare it, bit for bit, before and after."""

from __future__ import annotations

import random
import sys
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
def assert_untouched(model: nn.Module, *, also: tuple[Any, ...] = ()) -> Iterator[None]:
    """Fail, saying what changed, unless the block leaves everything as it was.

    Parameters
    ----------
    model
        Its parameters and buffers (values, identity, versions, requires_grad, hooks), gradients,
        modes, hooks, attributes and plain containers; the same in every module it holds.
    also
        More tensors, arrays or containers that must not change.

    Checked as well: random states of torch (on CUDA too), NumPy and Python, grad, inference
    and anomaly mode, autocast, default dtype and device, deterministic algorithms, cuDNN's
    flags, the stance of torch.compile, the number of threads, global module hooks. An exception
    passes through, after the check.
    """
    before = state_of(model, also)
    try:
        yield
    finally:
        after = state_of(model, also)
        changes = [
            f"{name}: {_show(before.get(name))} → {_show(after.get(name))}"
            for name in [*before, *(after.keys() - before.keys())]
            if before.get(name) != after.get(name) or (name in before) != (name in after)
        ]
        assert not changes, "changed by looking:\n  " + "\n  ".join(changes)


def state_of(model: nn.Module, also: tuple[Any, ...] = ()) -> State:
    """Everything that must not change, as name → value that can be compared."""
    state: State = {}
    for path, module in model.named_modules(remove_duplicate=False):
        state |= {f"{path or 'model'} {what}": v for what, v in _module_state(module).items()}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        state |= {f"{name} {what}": v for what, v in _tensor_state(tensor).items()}
    for index, extra in enumerate(also):
        state[f"also[{index}]"] = _value(extra)
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
        "hooks": [_hooks(tensor, kind) for kind in ("_backward", "_post_accumulate_grad")],
    }


def _hooks(tensor: Tensor, kind: str) -> tuple[tuple[int, int], ...]:
    hooks = getattr(tensor, f"{kind}_hooks", None) or {}  # of None too: there never were any
    return tuple((key, id(hook)) for key, hook in hooks.items())


_CUDNN = ("enabled", "benchmark", "deterministic", "allow_tf32")


def _autocast(device: str) -> tuple[bool, torch.dtype]:
    return torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)


def _stance() -> object:
    """What functions wrapped in torch.compile do; asking must not load the compiler."""
    compiler = sys.modules.get("torch._dynamo.eval_frame")
    return "default" if compiler is None else compiler._stance.stance


def _cuda() -> object:
    """The random states, if CUDA is used at all; asking must not start it."""
    started: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return _value(torch.cuda.get_rng_state_all()) if started else None


def _global_state() -> State:
    hooks = vars(torch.nn.modules.module)
    numpy_state: Any = np.random.get_state()  # noqa: NPY002 - the global one
    return {
        "random state of torch": _value(torch.get_rng_state()),
        "random state of CUDA": _cuda(),
        "random state of NumPy": (*numpy_state[:1], numpy_state[1].tobytes(), *numpy_state[2:]),
        "random state of Python": random.getstate(),
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "anomaly mode": torch.is_anomaly_enabled(),
        "autocast": [_autocast(device) for device in ("cpu", "cuda")],
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "deterministic algorithms": (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        "cuDNN": [getattr(torch.backends.cudnn, name) for name in _CUDNN],
        "stance of torch.compile": _stance(),
        "thread count": torch.get_num_threads(),
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
