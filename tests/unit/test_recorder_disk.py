"""A disk that is full: the system refuses to let files grow any further."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

import cnnwidgets as cw
from tests.training import small, train

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

resource = pytest.importorskip("resource", reason="files cannot be limited on this system")


@contextmanager
def full(most: int) -> Iterator[None]:
    """Let no file of this process be larger than so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def large() -> nn.Module:
    """A snapshot of it is larger than all else that is written of it."""
    return nn.Sequential(nn.Flatten(), nn.Linear(100, 1000), nn.ReLU(), nn.Linear(1000, 4))


@pytest.mark.parametrize("what", ["snapshots", "database"])
def test_recording_goes_on_in_memory(tmp_path: Path, what: str) -> None:
    model = large() if what == "snapshots" else small()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with cw.Recorder(model, every=1, directory=tmp_path) as run:
        train(model, optimizer, 3)
        sizes = [path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()]
        with full(max(sizes) // 2 if what == "snapshots" else max(sizes)):
            train(model, optimizer, 6)
    assert run.error is None
    assert run.steps == list(range(1, 10))
    assert f"nothing is written to {str(tmp_path)!r} from step 4 on" in run.notes[0]
    assert run.snapshots[-1] == 9
    assert torch.equal(run.weights(9)["1.bias"], model.state_dict()["1.bias"])
    assert not list(tmp_path.rglob("*.partial"))
    stored = cw.load_run(tmp_path)
    assert 3 <= len(stored.steps) <= 4
    for step in stored.snapshots:
        assert stored.weights(step).keys() == model.state_dict().keys()
    stored.close()


def test_a_run_is_worth_more_than_its_pictures(tmp_path: Path) -> None:
    model = small()
    net = cw.Network(model, input_size=(1, 10, 10))
    pictures = torch.rand(4000, 1, 10, 10)  # a byte for each pixel
    with full(300_000), cw.Recorder(net, directory=tmp_path, probe=pictures, snapshots=0) as run:
        train(model, steps=2)
    assert run.error is None
    assert run.pictures is not None
    stored = cw.load_run(tmp_path)
    assert stored.last_step == 2  # the first thing that is asked
    assert stored.pictures is None
    stored.close()
