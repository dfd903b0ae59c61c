"""A run in a directory: read while it goes on, after a kill, and when something is wrong."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.training import history, storage
from tests import trained_until_killed
from tests.training import batch, small, train

if TYPE_CHECKING:
    from pathlib import Path

    from cnnwidgets.training.run import Run

KILLS = 20


def same(one: Run, other: Run) -> None:
    """Fail unless two runs know the same."""
    assert one.name == other.name
    assert one.steps == other.steps
    assert one.layers == other.layers
    assert one.findings == other.findings
    assert one.notes == other.notes
    assert one.snapshots == other.snapshots
    for name, curve in one.scalars.items():
        for left, right in zip(curve, other.scalars[name], strict=True):
            np.testing.assert_array_equal(left, right)
    for layer in one.layers:
        assert one.quantities(layer) == other.quantities(layer)
        for quantity in one.quantities(layer):
            numbers, others = (np.stack(run.statistics(layer, quantity)) for run in (one, other))
            np.testing.assert_array_equal(numbers, others)
            before, after = (run.histograms(layer, quantity).shares for run in (one, other))
            np.testing.assert_array_equal(before, after)


def test_what_is_stored_is_what_was_recorded(tmp_path: Path) -> None:
    model = small()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    name = "it's <b>; DROP TABLE points"
    with cw.Recorder(
        model, name, every=1, directory=tmp_path / "run", probe=batch(0)[0], snapshots=4
    ) as run:
        train(model, optimizer, 30)
        run.log(val_loss=float("nan"), **{"hostile '; --": 1.0})
    loaded = cw.load_run(tmp_path / "run")
    same(run, loaded)
    assert len(run.snapshots) <= 5
    assert (run.snapshots[0], run.snapshots[-1]) == (0, 30)
    for step in run.snapshots:
        left, right = run.weights(step), loaded.weights(step)
        assert left.keys() == right.keys()
        assert all(torch.equal(left[key], right[key]) for key in left)
        probed, again = run.probed(step), loaded.probed(step)
        assert probed is not None
        assert again is not None
        assert torch.equal(probed.output, again.output)
        assert torch.equal(probed.activations["3"], again.activations["3"])
    x = batch(5)[0]
    assert torch.equal(loaded.model_at(30, small())(x), model.eval()(x))
    with pytest.raises(ValueError, match="model: the run was read from files"):
        loaded.model_at(30)
    loaded.close()


def test_a_run_is_read_while_it_goes_on(tmp_path: Path) -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1, directory=tmp_path) as run:
        loaded = cw.load_run(tmp_path)
        assert loaded.steps == []
        train(model, optimizer, 3)
        assert loaded.steps == [1, 2, 3]
        train(model, optimizer, 3)
        same(run, loaded)
    same(run, loaded)


def test_halved_buffers_are_stored_halved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "POINTS", 16)
    monkeypatch.setattr(history, "ROWS", 8)
    monkeypatch.setattr(history, "_FEWEST", 8)
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1, directory=tmp_path, snapshots=0) as run:
        loaded = cw.load_run(tmp_path)
        for _ in range(40):
            train(model, optimizer, 1)
            assert loaded.steps == run.steps
            ours, read = run.scalars["loss"], loaded.scalars["loss"]
            assert ours.values.tolist() == read.values.tolist()
        same(run, loaded)
    assert 4 <= len(run.steps) <= 8
    same(run, cw.load_run(tmp_path))


@pytest.mark.slow
def test_every_completed_step_survives_kill_minus_nine(tmp_path: Path) -> None:
    dice = np.random.default_rng(4)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.trained_until_killed"])
    for kill in range(KILLS):
        directory = tmp_path / str(kill)
        process = processes.Process(target=trained_until_killed.main, args=(str(directory),))
        process.start()
        said = directory / trained_until_killed.SAID
        while not (said.exists() and said.read_text()):  # until it trains
            assert process.is_alive()
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.2))
        process.kill()
        process.join()
        completed = int(said.read_text().split("\n")[-2])
        run = cw.load_run(directory)
        assert run.steps == list(range(1, len(run.steps) + 1))
        assert completed <= len(run.steps) <= completed + 1
        assert run.scalars["loss"].steps[: len(run.steps)].tolist() == run.steps
        for step in run.snapshots:
            assert run.weights(step).keys() == small().state_dict().keys()


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(OSError, match=r"directory: .*file.* cannot be written"):
        cw.Recorder(small(), directory=tmp_path / "file" / "run")


def test_a_full_disk_ends_storing_not_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1, directory=tmp_path) as run:
        train(model, optimizer, 3)
        store = run._recording._store
        assert store is not None
        pages = store._database.execute("PRAGMA page_count").fetchone()[0]
        store._database.execute(f"PRAGMA max_page_count = {pages}")
        train(model, optimizer, 7)
    assert run.error is None
    assert run.steps == list(range(1, 11))
    assert "on, recording goes on in memory: database or disk is full" in run.notes[0]
    assert "nothing is written" in caplog.text
    assert run.weights(2).keys() == run.weights(10).keys()
    stored = cw.load_run(tmp_path).steps
    assert 3 <= len(stored) < 10
    assert stored == run.steps[: len(stored)]


def test_a_directory_with_a_run_keeps_it(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        model = small()
        with cw.Recorder(model, name, directory=tmp_path / "run") as run:
            train(model, steps=2)
        assert run.directory is not None
    names = [cw.load_run(tmp_path / folder).name for folder in ("run", "run-2", "run-3")]
    assert names == ["one", "two", "three"]


@pytest.mark.skipif(sys.platform == "win32", reason="such names are not possible there")
def test_a_directory_of_a_hostile_name(tmp_path: Path) -> None:
    directory = tmp_path / "a?b#c%41 'd' \"é\n"
    model = small()
    with cw.Recorder(model, directory=directory) as run:
        train(model, steps=2)
    same(run, cw.load_run(directory))
    assert os.listdir(tmp_path) == [directory.name]  # noqa: PTH208


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="directory: there is no run in"):
        cw.load_run(tmp_path / "nothing")
    path = tmp_path / storage.FILE
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="was not written to the end"):
        cw.load_run(tmp_path)
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ValueError, match="is damaged"):
        cw.load_run(tmp_path)


def test_a_run_of_another_version(tmp_path: Path) -> None:
    model = small()
    with cw.Recorder(model, directory=tmp_path):
        train(model, steps=1)
    with sqlite3.connect(tmp_path / storage.FILE) as database:
        database.execute(f"PRAGMA user_version = {storage.FORMAT + 1}")
    database.close()
    with pytest.raises(ValueError, match=r"has format 3, .* reads 2: pip install --upgrade"):
        cw.load_run(tmp_path)
    with sqlite3.connect(tmp_path / storage.FILE) as database:
        database.execute("PRAGMA user_version = 1")
    database.close()
    with pytest.raises(ValueError, match=r"has format 1, .* reads 2: record it again"):
        cw.load_run(tmp_path)


def test_a_damaged_snapshot_is_passed_over(tmp_path: Path) -> None:
    model = small()
    with cw.Recorder(model, directory=tmp_path, every=1) as run:
        train(model, steps=3)
    loaded = cw.load_run(tmp_path)
    (tmp_path / "snapshots" / "step-2.safetensors").write_bytes(b"torn")
    assert torch.equal(loaded.weights(2)["0.weight"], run.weights(1)["0.weight"])
