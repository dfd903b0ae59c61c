"""What a training monitor must survive: odd runs, directories, closing, and its exported page."""

from __future__ import annotations

import gc
import itertools
import json
import math
import shutil
import sqlite3
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from torch import nn

import cnnwidgets as cw
from cnnwidgets.training.findings import Finding
from cnnwidgets.training.history import History
from cnnwidgets.training.run import Run
from cnnwidgets.training.table import FIELDS, WIDTH, Table
from cnnwidgets.widgets.training_monitor import TrainingMonitor
from tests.kernel import Browser, eventually
from tests.monitoring import Held, recorded
from tests.training import loss_of, small, train

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("front_end")

PAGES = itertools.count(1)
EVIL = "</script><script>alert(1)</script>$x_$\n\udc80"


def monitor_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "cnnwidgets monitor"]


def works(monitor: TrainingMonitor, run: Run) -> None:
    """It answers what the run says, and can be drawn."""
    page = Browser(monitor, f"page {next(PAGES)}")
    Held().begin(page.request("history", run="0")).same_as(run, list(run.history.keys))
    assert monitor._repr_mimebundle_() is not None
    assert monitor.error is None


def test_nothing_is_recorded_yet() -> None:
    run = cw.Recorder(small(), snapshots=0)
    monitor = TrainingMonitor(run)
    assert (monitor.step, monitor.layer) == (0, "")
    works(monitor, run)
    monitor.layer = "3"  # the model tells what there will be
    with pytest.raises(ValueError, match="layer: '33' was not recorded"):
        monitor.layer = "33"
    train(run.model, steps=1)  # type: ignore[arg-type]
    run.close()
    eventually(lambda: not monitor._runs[0]["live"])
    assert monitor.layer == "3"
    works(monitor, run)
    monitor.close()


def test_scalars_alone() -> None:
    run = Run("scalars", History())
    for step in range(5):
        run.history.add_scalar("acc/<b>val</b>", step, step, step / 5)
    monitor = TrainingMonitor(run)
    works(monitor, run)
    assert (monitor.layer, monitor.step) == ("", 4)
    monitor.layer = "anything"  # nothing says that there is none
    page = Browser(monitor)
    asked: dict[str, Any] = {"run": "0", "step": 0, "layer": "a", "picture": 0}
    assert "no snapshots" in page.refusal("maps", what="filters", **asked)
    monitor.close()


def test_event_files_with_histograms(tmp_path: Path) -> None:
    recorded(3).to_tensorboard(tmp_path)
    run = cw.load_tensorboard(tmp_path)
    monitor = TrainingMonitor(run, layer="3", quantity="gradients")
    works(monitor, run)
    assert monitor._runs[0]["model"] == ""
    monitor.close()


def test_nan_and_infinity() -> None:
    run = Run("broken", History())
    for step, value in enumerate([1.0, math.nan, math.inf, -math.inf, 1e300], 1):
        run.history.add_scalar("loss", step, step, value)
        run.history.add_scalar("learning_rate", step, step, math.nan)
        row = np.full((2, WIDTH), min(value, 1e38), np.float32)
        row[:, len(FIELDS) :] = row[:, len(FIELDS) :].clip(0, 1)
        run.history.add_table(step, step, Table((("a", "weights"), ("b", "weights")), row))
    evidence = {"loss": math.nan, "rate": math.inf, "step": 3.0}
    run.history.findings.append(Finding("not finite", "error", 2, "a", evidence, "NaN <b>"))
    monitor = TrainingMonitor(run)
    told = monitor.comm.state["_runs"][0]  # survived strict JSON
    assert told["findings"][0]["evidence"] == {"loss": None, "rate": None, "step": 3.0}
    assert told["rate"] is None
    assert Browser(monitor).request("history", run="0").value["last_step"] == 5
    for log_y in (False, True):
        monitor.log_y = log_y
        monitor.step = 2
        assert "not finite" in str([t.get_text() for t in monitor.figure().texts])
    monitor.close()


def test_a_run_that_breaks() -> None:
    model = small()
    with cw.Recorder(model, every=1) as run:
        train(model, steps=2)
        with torch.no_grad():
            model[0].weight.fill_(math.nan)
        train(model, steps=3)
    monitor = TrainingMonitor(run)
    works(monitor, run)
    (found,) = [one for one in monitor._runs[0]["findings"] if one["kind"] == "not finite"]
    assert (found["step"], found["layer"]) == (3, "0")
    monitor.close()


