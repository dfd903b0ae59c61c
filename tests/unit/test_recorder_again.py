"""A recorder that is made anew, and one that nobody holds any more: neither goes on unseen."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import IPython
import pytest
import torch
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

import cnnwidgets as cw
from cnnwidgets.training.background import Ending
from tests.kernel import Browser, eventually
from tests.training import small, train

if TYPE_CHECKING:
    from pathlib import Path


BACKWARD = torch.autograd.backward


@pytest.mark.usefixtures("front_end")
def test_the_cell_is_run_again() -> None:
    model = small()
    runs = []
    for _ in range(3):
        runs.append(cw.watch(model))
        train(model, steps=2)
    assert [run.live for run in runs] == [False, False, True]
    assert [run.last_step for run in runs] == [2, 2, 2]
    assert [run.notes for run in runs] == [[], [], []]
    assert runs[0].ending == Ending(2, stopped=False, error=None)
    assert len(model._forward_pre_hooks) == 1
    for run in runs[:2]:
        eventually(lambda run=run: not run.monitor._runs[0]["live"])  # type: ignore[misc]
    other = cw.watch(small())
    assert runs[2].live, "of another model"
    for run in (*runs, other):
        run.close()
        run.monitor.close()


@pytest.mark.usefixtures("front_end")
def test_the_cell_is_run_again_while_it_trains_in_the_background() -> None:
    model = small()
    first = cw.watch(model)
    first.start(train, model, steps=100_000)
    eventually(lambda: first.last_step > 1)
    with cw.watch(model) as second:
        assert not first.running
        assert first.ending == Ending(first.last_step, stopped=True, error=None)
        train(model, steps=3)
    assert second.last_step == 3
    for run in (first, second):
        run.monitor.close()


@pytest.mark.usefixtures("front_end")
def test_what_was_asked_for_explicitly_stays() -> None:
    model = small()
    with cw.Recorder(model, "first") as first, cw.Recorder(cw.Network(model), "second") as second:
        watched = cw.watch(model)
        train(model, steps=2)
        with pytest.raises(TypeError, match="no keyword 'evry'"):
            cw.watch(model, evry=1)
        assert watched.live
        watched.close()
    assert [run.last_step for run in (first, second, watched)] == [2, 2, 2]
    assert first.notes == []
    (note,) = second.notes
    assert note.startswith("the model is recorded by 'first' as well")
    assert len(watched.notes) == 2
    with cw.Recorder(model) as alone:
        pass
    assert alone.notes == []
    watched.monitor.close()


def gone(reference: weakref.ref[Any]) -> bool:
    gc.collect()
    return reference() is None


def test_a_recorder_lives_as_long_as_its_model(tmp_path: Path) -> None:
    model, hooks = small(), {*_global_optimizer_pre_hooks, *_global_optimizer_post_hooks}
    reference = weakref.ref(cw.Recorder(model, directory=tmp_path))
    assert not gone(reference)
    train(model, steps=2)
    assert cw.load_run(tmp_path).last_step == 2
    run = reference()
    assert run is not None
    store = run._recording._store
    assert store is not None
    del model, run
    assert gone(reference)
    with pytest.raises(Exception, match="closed database"):
        store._database.execute("SELECT 1")
    train(other := small(), steps=1)
    assert torch.autograd.backward is BACKWARD
    with cw.Recorder(other):
        pass
    assert {*_global_optimizer_pre_hooks, *_global_optimizer_post_hooks} <= hooks


def test_one_that_is_held_does_not_need_its_model() -> None:
    model = small()
    run = cw.Recorder(model, every=1)
    train(model, steps=2)
    del model
    gc.collect()
    assert run.steps == [1, 2]
    assert run.model_at(2) is not None
    run.close()
    assert torch.autograd.backward is BACKWARD


class Notebook:
    """What is known in the kernel of the cell that is being run."""

    identity: str | None = "a"
    execution = 0

    def get_parent(self) -> dict[str, Any]:
        metadata = {} if self.identity is None else {"cellId": self.identity}
        return {"metadata": metadata, "header": {"msg_id": f"message {self.execution}"}}


@pytest.fixture
def notebook(front_end: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    assert front_end
    shell = Notebook()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(IPython.display, "display", lambda _: None)
    return shell


def test_a_cell_that_is_run_again_lets_go_of_the_model_that_it_had(notebook: Notebook) -> None:
    def cell() -> weakref.ref[Any]:
        notebook.execution += 1
        model = small()
        run = cw.watch(model)
        train(model, steps=2)
        return weakref.ref(run)

    first = cell()
    assert not gone(first), "its monitor is on the page"
    second = cell()
    assert gone(first)
    notebook.identity = "b"
    third = cell()
    notebook.identity = None
    fourth, fifth = cell(), cell()
    others = (second, third, fourth, fifth)
    assert not any(map(gone, others))
    for run in filter(None, (one() for one in others)):
        assert run.live
        run.close()
        run.monitor.close()


def test_of_a_cell_that_watches_twice_both_stay(notebook: Notebook) -> None:
    runs = [cw.watch(small()) for _ in range(2)]
    assert all(run.live and run.monitor.comm is not None for run in runs)
    notebook.execution += 1
    again = cw.watch(small())
    assert not any(run.live or run.monitor.comm is not None for run in runs)
    again.close()
    again.monitor.close()


def test_the_monitor_of_before_stays_while_a_page_shows_it(notebook: Notebook) -> None:
    first = cw.watch(small())
    pages = [Browser(first.monitor, name) for name in ("below", "elsewhere")]
    for page in pages:
        page.send("hello")
    pages[0].request("history", run="0")
    notebook.execution += 1
    second = cw.watch(small())
    assert not first.live
    pages[0].send("bye")
    assert list(first.monitor.runs) == [first]
    pages[1].send("bye")
    assert list(first.monitor.runs) == []
    for run in (first, second):
        run.close()
        run.monitor.close()
