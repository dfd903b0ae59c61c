"""Long work in the background, a few batches at a time, so that other requests come between."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from cnnwidgets.widgets.worker import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnwidgets.widgets.worker import Worker

TURN = 0.05
"""Seconds after which other requests get their turn."""

T = TypeVar("T")


class Turns(Generic[T]):
    """Runs an iterator on a network's worker.

    Parameters
    ----------
    worker
        The worker.
    steps
        What is found after each batch.
    told
        Called with it after each batch; what it raises ends the work.
    over
        Called once, when it is over.

    Attributes
    ----------
    error
        What it failed with; None if it did not.
    """

    def __init__(
        self,
        worker: Worker,
        steps: Iterator[T],
        told: Callable[[Turns[T], T], None],
        over: Callable[[Turns[T]], None],
    ) -> None:
        self._worker = worker
        self._steps = steps
        self._told = told
        self._over = over
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._thread = 0
        self.error: BaseException | None = None

    def start(self) -> None:
        """Queue the next turn."""
        self._worker.submit(Job(run=self._turn, cancelled=lambda: None))

    def stop(self) -> None:
        """Let it end after the batch that is running."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over, unless it waits for us; return whether it is."""
        ours = threading.get_ident() == self._thread
        return self._ended.wait(0 if ours else timeout)

    def _turn(self, _job: Job) -> None:
        self._thread = threading.get_ident()
        until = time.monotonic() + TURN
        try:
            while not self._stop.is_set():
                try:
                    found = next(self._steps)
                except StopIteration:
                    break
                self._told(self, found)
                if time.monotonic() > until:
                    self.start()
                    return
        except BaseException as error:  # noqa: BLE001 - it is shown where the user looks
            self.error = error
        self._steps = iter(())  # and with it what it was made of
        try:
            self._over(self)
        finally:
            self._ended.set()