def test_hostile_names(tmp_path: Path) -> None:
    model = nn.Sequential()
    model.add_module("<img src=x onerror=alert(1)>$", nn.Linear(2, 2))
    names = [EVIL, "$"]
    net = cw.Network(nn.Sequential(nn.Flatten(), model), classes=names, input_size=(1, 1, 2))
    with cw.Recorder(net, EVIL, every=1, probe=torch.rand(1, 1, 1, 2)) as run:
        net.model(torch.rand(2, 1, 1, 2)).sum().backward()
        torch.optim.SGD(net.model.parameters(), 0.1).step()
        run.log(**{"_$loss</script>": 1.0})
    monitor = TrainingMonitor(run)
    works(monitor, run)
    told = monitor.comm.state["_runs"][0]
    assert told["name"].encode() == EVIL.replace("\udc80", "?").encode()
    page = monitor.to_html(tmp_path / "page.html").read_text()
    assert "<script>alert(1)" not in page
    assert "<img" not in page
    monitor.close()


def test_a_directory_that_another_recorder_writes(tmp_path: Path) -> None:
    model = small()
    run = cw.Recorder(
        model, "stored", directory=tmp_path / "run", every=1, probe=torch.rand(2, 1, 10, 10)
    )
    monitor = TrainingMonitor(tmp_path / "run")
    assert monitor._runs[0]["model"] == "Sequential"
    assert monitor._runs[0]["live"]
    page = Browser(monitor)
    page.send("hello")
    train(model, steps=5)
    eventually(lambda: page.frames() and monitor.step == 5)
    run.close()
    assert page.request("pictures", run="0").tensors[0].shape == (2, 10, 10, 1)
    asked = {"run": "0", "step": run.snapshots[-1], "layer": "3", "picture": 1}
    (maps,) = page.request("maps", what="maps", **asked).tensors
    probed = run.probed(run.snapshots[-1])
    assert probed is not None
    expected = probed.activations["3"][1].float()
    np.testing.assert_allclose(maps, expected, atol=float(expected.abs().max()) / 200)
    assert page.request("predictions", run="0").value["steps"] == run.snapshots
    (stored,) = monitor.runs
    works(monitor, stored)
    assert not page.request("control", run="0", action="pause").content["ok"]
    monitor.close()
    with pytest.raises(sqlite3.ProgrammingError):  # opened by the monitor, closed by it
        stored._database.execute("SELECT 1")  # type: ignore[attr-defined]


def test_a_directory_that_vanishes(tmp_path: Path) -> None:
    run = recorded(3, directory=tmp_path / "run")
    loaded = cw.load_run(tmp_path / "run")
    monitor = TrainingMonitor(loaded, recorded(2))
    shutil.rmtree(tmp_path / "run")
    eventually(lambda: "is gone; what was read of it stays" in str(monitor._runs[0]["error"]))
    assert not monitor._runs[0]["live"]
    assert monitor._runs[1]["error"] is None
    page = Browser(monitor)
    assert page.request("history", run="0").value["last_step"] == 3
    assert "no snapshots" in page.refusal(
        "maps", run="0", step=0, layer="3", what="maps", picture=0
    )
    assert len(monitor.figure().axes) > 2
    assert run.steps == [1, 2, 3]
    monitor.close()
    assert loaded.steps == [1, 2, 3]  # what was given stays open


