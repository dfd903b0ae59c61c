"""Training in a thread: paused, resumed, stopped, at another rate, always between steps."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import torch

import cnnwidgets as cw
from tests.training import batch, loss_of, small, train

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 100_000


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.005)


def test_train_pause_resume_stop() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    run = cw.Recorder(model, every=1)
    run.start(train, model, optimizer, steps=LONG)
    assert run.running
    assert not run.resting
    until(lambda: run.last_step > 3)
    run.pause()
    until(lambda: bool(run.paused))
    held, weights = run.last_step, model[0].weight.detach().clone()
    time.sleep(0.2)
    assert run.last_step == held
    assert torch.equal(model[0].weight, weights)  # between two steps
    assert len(run.steps) == held
    run.resume()
    until(lambda: run.last_step > held + 3)
    run.stop()
    assert run.wait(30)
    assert not run.running
    assert run.resting
    ended = run.last_step
    assert run.snapshots[-1] == ended
    assert torch.equal(run.weights(ended)["0.weight"], model[0].weight)
    run.start(train, model, optimizer, steps=2)  # goes on where it was
    assert run.wait(30)
    assert run.last_step == ended + 2
    run.close()
    assert run.error is None


def test_stop_while_paused() -> None:
    model = small()
    run = cw.Recorder(model)
    run.pause()
    run.start(train, model, steps=LONG)
    run.pause()
    until(lambda: bool(run.paused))
    run.close()
    assert not run.running


def test_another_learning_rate_while_it_runs() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with cw.Recorder(model) as run:
        run.start(train, model, optimizer, steps=LONG)
        until(lambda: run.last_step > 2)
        run.set_learning_rate(0.002)
        until(lambda: run.scalars["learning_rate"].values[-1] == 0.002)
        run.stop()
    rates = run.scalars["learning_rate"].values
    assert rates[0] == 0.01
    assert set(rates) == {0.01, 0.002}
    assert optimizer.param_groups[0]["lr"] == 0.002
    with pytest.raises(ValueError, match="rate: a positive number, not -1"):
        run.set_learning_rate(-1)


def test_what_the_function_raises_is_raised_by_wait() -> None:
    def fails() -> None:
        train(model, steps=2)
        raise ZeroDivisionError("of the user")

    model = small()
    with pytest.raises(ZeroDivisionError, match="of the user"), cw.Recorder(model, every=1) as run:
        run.start(fails)
    assert run.steps == [1, 2]
    assert not run.running


def test_an_interrupt_is_a_clean_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        train(model, steps=2)
        raise KeyboardInterrupt

    model = small()
    with cw.Recorder(model) as run:
        run.start(interrupted)
    assert run.last_step == 2

    run = cw.Recorder(model)
    run.start(train, model, steps=LONG)
    until(lambda: run.last_step > 1)
    join, interrupts = threading.Thread.join, [KeyboardInterrupt()]

    def interrupted_once(self: threading.Thread, timeout: float | None = None) -> None:
        if interrupts:
            raise interrupts.pop()
        join(self, timeout)

    monkeypatch.setattr(threading.Thread, "join", interrupted_once)
    assert run.wait()
    assert not run.running
    run.close()


def test_what_stops_it_is_no_exception() -> None:
    def stubborn() -> None:
        for _ in range(LONG):
            try:
                train(model, steps=1)
            except Exception:  # noqa: BLE001, PERF203 - as loops do
                pytest.fail("it is no Exception")

    model = small()
    with cw.Recorder(model) as run:
        run.start(stubborn)
        until(lambda: run.last_step > 1)
        run.stop()
    assert run.error is None


def test_only_one_at_a_time() -> None:
    model = small()
    with cw.Recorder(model) as run:
        run.start(train, model, steps=LONG)
        with pytest.raises(RuntimeError, match="running already"):
            run.start(train, model)
        run.stop()
    with cw.Recorder(model) as run, pytest.raises(TypeError, match="train_fn: a function"):
        run.start(train(model, steps=1))  # type: ignore[arg-type]


def test_reading_while_it_trains() -> None:
    model = small()
    errors: list[Any] = []
    with cw.Recorder(model, every=1, probe=batch(0)[0]) as run:
        run.start(train, model, steps=60)
        while run.running:
            try:
                steps = run.steps
                if steps:
                    found = run.histograms("0")
                    assert found.shares.shape == (len(found.steps), 249)
                    assert run.probed(steps[-1]) is not None
                    assert run.model_at(steps[-1])(batch(0)[0]).shape == (8, 4)
                    repr(run)
            except Exception as error:  # noqa: BLE001, PERF203
                errors.append(error)
                break
    assert errors == []
    assert run.last_step == 60
    assert loss_of(model, 0) < 1.5
