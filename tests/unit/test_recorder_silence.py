"""Runs that are silent: idle, killed, or on another machine; and what a monitor says of them."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import cnnwidgets as cw
from cnnwidgets.training import processes, storage
from cnnwidgets.training.history import History
from cnnwidgets.training.pace import Pace
from cnnwidgets.training.processes import Process, this_process
from cnnwidgets.training.run import Run
from cnnwidgets.widgets import monitor_silence
from cnnwidgets.widgets.training_monitor import TrainingMonitor
from tests import trained_until_killed
from tests.kernel import eventually
from tests.training import small, train

pytestmark = pytest.mark.usefixtures("front_end")


def told(monitor: TrainingMonitor) -> dict[str, Any]:
    """What pages are told now."""
    monitor._tell()
    return monitor._runs[0]


def says(monitor: TrainingMonitor) -> tuple[bool, str | None]:
    return told(monitor)["live"], told(monitor)["silence"]


def age(directory: Path, seconds: float) -> None:
    """Have it written to so long ago."""
    for path in directory.glob("run.sqlite*"):
        os.utime(path, (time.time() - seconds,) * 2)


def claim(directory: Path, process: Process | None) -> None:
    """Have it written by another process."""
    with sqlite3.connect(directory / storage.FILE) as database:
        database.execute("DELETE FROM about WHERE key = 'process'")
        if process is not None:
            database.execute("INSERT INTO about VALUES ('process', ?)", [json.dumps(process)])
    database.close()


def test_a_loop_that_has_ended_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    run = cw.Recorder(model)
    monitor = TrainingMonitor(run)
    since = [45.0]
    monkeypatch.setattr(Pace, "idle", property(lambda _: since[0]))
    assert says(monitor) == (True, None), "it waits for the first step"
    train(model, steps=2)
    assert says(monitor) == (True, "idle for 40 s")
    for seconds, said in ((9, None), (10, "10 s"), (61, "1 min"), (3599, "59 min"), (7300, "2 h")):
        since[0] = seconds
        assert says(monitor) == (True, said and f"idle for {said}")
    since[0] = 15
    for duration, said in ((0.7, "idle for 10 s"), (0.8, None)):  # of 20 steps: 14 s, 16 s
        monkeypatch.setattr(monitor_silence, "_usual", lambda _, took=duration: took)
        assert says(monitor) == (True, said)
    monkeypatch.undo()
    assert says(monitor) == (True, None)
    run.close()
    assert says(monitor) == (False, None)
    monitor.close()


def test_how_long_a_step_usually_takes() -> None:
    run = Run("slow", History())
    assert monitor_silence._usual(run) == 0
    for step in range(1, 101):
        run.history.add_scalar("val_loss", 1, 0.0, 1.0)
        run.history.add_scalar("loss", step, step * (5.0 if step > 60 else 1.0), 1.0)
    assert monitor_silence._usual(run) == pytest.approx(5)


def test_time_goes_on_from_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: clock)
    model = small()
    run = cw.Recorder(model)
    clock += 5
    assert run.idle == 0
    train(model, steps=1)
    clock += 7
    assert run.idle == pytest.approx(7)
    train(model, steps=1)
    assert run.idle == 0
    clock += 7
    run.close()
    assert run.idle == 0


def test_pauses_are_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    run = cw.Recorder(model)
    monitor = TrainingMonitor(run)
    run.start(train, model, steps=100_000)
    eventually(lambda: run.last_step > 1)
    run.pause()
    eventually(lambda: run.paused)
    monkeypatch.setattr(Pace, "idle", property(lambda _: 45.0))
    assert told(monitor)["silence"] is None
    run.resume()
    eventually(lambda: not run.paused)
    assert told(monitor)["silence"] == "idle for 40 s"
    run.stop()
    eventually(lambda: run.resting)
    assert run.idle == 0
    assert told(monitor)["silence"] is None
    run.close()
    monitor.close()


def test_a_long_step_is_no_end(tmp_path: Path) -> None:
    model = small()
    run = cw.Recorder(model, directory=tmp_path)
    monitor = TrainingMonitor(tmp_path)
    age(tmp_path, 300)
    assert says(monitor) == (True, None), "it waits for the first step"
    train(model, steps=1)
    assert says(monitor) == (True, None)
    age(tmp_path, 300)
    assert says(monitor) == (True, "idle for 5 min")
    run.close()
    age(tmp_path, 300)
    assert says(monitor) == (False, None)
    monitor.close()


def test_a_killed_process_is_gone_at_once(tmp_path: Path) -> None:
    processing = multiprocessing.get_context("forkserver")
    processing.set_forkserver_preload(["tests.trained_until_killed"])
    process = processing.Process(target=trained_until_killed.main, args=(str(tmp_path),))
    process.start()
    said = tmp_path / trained_until_killed.SAID
    eventually(lambda: said.exists() and said.read_text(), 60)
    monitor = TrainingMonitor(tmp_path)
    assert says(monitor) == (True, None)
    process.kill()
    eventually(lambda: says(monitor) == (False, "its process is gone"))
    process.join()
    assert says(monitor) == (False, "its process is gone")
    run = cw.load_run(tmp_path)
    assert (run.live, run.ending) == (False, None)
    assert run.last_step > 0
    run.close()
    monitor.close()


def test_another_machine_is_judged_by_when_it_wrote(tmp_path: Path) -> None:
    model = small()
    with cw.Recorder(model, directory=tmp_path):
        train(model, steps=1)
    with sqlite3.connect(tmp_path / storage.FILE) as database:
        database.execute("DELETE FROM about WHERE key = 'ended'")
    database.close()
    away = Process(("node7", "", ""), 1, "1")
    for process in (away, None):  # the latter is of an earlier version
        claim(tmp_path, process)
        monitor = TrainingMonitor(tmp_path)
        assert says(monitor) == (True, None)
        age(tmp_path, 20)
        assert says(monitor) == (True, "no news for 20 s")
        age(tmp_path, 200)
        assert says(monitor) == (False, "no news for 3 min")
        monitor.close()


@pytest.mark.skipif(not Path(processes.STAT.format("self")).exists(), reason="there is no /proc")
def test_a_process_that_is_not_yet_buried() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = this_process()._replace(pid=child.pid, born=processes._stat(child.pid)[1])
        assert process.alive
        child.kill()
        eventually(lambda: process.alive is False)
        assert Path(processes.STAT.format(child.pid)).exists(), "nobody has waited for it"


def test_numbers_of_processes_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    here = this_process()
    assert here.pid == os.getpid()
    assert here.alive
    if here.born:  # the system tells
        assert here._replace(born="1").alive is False
    assert here._replace(pid=2**30).alive is False
    assert here._replace(host=("node7", *here.host[1:])).alive is None
    assert here._replace(host=(*here.host[:2], "pid:[1]")).alive is None, "in another container"
    monkeypatch.setattr(processes, "STAT", "/nowhere/{}")  # as on macOS
    plain = this_process()
    assert plain.born == ""
    assert plain.alive
    assert plain._replace(pid=2**30).alive is False
    monkeypatch.setattr(sys, "platform", "win32")
    assert plain.alive is None
