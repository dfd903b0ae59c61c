"""A shadow computes the same and shares nothing that a pass could change."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from cnnwidgets.classes import first_output
from cnnwidgets.shadow import shadow
from tests.architectures import ARCHITECTURES, resnet18
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_computes_what_the_model_computes_in_eval_mode(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    with assert_untouched(model, also=(x,)), torch.no_grad():
        found = first_output(shadow(model).model(x))
    with torch.no_grad():
        torch.testing.assert_close(found, first_output(model.eval()(x)))


def test_follows_training_without_touching_it() -> None:
    model, x = resnet18()
    copied = shadow(model)
    with torch.no_grad():
        model.fc.bias.add_(1)  # type: ignore[union-attr, operator]
        expected = model.eval()(x)
        torch.testing.assert_close(copied.model(x), expected, rtol=0, atol=0)
    assert not any(parameter.requires_grad for parameter in copied.model.parameters())
    shared = zip(model.parameters(), copied.model.parameters(), strict=True)
    assert all(mine.data_ptr() == theirs.data_ptr() for mine, theirs in shared)
    buffers = zip(model.buffers(), copied.model.buffers(), strict=True)
    assert all(mine.data_ptr() != theirs.data_ptr() for mine, theirs in buffers)


def test_an_optimizer_step_between_forward_and_backward_does_no_harm() -> None:
    model, x = resnet18()
    x.requires_grad_()
    score = shadow(model).model(x).sum()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1)
    torch.autograd.grad(score, x)  # PyTorch would raise on the model itself


def test_names_and_originals() -> None:
    model, _ = resnet18()
    copied = shadow(model)
    names = {name: module for module, name in copied.names.items()}
    assert copied.originals[names["layer1.0.conv1"]] is model.get_submodule("layer1.0.conv1")
    assert names[""] is copied.model
    assert copied.originals[copied.model] is model
    assert list(dict(model.named_modules())) == list(copied.names.values())


class Stateful(nn.Module):
    """Does in its forward whatever a forward should not do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.register_buffer("calls", torch.zeros(()))
        self.running = torch.zeros(4)
        self.history: list[Tensor] = []
        self.cache: dict[str, Any] = {"seen": [0]}
        self.hidden = [nn.Conv2d(4, 4, 1), (nn.BatchNorm2d(4),)]  # not registered
        self.step = functools.partial(self.count, by=2)
        self.tail: Callable[[Tensor], Tensor] = lambda x: self.norm(x)  # noqa: PLW0108 - a closure
        self.dice = torch.Generator().manual_seed(1)
        self.numpy_dice = np.random.default_rng(1)
        self.method = self.count
        self.total = 0

    def count(self, by: int) -> None:
        self.total += by

    def forward(self, x: Tensor) -> Tensor:
        self.train()  # of the shadow
        conv, (norm,) = self.hidden  # type: ignore[misc]
        x = self.tail(norm(conv(self.norm(self.conv(x)))))  # type: ignore[operator, has-type]
        assert isinstance(self.calls, Tensor)
        self.calls += 1
        self.running.add_(x.mean((0, 2, 3)))
        self.history.append(x)
        self.cache["seen"][0] += 1
        self.last = x
        self.step()
        self.method(1)
        noise = torch.rand(1, generator=self.dice) + self.numpy_dice.random()
        return x + noise


@pytest.mark.parametrize("fails", [False, True])
def test_a_stateful_forward_changes_only_the_shadow(fails: bool) -> None:  # noqa: FBT001 - pytest's
    model = Stateful()
    registered = [model.hidden[0], model.hidden[1][0]]  # type: ignore[index]
    numpy_state = model.numpy_dice.bit_generator.state
    with assert_untouched(model, also=[*(assert_state(m) for m in registered)]):  # type: ignore[arg-type]
        copied = shadow(model)
        try:
            with torch.no_grad():
                copied.model(torch.zeros(1, 3 + fails, 8, 8))
        except RuntimeError:
            assert fails
    assert model.numpy_dice.bit_generator.state == numpy_state
    assert bool(copied.model.history) is not fails
    assert copied.model.total == (0 if fails else 3)


def assert_state(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.state_dict(keep_vars=True))


def test_tied_parameters_stay_tied() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    copied = shadow(model).model
    assert len(list(copied.parameters())) == 3


def test_lazy_layers_are_built_in_the_shadow_only() -> None:
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.LazyConv2d(2, 1))
    with assert_untouched(model):
        for _ in range(2):
            copied = shadow(model).model
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                assert copied(torch.zeros(1, 3, 8, 8)).shape == (1, 2, 6, 6)
    assert type(copied.get_submodule("0")) is nn.Conv2d
    assert type(model[0]) is nn.LazyConv2d
    model(torch.zeros(1, 5, 8, 8))  # still free to become what the user feeds it


