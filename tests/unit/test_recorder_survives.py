"""What befalls a run: other types, other parameters, NaN, interrupts, directories that break."""

from __future__ import annotations

import random
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import cnnwidgets as cw
from cnnwidgets.training import storage
from tests.training import batch, loss_of, small, train

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["data", "swapped", "new"])
def conversion(request: pytest.FixtureRequest) -> Iterator[str]:
    """How ``model.to`` changes parameters: their data, what they are, or it makes others."""
    torch.__future__.set_swap_module_params_on_conversion(request.param == "swapped")
    torch.__future__.set_overwrite_module_params_on_conversion(request.param == "new")
    yield request.param
    torch.__future__.set_swap_module_params_on_conversion(value=False)
    torch.__future__.set_overwrite_module_params_on_conversion(False)


def test_a_model_moved_in_mid_run(conversion: str) -> None:
    model = small()
    first = model[0].weight
    with cw.Recorder(model, every=1, snapshots=16) as run:
        train(model, steps=3)
        model.double()
        assert (model[0].weight is first) == (conversion != "new")
        optimizer = torch.optim.SGD(model.parameters(), 0.05)
        for step in range(3):
            optimizer.zero_grad()
            x, y = batch(step)
            loss: Any = functional.cross_entropy(model(x.double()), y)
            loss.backward()
            optimizer.step()
    assert run.error is None
    assert run.steps == [1, 2, 3, 4, 5, 6]
    for quantity in ("weights", "gradients", "activations"):
        assert (run.statistics("3", quantity).norm > 0).all()
    assert run.statistics("3").norm[-1] == pytest.approx(float(model[3].weight.detach().norm()))
    for step in (2, 5):  # one from before, one from after
        then = run.model_at(step)
        assert then.get_parameter("0.weight").dtype == torch.float64
        assert torch.equal(then.get_parameter("0.weight"), run.weights(step)["0.weight"].double())
    assert run.weights(2)["0.weight"].dtype == torch.float32


def test_nan_from_step_3() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1, probe=batch(0)[0]) as run:
        for step in range(8):
            optimizer.zero_grad()
            loss = loss_of(model, step) * (np.nan if step >= 2 else 1)
            loss.backward()
            optimizer.step()
    assert run.error is None
    assert run.steps == list(range(1, 9))
    assert np.isnan(run.scalars["loss"].values).tolist() == [False] * 2 + [True] * 6
    assert {one.step for one in run.findings if one.kind == "not finite"} == {3}
    assert run.model_at(2)(batch(0)[0]).isfinite().all()
    probed = run.probed(8)
    assert probed is not None


def test_an_interrupted_cell_is_run_again(tmp_path: Path) -> None:
    model = small()

    def cell(interrupted: int) -> cw.Recorder:
        with cw.Recorder(model, every=1, directory=tmp_path / "run") as run:
            optimizer = torch.optim.SGD(model.parameters(), 0.05)
            for step in range(6):
                optimizer.zero_grad()
                loss = loss_of(model, step)
                if step == interrupted:
                    runs.append(run)
                    raise KeyboardInterrupt
                loss.backward()
                optimizer.step()
        return run

    runs: list[cw.Recorder] = []
    with pytest.raises(KeyboardInterrupt):
        cell(3)
    runs.append(cell(-1))
    assert [run.steps for run in runs] == [[1, 2, 3], [1, 2, 3, 4, 5, 6]]
    assert [run.error for run in runs] == [None, None]
    for run, name in zip(runs, ("run", "run-2"), strict=True):
        assert cw.load_run(tmp_path / name).steps == run.steps
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


@pytest.mark.parametrize("broken", ["database", "snapshots"])
def test_a_directory_that_turns_read_only(tmp_path: Path, broken: str) -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1, directory=tmp_path) as run:
        train(model, optimizer, 3)
        if broken == "database":
            store = run._recording._store
            assert store is not None
            store._database.execute("PRAGMA query_only = ON")
        else:  # as root may write anywhere, there is a file in the folder's place
            shutil.rmtree(tmp_path / storage.SNAPSHOTS)
            (tmp_path / storage.SNAPSHOTS).write_text("here")
        train(model, optimizer, 4)
    assert run.error is None
    assert run.steps == [1, 2, 3, 4, 5, 6, 7]
    assert "recording goes on in memory" in run.notes[0]
    assert torch.equal(run.weights(7)["0.weight"], model[0].weight)
    assert cw.load_run(tmp_path).steps[:3] == [1, 2, 3]


def stored(directory: Path) -> bytes:
    model = small()
    with cw.Recorder(model, every=1, directory=directory) as run:
        train(model, steps=4)
        run.log(accuracy=0.5)
    with sqlite3.connect(directory / storage.FILE) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return (directory / storage.FILE).read_bytes()


@pytest.mark.parametrize("seed", range(12))
def test_a_torn_or_damaged_file_says_so(tmp_path: Path, seed: int) -> None:
    whole = stored(tmp_path)
    draw = random.Random(seed)  # noqa: S311 - no secret
    damaged = bytearray(whole)
    if seed % 2:
        del damaged[draw.randrange(len(whole)) :]
    else:
        for _ in range(40):
            damaged[draw.randrange(100, len(whole))] = draw.randrange(256)
    (tmp_path / storage.FILE).write_bytes(damaged)
    try:
        run = cw.load_run(tmp_path)
        steps = run.steps
        assert steps == sorted(steps)
        for layer in run.layers:
            for quantity in run.quantities(layer):
                run.histograms(layer, quantity)
        assert repr(run)
        assert run.findings is not None
    except ValueError as error:
        assert str(error).startswith("directory: ")  # noqa: PT017 - or there is none
