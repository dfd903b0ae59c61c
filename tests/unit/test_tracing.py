"""Every layer is seen, once, under a lasting name, with what it came from."""

# mypy: disable-error-code="no-any-return, no-untyped-call"
# Calling a module returns Any.
from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import Call, trace
from tests.architectures import ARCHITECTURES, resnet18
from tests.traced import Apply, traced
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


def edges(function: Callable[[Any, Tensor], Any], **modules: nn.Module) -> dict[str, Any]:
    """Layer name → names of its inputs; fails if the pass does."""
    calls, ended = traced(Apply(function, **modules), torch.rand(1, 4, 6, 6))
    if ended.failure is not None:
        raise ended.failure.error
    return {name: call.inputs for name, call in calls.items()}


def in_place_on_a_view(_: nn.Module, x: Tensor) -> Tensor:
    x = x * 2
    x[:, :2].relu_()
    return x + 1


def in_place_on_the_other_half(_: nn.Module, x: Tensor) -> Tensor:
    left, right = (x * 2).chunk(2, 1)
    right.sigmoid_()
    return torch.tanh(left)


def filled_piece_by_piece(_: nn.Module, x: Tensor) -> Tensor:
    out = x.new_zeros(1, 8, 6, 6)
    out[:, :4] = torch.sin(x)
    out[:, 4:] = torch.cos(x)
    return torch.exp(out)


def seen_through_a_view(_: nn.Module, x: Tensor) -> Tensor:
    x = x * 2
    flat = x.view(-1)
    flat.add_(1)
    return torch.exp(x)


