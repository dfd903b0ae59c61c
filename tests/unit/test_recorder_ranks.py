"""Two processes that train together: one records, or both measure."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests import training_in_processes
from tests.training_in_processes import PROCESSES, STEPS

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 120

Told = tuple[Any, ...]  # losses, gradients, steps, scalars, norms, notes, snapshots


def together(tmp_path: Path, ranks: Any, failing: int | None = None) -> list[Told]:
    """What each process tells of a training, by rank."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.training_in_processes"])
    told = processes.Queue()
    meeting = str(tmp_path / "meeting")
    workers = [
        processes.Process(
            target=training_in_processes.main, args=(rank, meeting, ranks, failing, told)
        )
        for rank in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    found = {rank: rest for rank, *rest in (told.get(timeout=SECONDS) for _ in workers)}
    for worker in workers:
        worker.join(SECONDS)
        assert worker.exitcode == 0
    return [tuple(found[rank]) for rank in range(PROCESSES)]


@pytest.mark.slow
def test_the_first_process_records(tmp_path: Path) -> None:
    first, second = together(tmp_path, 0)
    losses, gradients, steps, scalars, norms, notes, snapshots = first
    assert steps == [1, 3, 5]
    assert scalars["loss"] == pytest.approx(losses)
    assert norms["gradients"] == pytest.approx(gradients[::2])  # reduced over both
    assert gradients == pytest.approx(second[1])
    assert notes == []
    assert snapshots[-1] == STEPS
    assert second[2:] == ([], {}, {}, ["this is not the first process: it records nothing"], [])


@pytest.mark.slow
def test_all_processes_measure(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    first, second = together(tmp_path, "all")
    alone = together(tmp_path_factory.mktemp("alone"), 0)[
        0
    ]  # the same numbers, of the first process alone
    assert first[2] == [1, 3, 5]
    assert second[2] == []
    assert first[3]["loss"] == pytest.approx(first[0])
    assert first[3]["loss@1"] == pytest.approx(second[0][::2])
    assert first[4]["gradients"] == pytest.approx(first[1][::2])
    assert not np.allclose(first[4]["activations"], alone[4]["activations"])  # their mean


@pytest.mark.slow
def test_one_that_fails_does_not_keep_the_other_waiting(tmp_path: Path) -> None:
    first, second = together(tmp_path, "all", failing=1)
    assert len(first[0]) == len(second[0]) == STEPS
    assert first[2] == [1, 3, 5]
    assert "recording ended at step" in second[5][0]
