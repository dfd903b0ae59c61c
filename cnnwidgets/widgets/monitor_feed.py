"""Follows runs while they go on, and tells the pages what is new."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnwidgets.widgets.monitor_runs import Followed
    from cnnwidgets.widgets.stream import Frame, Stream

PERIOD = 0.2
"""Seconds between two looks, and at least between two frames: it is training's own time."""
READING = 0.5
"""Seconds after which files are read, and the pages told what a run is about."""
SILENCE = 3.0
"""Seconds after which a page that says nothing may have missed what came before.

While a cell runs, ipykernel 6 lets no page speak; what it is shown has to be whole then.
"""
WHOLE = 1.0
"""Seconds between two whole frames of a run, at least."""
_SHARE = 0.01  # of the time that they may take

_log = logging.getLogger(__name__)


class Feed:
    """A thread that looks at runs, and offers what is new of one of them to a stream.

    Parameters
    ----------
    runs
        What to look at.
    stream
        Takes the frames; while no page watches, it has none made.
    changed
        Called on the thread, at most twice a second.

    Attributes
    ----------
    heard
        When a page last spoke, on the monotonic clock.
    """

    def __init__(
        self, runs: Sequence[Followed], stream: Stream, changed: Callable[[], None]
    ) -> None:
        self._runs, self._stream, self._changed = tuple(runs), stream, changed
        self._stop = threading.Event()
        self._told = dict.fromkeys((one.identity for one in runs), 0.0)
        self._whole: dict[str, float] = {}
        """When a run is next sent as a whole to pages that are silent."""
        self.heard = self._silent_since = -math.inf
        self._sent = 0.0
        self._due = 0.0
        self._thread = threading.Thread(target=self._work, name="cnnwidgets monitor", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, and wait for it."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(READING)
        self._runs = ()

    def _work(self) -> None:
        while not self._stop.wait(PERIOD):
            self._look()

    def _look(self) -> None:
        try:
            now = time.monotonic()
            if now >= self._due:
                self._due = now + READING
                for one in self._runs:
                    one.follow()
                self._changed()
            if self._stale():
                self._stream.offer_made(self._news)
        except Exception:  # noqa: BLE001 - whatever it is, the pages want the next news
            if not self._stop.is_set():
                _log.exception("a look at the runs failed; there will be another one")

    def _stale(self) -> list[Followed]:
        return [one for one in self._runs if one.digest.stale]

    def _news(self) -> Frame:
        """Pack what is new of the run that has waited longest."""
        one = min(self._stale() or self._runs, key=lambda one: self._told[one.identity])
        began = time.monotonic()
        anew = self._silent(began) and began >= self._whole.get(one.identity, 0.0)
        value, tensors = one.digest.news(anew=anew)
        self._sent = self._told[one.identity] = now = time.monotonic()
        if anew:
            self._whole[one.identity] = now + max(WHOLE, (now - began) / _SHARE)
        return {"run": one.identity, **value}, tensors

    def _silent(self, now: float) -> bool:
        """Whether no page has spoken since the first of the last frames, long ago."""
        if self.heard >= self._sent:
            self._silent_since = now
        return now - self._silent_since > SILENCE