FUNCTIONS: dict[str, tuple[Callable[[Any, Tensor], Any], dict[str, tuple[str, ...]]]] = {
    "operators": (
        lambda _, x: (2 - (x + 1) * x) / x,
        {"add": ("input",), "mul": ("add", "input"), "sub": ("mul",), "div": ("sub", "input")},
    ),
    "reflected and in place": (
        lambda _, x: (1 + x).mul_(2).__iadd__(x),
        {"add": ("input",), "mul": ("add",), "add#2": ("mul", "input")},
    ),
    "cat of a tuple": (
        lambda _, x: torch.cat((x.relu(), x.tanh()), 1),
        {"relu": ("input",), "tanh": ("input",), "cat": ("relu", "tanh")},
    ),
    "stack by keyword": (
        lambda _, x: torch.stack(tensors=[x, x.abs()], dim=1),
        {"abs": ("input",), "stack": ("input", "abs")},
    ),
    "what passes the values on": (
        lambda _, x: torch.exp(x.contiguous().to(torch.float64).detach().clone().float().data),
        {"exp": ("input",)},
    ),
    "metadata": (
        lambda _, x: x.view(x.size(0), x.shape[1], -1) if x.dtype.is_floating_point else x,
        {"view": ("input",)},
    ),
    "constants": (
        lambda _, x: x + torch.ones_like(x) * torch.arange(6.0) + x.new_zeros(1),
        {"add": ("input",), "add#2": ("add",)},
    ),
    "several results": (
        lambda _, x: torch.add(*x.split(2, dim=1)) * x.max(dim=1).values.unsqueeze(1),
        {
            "split": ("input",),
            "add": ("split", "split"),
            "max": ("input",),
            "unsqueeze": ("max",),
            "mul": ("add", "unsqueeze"),
        },
    ),
    "properties": (
        lambda _, x: x.mT @ x,
        {"mT": ("input",), "matmul": ("mT", "input")},
    ),
    "functional dropout": (lambda _, x: F.dropout(x, training=False), {"dropout": ("input",)}),
    "view written to": (
        in_place_on_a_view,
        {"mul": ("input",), "getitem": ("mul",), "relu": ("getitem",), "add": ("mul", "relu")},
    ),
    "another view written to": (
        in_place_on_the_other_half,
        {"mul": ("input",), "chunk": ("mul",), "sigmoid": ("chunk",), "tanh": ("chunk",)},
    ),
    "base seen through a view": (
        seen_through_a_view,
        {"mul": ("input",), "view": ("mul",), "add": ("view",), "exp": ("mul", "add")},
    ),
    "filled piece by piece": (
        filled_piece_by_piece,
        {
            "sin": ("input",),
            "setitem": ("sin",),
            "cos": ("input",),
            "setitem#2": ("setitem", "cos"),
            "exp": ("setitem#2",),
        },
    ),
    "out=": (
        lambda _, x: torch.exp(torch.add(x, 1, out=torch.empty_like(x))),
        {"add": ("input",), "exp": ("add",)},
    ),
    "out of torch's sight": (
        lambda _, x: torch.from_numpy(np.sort(x.relu().numpy())).exp(),
        {"relu": ("input",), "Apply": ("input",)},
    ),
    "vmap": (lambda _, x: torch.vmap(torch.sin)(x).exp(), {"Apply": ("input",)}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    function, expected = FUNCTIONS[name]
    assert edges(function) == expected


def test_modules_in_modules_and_reuse() -> None:
    relu = nn.ReLU(inplace=True)
    block = Apply(lambda self, x: F.relu(self.conv(x)) + x, conv=nn.Conv2d(4, 4, 1))
    found = edges(lambda m, x: m.act(m.body(m.act(m.body(x)))), body=block, act=relu)
    assert found == {
        "body.conv": ("input",),
        "body.relu": ("body.conv",),
        "body.add": ("body.relu", "input"),
        "act": ("body.add",),
        "body.conv#2": ("act",),
        "body.relu#2": ("body.conv#2",),
        "body.add#2": ("body.relu#2", "act"),
        "act#2": ("body.add#2",),
    }


def test_what_a_layers_own_hooks_do_belongs_to_the_layer() -> None:
    conv, act = nn.Conv2d(4, 4, 1), nn.ReLU()
    conv.register_forward_pre_hook(lambda _module, args: (args[0] * 2,))
    conv.register_forward_hook(lambda _module, _args, output: output + 1)
    assert edges(lambda m, x: m.act(m.conv(x)), conv=conv, act=act) == {
        "conv": ("input",),
        "act": ("conv",),
    }


def test_one_module_under_two_names_has_the_first() -> None:
    conv = nn.Conv2d(4, 4, 1)
    found = edges(lambda m, x: m.b(m.a(x)), a=conv, b=conv)
    assert found == {"a": ("input",), "a#2": ("a",)}


def test_modules_in_a_plain_list_are_seen() -> None:
    model = Apply(lambda m, x: m.parts[1](m.parts[0](x)))
    model.parts = [nn.Conv2d(4, 2, 1), nn.ReLU()]  # type: ignore[assignment]
    assert list(traced(model, torch.rand(1, 4, 2, 2))[0]) == ["parts.0", "parts.1"]


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x * torch.sigmoid(x)


swish: Callable[[Tensor], Tensor] = Swish.apply


class SameConv(nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        return F.conv2d(F.pad(input, (0, 1, 0, 1)), self.weight, self.bias)


def test_leaves_are_torchs_own_and_users_are_looked_into() -> None:
    class Renamed(nn.Conv2d):
        pass

    modules = {
        "own": Renamed(4, 4, 1),
        "same": SameConv(4, 4, 2),
        "attend": nn.MultiheadAttention(4, 2, batch_first=True),
        "gru": nn.GRU(4, 3, batch_first=True),
    }

    def forward(m: Any, x: Tensor) -> Tensor:
        x = swish(m.same(m.own(x))).flatten(2).transpose(1, 2)
        x, _ = m.attend(x, x, x)
        return m.gru(x)[1]

    calls, _ = traced(Apply(forward, **modules), torch.rand(1, 4, 6, 6))
    assert list(calls) == [
        *("own", "same.pad", "same.conv2d", "sigmoid", "mul", "flatten", "transpose"),
        *("attend", "gru"),
    ]
    assert calls["attend"].inputs == ("transpose",) * 3
    assert calls["gru"].output.shape == (1, 36, 3)
    assert sum(p.numel() for p in calls["same.conv2d"].parameters) == 4 * 4 * 4 + 4


def test_parameters_that_a_function_takes() -> None:
    class Standardised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(2, 4, 1, 1))
            self.shift = nn.Parameter(torch.rand(2, 1, 1))
            self.embedding = nn.Embedding(6, 6)

        def forward(self, x: Tensor) -> Tensor:
            weight = (self.weight - self.weight.mean()) / self.weight.std()
            places = self.embedding(torch.arange(6))
            x = F.conv2d(x, weight)
            return x + self.shift * places

    calls, _ = traced(Standardised(), torch.rand(1, 4, 6, 6))
    counts = {name: sum(p.numel() for p in call.parameters) for name, call in calls.items()}
    assert counts == {"conv2d": 8, "add": 2 + 36}


def failing(*_: object) -> Tensor:
    raise ValueError("no cats today")


@pytest.mark.parametrize(
    ("model", "reached", "name", "message"),
    [
        (
            nn.Sequential(nn.Conv2d(4, 8, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.ReLU()),
            ["0", "1"],
            "2",
            "to have 4 channels",
        ),
        (Apply(lambda _, x: x.relu().view(7, 7)), ["relu"], "view", "invalid for input"),
        (nn.Sequential(nn.ReLU(), Apply(failing)), ["0"], "1", "no cats"),
        (Apply(failing), [], "Apply", "no cats"),
        (nn.Conv2d(3, 2, 1), [], "Conv2d", "to have 3 channels"),
        (nn.Sequential(nn.ReLU(), nn.Sequential()), ["0"], None, None),
    ],
)
def test_where_it_fails(
    model: nn.Module, reached: list[str], name: str | None, message: str | None
) -> None:
    calls, ended = traced(model, torch.rand(1, 4, 6, 6))
    assert list(calls) == reached
    if name is None:
        assert ended.failure is None
    else:
        assert ended.failure is not None
        assert ended.failure.name == name
        assert str(message) in str(ended.failure.error)
        assert ended.failure.inputs == (tuple(reached[-1:]) or ("input",))


def test_a_failure_that_the_model_survives_is_none() -> None:
    def careful(m: Any, x: Tensor) -> Tensor:
        try:
            m.wrong(x)
        except RuntimeError:
            x = m.right(x)
        return x.relu()

    modules = {"wrong": nn.Conv2d(3, 2, 1), "right": nn.Conv2d(4, 2, 1)}
    assert list(edges(careful, **modules)) == ["right", "relu"]


def test_a_wrapped_error_belongs_to_the_module_that_raised_it() -> None:
    def wrapping(m: Any, x: Tensor) -> Tensor:
        try:
            return m.conv(x)
        except RuntimeError as error:
            raise ValueError("wrong picture") from error

    model = nn.Sequential(Apply(wrapping, conv=nn.Conv2d(3, 2, 1)))
    _, ended = traced(model, torch.rand(1, 4, 6, 6))
    assert ended.failure is not None
    assert ended.failure.name == "0"


def test_an_interrupt_passes_through() -> None:
    def interrupted(*_: object) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        traced(Apply(interrupted), torch.rand(1, 4, 6, 6))


def test_an_error_of_the_callback_is_not_the_models() -> None:
    class Cancelled(Exception):  # noqa: N818 - as the widgets call it
        pass

    def refuse(call: Call) -> None:
        if call.name == "layer1.0.relu":
            raise Cancelled

    model, x = resnet18()
    with assert_untouched(model), pytest.raises(Cancelled):
        trace(shadow(model), x, refuse)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_pass_has_the_same_names(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    plain = [(n, c.inputs, c.output.shape) for n, c in traced(model, x)[0].items()]
    leaf = x.clone().requires_grad_().clone()
    recorded = [(n, c.inputs, c.output.shape) for n, c in traced(model, leaf, grad=True)[0].items()]
    assert plain == recorded


def test_two_threads_trace_one_model() -> None:
    model, x = resnet18()
    expected = list(traced(model, x)[0])
    found: list[list[str]] = []

    def run() -> None:
        names: list[str] = []
        trace(shadow(model), x, lambda call: names.append(call.name))
        found.append(names)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
