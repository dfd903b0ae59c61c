"""The harness that all tests rely on sees every kind of change, and names it."""

from __future__ import annotations

import random
import re
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
    "0.bias gradient": lambda m: m[0].bias.sum().backward(),
    "1.num_batches_tracked": lambda m: m[1].num_batches_tracked.add_(1),
    "1 training": lambda m: m[1].eval(),
    "model attributes": lambda m: setattr(m, "extra", 1),
    "model attribute notes": lambda m: m.notes.append(2),
    "0 _forward_hooks": lambda m: m[0].register_forward_hook(print),
    "0 class": lambda m: setattr(m[0], "__class__", nn.Module),
    "random state of torch": lambda _: torch.rand(1),
    "random state of NumPy": lambda _: np.random.rand(),  # noqa: NPY002
    "random state of Python": lambda _: random.random(),  # noqa: S311
    "grad mode": lambda _: torch.set_grad_enabled(False),
    "also[0]": lambda m: m.picture.add_(1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_names_what_changed(name: str) -> None:
    model = model_to_change()
    model.picture = torch.zeros(2)
    named = rf"changed by looking:\n(.*\n)*  {re.escape(name)}"
    try:
        seen = pytest.raises(AssertionError, match=named)
        with seen, assert_untouched(model, also=(model.picture,)):
            CHANGES[name](model)
    finally:
        torch.set_grad_enabled(True)


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
    with assert_untouched(model, threads=True), torch.no_grad():
        model(torch.zeros(1, 3, 4, 4))
