"""What a monitor's pages are told of a run that ends, and words for wrong arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.widgets.training_monitor import TrainingMonitor
from tests.kernel import eventually
from tests.training import small, train

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("front_end")

BUG = "ValueError: my <b>bug</b>"


def told(monitor: TrainingMonitor) -> dict[str, Any]:
    monitor._tell()
    return monitor._runs[0]


def fails(model: torch.nn.Module) -> None:
    train(model, steps=2)
    raise ValueError("my <b>bug</b>")


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    model = small()
    run = cw.Recorder(model, directory=tmp_path / "run")
    monitor, other = TrainingMonitor(run), TrainingMonitor(tmp_path / "run")
    run.start(fails, model)
    eventually(lambda: monitor._runs[0]["error"] == BUG)
    eventually(lambda: other._runs[0]["error"] == BUG)
    assert (told(monitor)["live"], told(monitor)["stopped"]) == (False, False)
    train(model, steps=1)  # mended
    eventually(lambda: monitor._runs[0]["error"] is None and monitor._runs[0]["live"])
    run.close()
    monitor.close()
    other.close()


def test_a_stopped_run_says_so(tmp_path: Path) -> None:
    model = small()
    run = cw.Recorder(model, directory=tmp_path / "run")
    monitor, other = TrainingMonitor(run), TrainingMonitor(tmp_path / "run")
    run.start(train, model, steps=100_000)
    eventually(lambda: run.last_step > 1)
    assert not told(monitor)["stopped"]
    run.stop()
    assert run.wait(30)
    for one in (monitor, other):
        eventually(lambda: all(one._runs[0]["stopped"] for one in (monitor, other)))
        assert not one._runs[0]["live"]
        assert one._runs[0]["error"] is None
        assert one._runs[0]["silence"] is None
        one.close()
    run.close()


def test_a_learning_rate_that_waits() -> None:
    model = small()
    with cw.Recorder(model) as run:
        monitor = TrainingMonitor(run)
        train(model, steps=1)
        run.set_learning_rate(0.25)
        assert (told(monitor)["rate"], told(monitor)["pending_rate"]) == (0.05, 0.25)
        train(model, torch.optim.SGD(model.parameters(), 0.05), steps=2)
        assert (told(monitor)["rate"], told(monitor)["pending_rate"]) == (0.25, None)
        monitor.close()


def test_steps_are_from_0_on() -> None:
    with cw.Recorder(small()) as run:
        monitor = TrainingMonitor(run)
        with pytest.raises(ValueError, match="step: a step from 0 on, not -5"):
            monitor.step = -5
        with pytest.raises(ValueError, match="pinned: a step from 0 on, not -1"):
            monitor.pinned = -1
        monitor.pinned = None
        assert monitor.step == 0
        monitor.close()


def test_watch_names_its_own_keywords() -> None:
    with pytest.raises(TypeError, match=r"^watch: there is no keyword 'smooth'.*'smoothing'"):
        cw.watch(small(), smooth=0.5)
    with pytest.raises(TypeError, match=r"^watch: there is no keyword 'prob'.*'probe'"):
        cw.watch(small(), prob=None)