def test_two_directories_one_of_which_is_none(tmp_path: Path) -> None:
    recorded(2, directory=tmp_path / "run")
    threads = len(monitor_threads())
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="there is no run in"):
        TrainingMonitor(tmp_path / "run", str(tmp_path / "empty"))
    (tmp_path / "empty" / "run.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(ValueError, match="is damaged"):
        TrainingMonitor(tmp_path / "run", str(tmp_path / "empty"))
    assert len(monitor_threads()) == threads


def test_opening_and_closing_leaves_nothing(tmp_path: Path) -> None:
    recorded(2, directory=tmp_path / "run")
    run = recorded(2)
    widgets, threads = len(_instances), len(monitor_threads())
    kept: list[weakref.ref[Any]] = []
    for _ in range(50):
        monitor = TrainingMonitor(run, tmp_path / "run")
        page = Browser(monitor)
        page.send("hello")
        page.request("maps", run="1", step=0, layer="3", what="maps", picture=0)
        kept += [weakref.ref(monitor), *map(weakref.ref, monitor.runs[1:])]
        monitor.close()
        monitor.close()  # twice does no harm
        assert monitor.runs == ()
    del monitor, page
    eventually(lambda: len(monitor_threads()) == threads)
    assert len(_instances) == widgets
    for _ in range(3):  # the worker lets go of its last job a little later
        gc.collect()
    eventually(lambda: gc.collect() is not None and not [one for one in kept if one()])


def test_closing_lets_go_of_the_run() -> None:
    run = recorded(2)
    monitor = TrainingMonitor(run)
    Browser(monitor).send("hello")
    Browser(monitor).request("history", run="0")
    gone = weakref.ref(run)
    monitor.close()
    del run
    eventually(lambda: gc.collect() is not None and gone() is None)
    with pytest.raises(ValueError, match="shows no run"):
        monitor.answer("history", {"run": "0"})
    assert repr(monitor) == "TrainingMonitor()"
    with pytest.raises(RuntimeError, match="the monitor is closed: make another one"):
        monitor.layer = "3"


def test_closing_in_mid_run() -> None:
    model = small()
    run = cw.Recorder(model, every=1)
    monitor = TrainingMonitor(run)
    Browser(monitor).send("hello")
    run.start(train, model, steps=100_000)
    eventually(lambda: monitor.step > 2)
    monitor.close()
    last = run.last_step
    eventually(lambda: run.last_step > last + 2)
    again = TrainingMonitor(run)  # and displayed anew
    Held().begin(Browser(again).request("history", run="0"))
    run.close()
    assert run.error is None
    again.close()


def test_displayed_only_afterwards() -> None:
    model = small()
    with cw.watch(model, every=1) as run:
        train(model, steps=3)
    eventually(lambda: not run.monitor._runs[0]["live"])
    assert run.monitor._repr_mimebundle_() is not None  # the first time that it is shown
    page = Browser(run.monitor)
    page.send("hello")
    held = Held().begin(page.request("history", run="0"))
    held.same_as(run, run.monitor._runs[0]["keys"])
    assert (run.monitor.step, run.monitor.layer) == (3, "0")
    run.monitor.close()


def test_displayed_in_two_cells() -> None:
    model = small()
    run = cw.Recorder(model, every=1)
    monitor, other = TrainingMonitor(run), TrainingMonitor(run)
    pages = [Browser(monitor, "one"), Browser(monitor, "two"), Browser(other, "three")]
    for page in pages:
        page.send("hello")
        page.request("history", run="0")
    train(model, steps=2)
    for page in pages:
        eventually(page.frames)
    pages[0].set(layer="3", follow=False, step=1)
    assert (other.layer, other.step, other.follow) != ("3", 1, False)
    pages[0].send("bye")  # its cell is cleared
    other.close()
    train(model, steps=2)
    run.close()
    eventually(lambda: not monitor._runs[0]["live"])
    Held().begin(pages[1].request("history", run="0")).same_as(run, monitor._runs[0]["keys"])
    assert run.steps == [1, 2, 3, 4]
    assert run.error is None
    monitor.close()


def interrupted(model: Any) -> None:
    loss_of(model, 0).backward()
    raise KeyboardInterrupt


def test_the_training_cell_is_interrupted_and_run_again() -> None:
    model = small()
    run = cw.watch(model, every=1)
    with pytest.raises(KeyboardInterrupt):
        interrupted(model)
    train(model, steps=3)
    with pytest.raises(KeyboardInterrupt), run:
        interrupted(model)
    eventually(lambda: not run.monitor._runs[0]["live"])
    works(run.monitor, run)
    with cw.watch(model, every=1) as second:
        train(model, steps=2)
    works(second.monitor, second)
    assert second.steps == [1, 2]
    run.monitor.close()
    second.monitor.close()


def test_what_is_logged_after_the_end_is_shown() -> None:
    run = recorded(2)
    monitor = TrainingMonitor(run)
    page = Browser(monitor)
    page.send("hello")
    held = Held().begin(page.request("history", run="0"))
    run.log(test_accuracy=0.75)
    eventually(page.frames)
    frame = next(m for m in page.comm.custom() if m.content["kind"] == "frame")
    assert held.hear(frame.content["value"], frame.tensors)
    held.same_as(run, monitor._runs[0]["keys"])
    monitor.close()


def test_the_exported_page(tmp_path: Path) -> None:
    run = recorded(4)
    monitor = TrainingMonitor(run, layer="3")
    path = monitor.to_html(tmp_path / "page.html")
    document = json.loads(path.read_text().split('class="cnnw-document">')[1].split("</script>")[0])
    asked = [(reply["name"], reply["args"]) for reply in document["replies"]]
    assert [name for name, _ in asked[:3]] == ["history", "predictions", "pictures"]
    maps = [args for name, args in asked if name == "maps"]
    steps = len(run.snapshots)
    per_step = 1 + 2 * 3  # filters, maps and gradients of three pictures
    assert {one["layer"] for one in maps[: steps * per_step]} == {"3"}
    assert [one["step"] for one in maps[: steps * per_step : per_step]] == run.snapshots[::-1]
    assert {one["layer"] for one in maps} == set(run.layers)
    assert document["state"]["_runs"][0]["snapshots"]["steps"] == run.snapshots
    monitor.close()


def test_an_export_that_is_too_large_says_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor = TrainingMonitor(recorded(4), layer="3")
    path = monitor.to_html(tmp_path / "page.html", limit=40_000)
    assert path.stat().st_size <= 40_000
    assert "maps and filters of" in capsys.readouterr().out
    assert "history" in path.read_text()
    with pytest.raises(ValueError, match="limit: the page needs"):
        monitor.to_html(tmp_path / "small.html", limit=100)
    monitor.close()
