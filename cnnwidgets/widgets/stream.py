"""Frames from the kernel to the pages that show a widget: by credit, the newest wins."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Send = Callable[[dict[str, Any], Sequence[bytes]], None]
    Frame = tuple[object, Sequence[bytes]]

IN_FLIGHT = 2  # the server's round trip is 45 ms: one frame at a time would be slow
PER_SECOND = 30  # Jupyter drops messages past its rate limit without a word
PATIENCE = 5.0


class Stream:
    """One named stream of frames; `offer` as often as you like, from any thread.

    A frame is sent when every page has credit and a thirtieth of a second has passed; until then
    only the newest is kept. Every page gets every frame: whether one is counted here decides
    only whether it is waited for.

    Parameters
    ----------
    name
        As the front-end calls it.
    send
        Sends a frame to all pages.
    patience
        Seconds after which a silent page is no longer waited for.
    """

    def __init__(self, name: str, send: Send, patience: float = PATIENCE) -> None:
        self._name = name
        self._send = send
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[int, float]] = {}
        """Page → the frames that it has not acknowledged, and when they were sent."""
        self._newest: Callable[[], Frame] | None = None
        self._seq = 0
        self._sent_at = -1.0
        self._timer: threading.Timer | None = None
        self._due = 0.0

    def offer(self, value: object, tensors: Sequence[bytes] = ()) -> None:
        """Send this frame now if the pages can take it, else when they can."""
        self.offer_made(lambda: (value, tensors))

    def offer_made(self, make: Callable[[], Frame]) -> None:
        """Send what `make` returns at the moment of sending: all that is new since the last frame.

        It is called on any thread, and must neither raise nor wait for one that offers.
        """
        with self._lock:
            self._newest = make
            self._flush()

    def join(self, page: str) -> None:
        """Wait for a page from now on; what it was sent before it said hello may be lost."""
        with self._lock:
            self._waiting[page] = {}
            self._flush()

    def leave(self, page: str) -> None:
        """Forget a page."""
        with self._lock:
            self._waiting.pop(page, None)
            self._flush()

    def acknowledge(self, page: str, seq: int) -> None:
        """Give a page's credit for a frame back; one that was forgotten is waited for again."""
        with self._lock:
            if seq <= self._seq:
                self._waiting.setdefault(page, {}).pop(seq, None)
            self._flush()

    def drop(self) -> None:
        """Send no more what waits."""
        with self._lock:
            self._newest = None

    def close(self) -> None:
        """Drop what waits, and forget the pages."""
        with self._lock:
            self._newest = None
            self._waiting.clear()
            if self._timer is not None:
                self._timer.cancel()

    def _flush(self) -> None:
        if self._newest is None or not self._waiting:
            return
        now = time.monotonic()
        self._forget_silent(now)
        due = max(self._sent_at + 1 / PER_SECOND, *map(self._credit_at, self._waiting.values()))
        if due > now:
            self._later(due)
            return
        value, tensors = self._newest()
        self._newest = None
        self._seq += 1
        self._sent_at = now
        for frames in self._waiting.values():
            frames[self._seq] = now
        frame = {"kind": "frame", "stream": self._name, "seq": self._seq, "value": value}
        self._send(frame, tensors)

    def _forget_silent(self, now: float) -> None:
        """Wait no more for pages that went without a word.

        If all are silent, frames may have been dropped on the way: they get new credit.
        """
        speaking = {
            page: frames
            for page, frames in self._waiting.items()
            if all(now - at < self._patience for at in frames.values())
        }
        self._waiting = speaking or {page: {} for page in self._waiting}

    def _later(self, due: float) -> None:
        if self._timer is not None:
            if self._due <= due:
                return  # it will look again
            self._timer.cancel()
        self._due = due
        self._timer = threading.Timer(due - time.monotonic(), self._tick)
        self._timer.daemon = True
        self._timer.start()

    def _tick(self) -> None:
        with self._lock:
            self._timer = None
            self._flush()

    def _credit_at(self, frames: dict[int, float]) -> float:
        """Return when a page can take a frame: now, or when its silence stops counting."""
        return 0.0 if len(frames) < IN_FLIGHT else min(frames.values()) + self._patience
