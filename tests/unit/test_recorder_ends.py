"""How a run ends: by itself, stopped, or by an error; and what a reader of its files is told."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import cnnwidgets as cw
from cnnwidgets.training.background import Ending
from tests.training import small, train

if TYPE_CHECKING:
    from pathlib import Path

    import torch

BUG = "ValueError: my bug in the loop"


def fails(model: torch.nn.Module) -> None:
    train(model, steps=2)
    raise ValueError("my bug in the loop\nand more of it")


def test_stop_and_pause_are_for_the_background_alone(caplog: pytest.LogCaptureFixture) -> None:
    model = small()
    run = cw.Recorder(model)
    run.stop()
    run.pause()
    assert "nothing runs in the background: run.start(train_fn)" in caplog.text
    losses = threading.Thread(target=train, args=(model,), kwargs={"steps": 3}, daemon=True)
    losses.start()
    losses.join(30)
    assert run.last_step == 3, "it neither hung nor ended"
    run.start(train, model, steps=1)
    assert run.wait(30)
    run.stop()
    run.pause()
    train(model, steps=2)
    assert run.last_step == 6
    assert run.ending is None
    run.close()
    assert run.ending == Ending(6, stopped=False, error=None)


def test_a_loop_of_ones_own_beside_the_background() -> None:
    model, began, more = small(), threading.Event(), threading.Event()

    def waits() -> None:
        began.set()
        more.wait(30)
        train(model, steps=100)

    with cw.Recorder(model) as run:
        run.start(waits)
        assert began.wait(30)
        run.stop()
        train(model, steps=2)
        more.set()
    assert run.last_step == 3, "the background made one, and ended"


def test_an_error_in_the_background(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    model = small()
    run = cw.Recorder(model, directory=tmp_path / "run")
    run.start(fails, model)
    while not run.resting:
        time.sleep(0.01)
    assert str(run.error).startswith("my bug")
    assert run.ending == Ending(2, stopped=False, error=BUG)
    assert "training in the background has failed" in caplog.text
    assert BUG in caplog.text, "with its traceback"
    stored = cw.load_run(tmp_path / "run")
    assert stored.ending == run.ending
    assert not stored.live
    with pytest.raises(ValueError, match="my bug"):
        run.wait()
    assert run.wait(), "it is raised once"
    assert run.error is not None
    train(model, steps=1)
    assert run.ending is None
    assert repr(run.error) == "None"
    assert stored.live
    assert stored.ending is None
    run.close()
    assert stored.ending == Ending(3, stopped=False, error=None)
    assert not stored.live
    stored.close()


def test_an_error_in_the_loop_within(tmp_path: Path) -> None:
    model = small()
    with pytest.raises(ValueError, match="my bug"), cw.Recorder(model, directory=tmp_path) as run:
        fails(model)
    assert run.ending == Ending(2, stopped=False, error=BUG)
    stored = cw.load_run(tmp_path)
    assert stored.ending == run.ending
    stored.close()


def test_closing_after_an_error_lets_go_of_the_model() -> None:
    model, go = small(), threading.Event()

    def fails_late() -> None:
        go.wait(30)
        raise ValueError("my bug")

    run = cw.Recorder(model)
    run.start(fails_late)
    threading.Timer(0.1, go.set).start()
    run.close()
    train(model, steps=1)
    assert run.last_step == 0
    assert run.ending == Ending(0, stopped=False, error="ValueError: my bug")


@pytest.mark.parametrize("interrupted", [False, True])
def test_stopped(tmp_path: Path, interrupted: bool) -> None:  # noqa: FBT001
    model = small()
    run = cw.Recorder(model, directory=tmp_path)
    if interrupted:
        train(model, steps=1)
        with pytest.raises(KeyboardInterrupt), run:
            raise KeyboardInterrupt
    else:
        run.start(train, model, steps=100_000)
        while run.last_step < 1:
            time.sleep(0.01)
        run.stop()
        assert run.wait(30)
        run.close()
    stored = cw.load_run(tmp_path)
    assert stored.ending == run.ending == Ending(run.last_step, stopped=True, error=None)
    stored.close()


def test_a_learning_rate_that_waits() -> None:
    model = small()
    with cw.Recorder(model) as run:
        train(model, steps=1)
        run.set_learning_rate(0.25)
        assert run.pending_rate == 0.25
        train(model, steps=1)
        assert run.pending_rate is None
        wrong: tuple[Any, ...] = ("a", True, None, float("nan"))
        for rate in wrong:
            with pytest.raises(ValueError, match="rate: a positive number, not"):
                run.set_learning_rate(rate)
