"""Whose loss it is, where several models, threads and recorders are in one process."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import cnnwidgets as cw
from tests.training import batch, loss_of, small, train


def losses_of(run: cw.Recorder) -> list[float]:
    return [float(value) for value in run.scalars["loss"].values]


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), 0.05)


def test_two_recorders_one_after_the_other() -> None:
    a, b = small(), small()
    with torch.no_grad():
        b(batch(0)[0])
    b(batch(0)[0])  # a look at it before it trains
    with cw.Recorder(a) as one, cw.Recorder(b) as two:
        first = train(a, steps=5)
        b(batch(0)[0])
        second = train(b, steps=5)
    assert losses_of(one) == pytest.approx(first)
    assert losses_of(two) == pytest.approx(second)


def test_two_models_in_turns_and_interleaved() -> None:
    models = small(), small(inplace=True)
    with torch.no_grad():
        models[1][7].weight.mul_(3)
    optimizers = [sgd(model) for model in models]
    expected: list[list[float]] = [[], []]
    with cw.Recorder(models[0]) as one, cw.Recorder(models[1]) as two:
        for step in range(3):
            losses = [loss_of(model, step) for model in models]  # both forward, then both backward
            for optimizer, loss, own in zip(optimizers, losses, expected, strict=True):
                optimizer.zero_grad()
                loss.backward()
                own.append(loss.item())
            for optimizer in optimizers:
                optimizer.step()
    assert losses_of(one) == pytest.approx(expected[0])
    assert losses_of(two) == pytest.approx(expected[1])


def test_two_threads() -> None:
    models = small(), small()
    steps = threading.Barrier(2)
    expected: dict[int, list[float]] = {0: [], 1: []}

    def work(index: int) -> None:
        model, optimizer = models[index], sgd(models[index])
        for step in range(6):
            optimizer.zero_grad()
            loss = loss_of(model, step + index)
            steps.wait()
            loss.backward()
            steps.wait()
            optimizer.step()
            expected[index].append(loss.item())

    with cw.Recorder(models[0]) as one, cw.Recorder(models[1]) as two:
        threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert losses_of(one) == pytest.approx(expected[0])
    assert losses_of(two) == pytest.approx(expected[1])


def test_two_models_with_one_loss() -> None:
    encoder, head = nn.Linear(4, 8), nn.Linear(8, 3)
    optimizers = sgd(encoder), sgd(head)
    expected = []
    with cw.Recorder(encoder) as one, cw.Recorder(head) as two:
        for step in range(3):
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss = head(encoder(torch.full((2, 4), step + 1.0))).square().mean()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            expected.append(loss.item())
    assert losses_of(one) == pytest.approx(expected)
    assert losses_of(two) == pytest.approx(expected)


def test_adversaries() -> None:
    """The generator's loss goes through the discriminator, whose gradients are then thrown away."""
    torch.manual_seed(0)
    maker, judge = nn.Linear(2, 4), nn.Linear(4, 1)
    of_maker, of_judge = sgd(maker), sgd(judge)
    made, judged = [], []
    with cw.Recorder(maker) as one, cw.Recorder(judge) as two:
        for _ in range(3):
            fake = maker(torch.randn(5, 2))
            of_judge.zero_grad()
            loss = judge(fake.detach()).square().mean() + judge(torch.ones(5, 4)).square().mean()
            loss.backward()
            of_judge.step()
            judged.append(loss.item())
            of_maker.zero_grad()
            loss = 1 - judge(fake).mean()
            loss.backward()
            of_maker.step()
            made.append(loss.item())
    assert losses_of(one) == pytest.approx(made)
    assert losses_of(two) == pytest.approx(judged)


def test_gradients_of_several_batches_and_losses_are_added_up() -> None:
    model = small()
    optimizer, other = sgd(model), small()
    expected = []
    with cw.Recorder(model) as run:
        for step in range(3):
            optimizer.zero_grad()
            parts = [
                loss_of(model, step),
                loss_of(model, step + 10),
                model[0].weight.square().sum(),
            ]
            for part in parts:
                part.backward()
                loss_of(other, step).backward()
            optimizer.step()
            expected.append(sum(part.item() for part in parts))
    assert losses_of(run) == pytest.approx(expected)


def test_parameters_that_are_replaced() -> None:
    model = small()
    with cw.Recorder(model) as run:
        first = train(model, steps=2)
        model[7] = nn.Linear(144, 4)
        for parameter in model[:7].parameters():
            parameter.requires_grad_(requires_grad=False)
        second = train(model, steps=2)
    assert losses_of(run) == pytest.approx(first + second)


class Checkpointed(nn.Module):
    """Autograd sees none of its parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = small()

    def forward(self, x: Tensor) -> Any:
        return checkpoint(self.inner, x.requires_grad_(), use_reentrant=True)


def functionally(model: nn.Module, x: Tensor) -> Any:
    return functional_call(model, {k: 1.0 * p for k, p in model.named_parameters()}, (x,))


def with_copies(model: nn.Module, x: Tensor, kind: Any = Tensor.requires_grad_) -> Any:
    copies = {k: kind(p.detach()) for k, p in model.named_parameters()}
    out = functional_call(model, copies, (x,))
    for name, parameter in model.named_parameters():
        copies[name].register_hook(lambda grad, p=parameter: setattr(p, "grad", grad))
    return out


@pytest.mark.parametrize(
    ("make", "call"),
    [
        (Checkpointed, lambda model, x: model(x)),
        (small, functionally),
        (small, with_copies),
        (small, lambda model, x: with_copies(model, x, nn.Parameter)),
        (small, lambda model, x: model[4:](model[:4](x))),  # never called as a whole
    ],
    ids=["reentrant checkpoints", "functional_call", "copies", "other parameters", "parts"],
)
def test_unusual_passes(make: Any, call: Any) -> None:
    model, other = make(), Checkpointed()
    optimizer, expected = sgd(model), []
    with cw.Recorder(model) as run:
        for step in range(3):
            train(other, steps=1)
            x, y = batch(step)
            optimizer.zero_grad()
            loss: Any = functional.cross_entropy(call(model, x), y)
            loss.backward()
            optimizer.step()
            expected.append(loss.item())
    assert losses_of(run) == pytest.approx(expected)
    assert run.error is None


@pytest.mark.slow
def test_compiled_models() -> None:
    for inplace in (False, True):
        model = small()
        if inplace:
            model.compile(backend="aot_eager")
        compiled: Any = model if inplace else torch.compile(model, backend="aot_eager")
        with cw.Recorder(compiled) as run:
            train(small(), steps=2)
            losses = train(compiled, steps=3)
        assert losses_of(run) == pytest.approx(losses)
