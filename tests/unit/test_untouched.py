"""The harness that all tests rely on sees every kind of change, and names it."""

from __future__ import annotations

import random
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


def model_to_change() -> Any:
    model: Any = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    model.notes = [1]
    return model


def set_nan(model: Any) -> None:
    model[0].weight.data[0] = float("nan")


CHANGES: dict[str, Callable[[Any], object]] = {
    "0.weight value": set_nan,
    "0.bias version": lambda m: m[0].bias.data_ptr() and m[0].bias.detach().add_(0),
    "0.bias identity": lambda m: setattr(m[0], "bias", nn.Parameter(m[0].bias.detach().clone())),
    "0.bias requires_grad": lambda m: m[0].bias.requires_grad_(requires_grad=False),
    "0.bias hooks": lambda m: m[0].bias.register_hook(abs),
    "0.weight hooks": lambda m: m[0].weight.register_post_accumulate_grad_hook(print),
    "0.bias gradient": lambda m: m[0].bias.sum().backward(),
    "1.num_batches_tracked value": lambda m: m[1].num_batches_tracked.add_(1),
    "1 training": lambda m: m[1].eval(),
    "model attributes": lambda m: setattr(m, "extra", 1),
    "model attribute notes": lambda m: m.notes.append(2),
    "0 _forward_hooks": lambda m: m[0].register_forward_hook(print),
    "0 class": lambda m: setattr(m[0], "__class__", nn.Module),
    "random state of torch": lambda _: torch.rand(1),
    "random state of NumPy": lambda _: np.random.rand(),  # noqa: NPY002
    "random state of Python": lambda _: random.random(),  # noqa: S311
    "also[0]": lambda m: m.picture.add_(1),
}


def named(name: str) -> Any:
    return pytest.raises(
        AssertionError, match=rf"changed by looking:\n(.*\n)*  {re.escape(name)}: "
    )


@pytest.mark.parametrize("name", CHANGES)
def test_names_what_changed(name: str) -> None:
    model = model_to_change()
    model.picture = torch.zeros(2)
    with named(name), assert_untouched(model, also=(model.picture,)):
        CHANGES[name](model)


MODES: dict[str, tuple[Callable[[Any], object], object, object]] = {
    "grad mode": (torch.set_grad_enabled, False, True),
    "anomaly mode": (torch.autograd.set_detect_anomaly, True, False),
    "autocast": (lambda on: torch.set_autocast_enabled("cpu", on), True, False),
    "default dtype": (torch.set_default_dtype, torch.float64, torch.float32),
    "default device": (torch.set_default_device, "meta", None),
    "deterministic algorithms": (torch.use_deterministic_algorithms, True, False),
    "cuDNN": (lambda on: setattr(torch.backends.cudnn, "benchmark", on), True, False),
    "thread count": (torch.set_num_threads, torch.get_num_threads() + 1, torch.get_num_threads()),
}


@pytest.mark.parametrize("name", MODES)
def test_names_the_mode_that_changed(name: str) -> None:
    change, other, usual = MODES[name]
    try:
        with named(name), assert_untouched(nn.Identity()):
            change(other)
    finally:
        change(usual)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch.compile imports
def test_the_stance_of_the_compiler() -> None:
    torch.compile(abs)
    with ExitStack() as after, named("stance of torch.compile"), assert_untouched(nn.Identity()):
        after.enter_context(torch.compiler.set_stance("force_eager"))


def test_random_states_of_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.zeros(2)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [state])
    with named("random state of CUDA"), assert_untouched(nn.Identity()):
        state.add_(1)


def test_global_hooks() -> None:
    handles: list[Any] = []
    try:
        with (
            pytest.raises(AssertionError, match="_global_forward_hooks"),
            assert_untouched(nn.Identity()),
        ):
            handles.append(nn.modules.module.register_module_forward_hook(lambda *_: None))
    finally:
        handles[0].remove()


def test_nothing_changed_is_nothing_said() -> None:
    model = model_to_change().eval()
    set_nan(model)
    with assert_untouched(model), torch.no_grad():
        model(torch.zeros(1, 3, 4, 4))
