"""A pass and the user's code do not hear of each other."""

from __future__ import annotations

import importlib
import random
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.isolation import _eager
from cnnwidgets.network import Network
from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import trace
from tests.traced import Apply, traced
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


def noisy(_: nn.Module, x: Tensor) -> Tensor:
    return F.dropout(x + torch.rand(1), 0.5, training=True) + random.random() + np.random.rand()  # noqa: NPY002, S311


def test_random_numbers_are_the_models_own_and_the_same_each_time() -> None:
    x = torch.rand(1, 4, 6, 6)
    first, second = (traced(Apply(noisy), x)[0]["dropout"].output for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert (first == 0).any()


def test_predictions_are_of_the_pass_that_is_shown() -> None:
    model = Apply(lambda _, x: F.dropout(x, 0.5, training=True).mean((2, 3)))
    net, x = Network(model, input_size=(3, 8, 8)), torch.rand(1, 3, 8, 8)
    with assert_untouched(model):
        activations = net.activations(x)
        for _ in range(2):
            torch.testing.assert_close(net.output(x), activations["mean"], rtol=0, atol=0)


def test_random_numbers_of_another_thread_are_not_drawn_twice() -> None:
    drawn: list[float] = []
    inside, outside = threading.Event(), threading.Event()

    def slow(_: nn.Module, x: Tensor) -> Tensor:
        inside.set()
        outside.wait(5)
        return x + torch.rand(1)

    model = Apply(slow)
    thread = threading.Thread(target=lambda: trace(shadow(model), torch.rand(1), lambda _: None))
    with torch.random.fork_rng(devices=[]):
        thread.start()
        inside.wait(5)
        state = torch.get_rng_state()
        drawn += [torch.rand(1).item()]
        outside.set()
        thread.join()
        drawn += [torch.rand(1).item()]
        torch.set_rng_state(state)
        assert drawn == torch.rand(2).tolist()


@pytest.mark.parametrize("around", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_modes_around_do_not_reach_in(around: Callable[[], Any]) -> None:
    def check(_: nn.Module, x: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        return x @ x

    with around(), torch.autocast("cpu"):
        calls, ended = traced(Apply(check), torch.rand(1, 2, 2).clone())
    assert ended.failure is None
    assert calls["matmul"].output.dtype == torch.float32


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch.compile imports
def test_functions_wrapped_in_compile_run_as_written() -> None:
    @torch.compile
    def twice(x: Tensor) -> Tensor:
        return x.relu() * 2

    class Compiled(nn.Module):
        @torch.compile
        def forward(self, x: Tensor) -> Tensor:
            return twice(x).exp()

    calls, ended = traced(Compiled(), torch.rand(1, 2))
    assert ended.failure is None
    assert list(calls) == ["relu", "mul", "exp"]
    with ExitStack() as first, ExitStack() as second:  # of two threads, say
        first.enter_context(_eager)
        second.enter_context(_eager)
        first.close()
        assert torch._dynamo.eval_frame._stance.stance == "force_eager"
    assert torch._dynamo.eval_frame._stance.stance == "default"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch.compile imports
def test_an_interrupt_on_the_way_in_leaves_compiled_functions_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    stance = importlib.import_module("torch._dynamo.eval_frame")
    model, x = nn.Conv2d(3, 2, 1), torch.rand(1, 3, 4, 4)
    with monkeypatch.context() as patch:
        patch.setattr(torch.compiler, "set_stance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            traced(model, x)
    assert traced(model, x)[1].failure is None
    assert stance._stance.stance == "default"


@pytest.mark.parametrize("main", [True, False])
def test_the_hosts_random_numbers(*, main: bool) -> None:
    """Put back on the main thread; elsewhere the user's own draws would come twice."""
    model = Apply(noisy)
    net, x = Network(model, input_size=(3, 8, 8)), torch.rand(1, 3, 8, 8)
    net.graph  # noqa: B018 - the pass that finds the layers
    before = random.getstate()
    thread = threading.Thread(target=net.output, args=(x,))
    if main:
        with assert_untouched(model):
            net.output(x)
    else:
        thread.start()
        thread.join()
    assert (random.getstate() == before) is main