# What torch.compile imports warns of TorchScript's end.
compiles = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def compiled_in_parallel(conv: nn.Conv2d) -> nn.Module:
    inner: Any = torch.compile(nn.DataParallel(conv))
    return nn.Sequential(inner)


def old_spectral(conv: nn.Conv2d) -> nn.Module:
    return nn.utils.spectral_norm(conv)


def old_weight(conv: nn.Conv2d) -> nn.Module:
    return nn.utils.weight_norm(conv)


def pruned(conv: nn.Conv2d) -> nn.Module:
    from torch.nn.utils import prune  # noqa: PLC0415 - only here

    prune.l1_unstructured(conv, "weight", amount=0.5)  # type: ignore[no-untyped-call]
    return conv


@pytest.mark.parametrize(
    "wrap",
    [
        old_spectral,
        pytest.param(old_weight, marks=pytest.mark.filterwarnings("ignore::FutureWarning")),
        pruned,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.orthogonal,
        pytest.param(torch.compile, marks=compiles),
        nn.DataParallel,
        pytest.param(compiled_in_parallel, marks=compiles),
    ],
)
def test_wrapped_weights_and_modules(wrap: Callable[[nn.Conv2d], nn.Module]) -> None:
    model = wrap(nn.Conv2d(3, 4, 3))
    x = torch.randn(1, 3, 8, 8)
    with assert_untouched(model):
        copied = shadow(model)
        with torch.no_grad():
            found = copied.model(x)
    assert all("_orig_mod" not in name for name in copied.names.values())
    with torch.no_grad():
        plain = getattr(model, "_orig_mod", model).eval()
        if not isinstance(plain, nn.Sequential):
            torch.testing.assert_close(found, plain(x))


def test_hooks_run_on_the_copy_of_what_they_are_bound_to() -> None:
    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)
            self.count: Any = 0
            self.handle = self.conv.register_forward_hook(self.hook)

        def hook(self, *_: object) -> None:
            self.count += 1
            self.handle.remove()

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x)  # type: ignore[no-any-return]

    model = Watched()
    with assert_untouched(model):
        copied = shadow(model).model
        copied(torch.zeros(1, 3, 2, 2))
        copied(torch.zeros(1, 3, 2, 2))
    assert model.count == 0
    assert copied.count == 1


def test_shadows_of_a_model_in_training_in_another_thread() -> None:
    model, x = resnet18()
    stop = threading.Event()

    def train() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
        while not stop.is_set():
            model(torch.cat([x, x])).sum().backward()
            optimizer.step()
            setattr(model, f"scratch{len(model.__dict__)}", 0)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(20):
            leaf = x.clone().requires_grad_()
            torch.autograd.grad(shadow(model).model(leaf).sum(), leaf)
    finally:
        stop.set()
        thread.join()
    assert model.training


def make_model() -> nn.Module:
    return nn.Conv2d(3, 3, 1)


@pytest.mark.parametrize(
    ("thing", "hint"),
    [
        (None, "NoneType$"),
        (
            make_model().state_dict(),
            r"a state dict: .* model\.load_state_dict\(…\), and give the model$",
        ),
        (
            {"epoch": 3, "model": make_model().state_dict()},
            r"a checkpoint\? give .* into one: 'epoch', 'model'$",
        ),
        ("resnet18.pt", "not str; load the model first"),
        (Path("resnet18.pt"), "load the model first"),
        (torch.zeros(3), "not Tensor; the network comes first, then the image$"),
        (np.zeros(3), "comes first"),
        (Image.new("L", (1, 1)), "comes first"),
        (nn.Conv2d, r"not type; call it to make one: Conv2d\(\)$"),
        (lambda x: x, r"not function; .* make it the forward of a module$"),
        (make_model, r"not function; call it to make one: make_model\(\)$"),
    ],
)
def test_no_module(thing: Any, hint: str) -> None:
    with pytest.raises(TypeError, match=rf"^model must be a torch\.nn\.Module, .*{hint}"):
        shadow(thing)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_refused_by_name() -> None:
    scripted = torch.jit.script(nn.Conv2d(3, 3, 1))
    with pytest.raises(TypeError, match="0 is a TorchScript module"):
        shadow(nn.Sequential(scripted))


def test_graph_modules() -> None:
    model = torch.fx.symbolic_trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    x = torch.randn(1, 3, 8, 8)
    torch.testing.assert_close(shadow(model).model(x), model(x))
