"""One thread per network: in order, the newest of a key wins, nothing kills it."""

from __future__ import annotations

import gc
import io
import threading
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from cnnwidgets.network import Network
from cnnwidgets.widgets import worker as module
from cnnwidgets.widgets.worker import Cancelled, Job, Worker, worker_for
from tests.kernel import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.02)
    return Worker()


def nothing() -> None:
    """Take note that a job was cancelled."""


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "cnnwidgets worker"]


class Held:
    """A job that waits until it is let go, or cancelled."""

    def __init__(self, worker: Worker, key: object = None) -> None:
        self.began, self.release = threading.Event(), threading.Event()
        self.dropped = threading.Event()
        self.job = Job(self._run, self.dropped.set, key)
        worker.submit(self.job)

    def _run(self, job: Job) -> None:
        self.began.set()
        while not self.release.wait(0.002):
            job.check()


@pytest.fixture
def held(worker: Worker) -> Iterator[Held]:
    held = Held(worker, key="held")
    assert held.began.wait(5)
    yield held
    held.release.set()


def test_jobs_run_in_order_on_one_daemon_thread(worker: Worker) -> None:
    seen: list[tuple[int, threading.Thread]] = []
    jobs = [
        Job(lambda _, i=i: seen.append((i, threading.current_thread())), nothing)  # type: ignore[misc]
        for i in range(20)
    ]
    for job in jobs:
        worker.submit(job)
    assert all(job.wait(5) for job in jobs)
    assert [i for i, _ in seen] == list(range(20))
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1].daemon
    assert seen[0][1] is not threading.current_thread()


def test_the_newest_of_a_key_wins(worker: Worker, held: Held) -> None:
    ran: list[str] = []
    dropped: list[str] = []

    def make(name: str, key: str | None) -> Job:
        return Job(lambda _: ran.append(name), lambda: dropped.append(name), key)

    jobs = [make("old", "lane"), make("other", "lane 2"), make("free", None), make("new", "lane")]
    for job in jobs:
        worker.submit(job)
    worker.submit(newest := make("replaces the running one", "held"))
    assert newest.wait(5)
    assert held.dropped.is_set()
    assert ran == ["other", "free", "new", "replaces the running one"]
    assert dropped == ["old"]


def test_a_waiting_job_that_is_superseded_is_told_at_once(worker: Worker, held: Held) -> None:
    dropped = threading.Event()
    worker.submit(Job(lambda _: None, dropped.set, "lane"))
    worker.submit(Job(lambda _: None, nothing, "lane"))
    assert not held.job.wait(0)
    assert dropped.wait(0.5), "it waits behind the running job though nobody wants it"


def test_cancel(worker: Worker, held: Held) -> None:
    waiting = Held(worker)
    waiting.job.cancel()
    held.job.cancel()
    assert waiting.job.wait(5)
    assert held.dropped.is_set()
    assert waiting.dropped.is_set()
    assert not waiting.began.is_set()


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_a_failing_job_does_not_end_the_worker(worker: Worker, error: BaseException) -> None:
    def fail(_: Job) -> None:
        raise error

    failing, after = Job(fail, nothing), Job(lambda _: None, nothing)
    worker.submit(failing)
    worker.submit(after)
    assert failing.wait(5)
    assert after.wait(5)


def test_the_thread_ends_when_idle_and_comes_back(worker: Worker) -> None:
    before = len(threads())
    for _ in range(3):
        worker.submit(job := Job(lambda _: None, nothing))
        assert job.wait(5)
        eventually(lambda: len(threads()) <= before)


def test_gradients_are_off_whatever_the_user_set(worker: Worker) -> None:
    modes: list[bool] = []
    with torch.enable_grad():
        worker.submit(job := Job(lambda _: modes.append(torch.is_grad_enabled()), nothing))
        assert job.wait(5)
    assert modes == [False]


def test_an_interrupt_while_submitting_leaves_the_worker_usable(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            worker.submit(lost := Job(lambda _: None, nothing))
    worker.submit(job := Job(lambda _: None, nothing))
    assert job.wait(5)
    assert lost.wait(5)


def test_networks_share_a_worker_and_are_let_go() -> None:
    net = Network(nn.Conv2d(1, 1, 1))
    assert worker_for(net) is worker_for(net)
    assert worker_for(net) is not worker_for(Network(net.model))
    alive = weakref.ref(net)
    del net
    gc.collect()
    assert alive() is None


def test_what_a_job_held_is_freed_when_it_is_over(worker: Worker) -> None:
    class Big:
        """Stands for tensors."""

    big = Big()
    alive = weakref.ref(big)
    worker.submit(job := Job(partial(print, big, file=io.StringIO()), nothing))
    assert job.wait(5)
    del big, job
    eventually(lambda: gc.collect() >= 0 and alive() is None, 2)


def test_check_raises_only_when_cancelled() -> None:
    job = Job(lambda _: None, nothing)
    job.check()
    job.cancel()
    with pytest.raises(Cancelled):
        job.check()


def test_many_threads_may_submit(worker: Worker) -> None:
    done: list[int] = []
    jobs = [Job(lambda _: done.append(1), nothing) for _ in range(200)]

    def submit(part: list[Job]) -> None:
        for job in part:
            worker.submit(job)
            time.sleep(0)

    feeders = [threading.Thread(target=submit, args=(jobs[i::4],)) for i in range(4)]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.join()
    assert all(job.wait(5) for job in jobs)
    assert len(done) == len(jobs)
