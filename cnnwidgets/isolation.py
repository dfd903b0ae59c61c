"""What a pass must not share with the user's code: random numbers, grad mode, autocast."""

from __future__ import annotations

import functools
import random
import re
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_DRAWS = re.compile(
    r"rand|dropout|normal_?$|uniform|bernoulli|multinomial|poisson|exponential_|cauchy"
    r"|geometric|binomial|rrelu|gumbel|fractional|dot_product_attention|multi_head_attention"
)


@contextmanager
def isolated(device: torch.device, *, grad: bool) -> Iterator[None]:
    """Set this thread's modes for one pass, and put them back.

    Grad mode is as asked; inference mode (whose tensors do not count their versions) and
    autocast are off, and nothing is compiled. Python's and NumPy's random states are put
    back, on the main thread: elsewhere the user's loop may be drawing from them meanwhile,
    and putting them back would make it draw the same numbers twice.
    """
    with (
        torch.inference_mode(mode=False),
        torch.set_grad_enabled(grad),
        torch.autocast(_autocast_type(device), enabled=False),
        _host_random_state(),
        _eager,
    ):
        yield


@contextmanager
def out_of_inference_mode() -> Iterator[None]:
    """Let tensors count their versions where a forward has turned that off, in its grad mode."""
    grad = torch.is_grad_enabled()
    with torch.inference_mode(mode=False), torch.set_grad_enabled(grad):
        yield


def _autocast_type(device: torch.device) -> str:
    return device.type if torch.amp.is_autocast_available(device.type) else "cpu"


class _Eager:
    """While any pass runs, functions wrapped in ``torch.compile`` run as they were written.

    The stance is the process's, not the thread's: the first pass in takes it, the last
    one out gives it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passes = 0
        self._stance: Any = None

    def __enter__(self) -> None:
        with self._lock:
            # Where nothing has been compiled there is a second of importing to save.
            known = "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance")
            if known and self._stance is None:
                self._stance = torch.compiler.set_stance("force_eager")
            self._passes += 1  # last: a pass that was interrupted here never comes out

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._passes -= 1
            if self._stance is not None and not self._passes:
                self._stance.__exit__(*raised)
                self._stance = None


_eager = _Eager()


@contextmanager
def _host_random_state() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


class PrivateDice:
    """Torch's random numbers for one pass, the same in every pass.

    The global generators are swapped only while a function draws, so that what another
    thread draws during the pass is neither seen nor repeated.

    Attributes
    ----------
    rolled
        Whether any have been drawn.
    """

    def __init__(self, device: torch.device, seed: int = 0) -> None:
        self.rolled = False
        devices = {torch.device("cpu"), device} - {torch.device("meta")}
        self._states = {
            device: torch.Generator(device).manual_seed(seed).get_state() for device in devices
        }

    def roll(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:  # noqa: ANN401
        """Call a function, with this pass's random numbers if it draws any."""
        if not draws(function):
            return function(*args, **kwargs)
        outside = {device: _state(device) for device in self._states}
        try:
            for device, state in self._states.items():
                _set_state(device, state)
            return function(*args, **kwargs)
        finally:
            states = {device: _state(device) for device in outside}
            self.rolled |= any(not torch.equal(states[d], self._states[d]) for d in states)
            self._states = states
            for device, state in outside.items():
                _set_state(device, state)


class PrivateDraws(TorchFunctionMode):
    """While it is entered, this thread's torch functions draw from private dice, `dice`."""

    def __init__(self, device: torch.device, seed: int = 0) -> None:
        super().__init__()
        self.dice = PrivateDice(device, seed)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        return self.dice.roll(func, args, kwargs or {})


@functools.lru_cache(maxsize=4096)
def draws(function: Callable[..., Any]) -> bool:
    """Whether a torch function may draw random numbers, by its name."""
    return _DRAWS.search(getattr(function, "__name__", "")) is not None


def _state(device: torch.device) -> torch.Tensor:
    if device.type == "cpu":
        return torch.get_rng_state()
    state: torch.Tensor = torch.get_device_module(device).get_rng_state(device)
    return state


def _set_state(device: torch.device, state: torch.Tensor) -> None:
    if device.type == "cpu":
        torch.set_rng_state(state)
    else:
        torch.get_device_module(device).set_rng_state(state, device)
