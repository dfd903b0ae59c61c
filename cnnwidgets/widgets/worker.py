"""One thread per network that computes for its widgets: the latest request wins."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from cnnwidgets.network import Network

_log = logging.getLogger("cnnwidgets")
_IDLE_SECONDS = 2.0


class Cancelled(BaseException):
    """Raised inside a job whose answer is no longer wanted.

    Not an `Exception`: a model that is being passed must not catch it.
    """


@dataclass(eq=False)
class Job:
    """One piece of work, waiting, running or done.

    Attributes
    ----------
    run
        What to do. It should call `check` between batches.
    cancelled
        Called instead of, or after, `run` when the job was cancelled.
    key
        Of equal keys the newest job wins; None is never superseded.
    """

    run: Callable[[Job], None]
    cancelled: Callable[[], None]
    key: Hashable | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _done: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask the job to end at its next `check`, or not to begin."""
        self._stop.set()

    def check(self) -> None:
        """Raise `Cancelled` if the job was cancelled."""
        if self._stop.is_set():
            raise Cancelled

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job is over; return whether it is."""
        return self._done.wait(timeout)

    def work(self) -> None:
        """Do the work; whatever happens, the thread that does it goes on."""
        try:
            self.check()
            self.run(self)
        except Cancelled:
            self.cancelled()
        except BaseException:  # noqa: BLE001 - also SystemExit: the thread serves others too
            _log.exception("a job of a widget failed")
        finally:
            self._done.set()


class Worker:
    """Runs jobs one after another on a daemon thread, which ends when there are none."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._running: Job | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def submit(self, job: Job) -> None:
        """Queue a job and cancel the older ones of its key."""
        with self._changed:
            waiting = [older for older in self._jobs if _same_key(older, job)]
            for older in waiting:
                self._jobs.remove(older)
            running = self._running
            self._jobs.append(job)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="cnnwidgets worker", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        if running is not None and _same_key(running, job):
            running.cancel()
        for older in waiting:
            older.cancel()
            older.work()  # nothing but saying so

    def _next(self) -> Job | None:
        """Wait for a job; None if there was none for a while, and the thread is to end."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._jobs, _IDLE_SECONDS)
            if not self._jobs:
                self._thread = None
                return None
            self._running = self._jobs.popleft()
            return self._running

    def _work(self) -> None:
        with torch.no_grad():  # grad mode belongs to the thread
            while (job := self._next()) is not None:
                job.work()
                del job  # or the last one would keep its tensors until the next


def _same_key(one: Job, other: Job) -> bool:
    return one.key is not None and one.key == other.key


_workers: weakref.WeakKeyDictionary[Network, Worker] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def worker_for(net: Network) -> Worker:
    """Return the worker that all widgets of a network share."""
    with _lock:
        return _workers.setdefault(net, Worker())
