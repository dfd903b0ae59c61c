"""Frames from the kernel to the pages that show a widget: by credit, the newest wins."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Send = Callable[[dict[str, Any], Sequence[bytes]], None]

IN_FLIGHT = 2  # the server's round trip is 45 ms: one frame at a time would be slow
PER_SECOND = 30  # Jupyter drops messages past its rate limit without a word
PATIENCE = 5.0  # seconds after which a silent page no longer holds up the others


@dataclass
class _Page:
    """What one page was sent and has not yet acknowledged: frame number → time sent."""

    waiting: dict[int, float] = field(default_factory=dict)

    def credit_at(self, now: float) -> float:
        """Return when the page can take a frame: now, or when its silence stops counting."""
        self.waiting = {seq: at for seq, at in self.waiting.items() if now - at < PATIENCE}
        return now if len(self.waiting) < IN_FLIGHT else min(self.waiting.values()) + PATIENCE


class Stream:
    """One named stream of frames; `offer` as often as you like, from any thread.

    A frame is sent when every page has credit and a thirtieth of a second has passed; until then
    only the newest is kept.
    """

    def __init__(self, name: str, send: Send) -> None:
        self._name = name
        self._send = send
        self._lock = threading.Lock()
        self._pages: dict[str, _Page] = {}
        self._newest: tuple[Any, Sequence[bytes]] | None = None
        self._seq = 0
        self._sent_at = -1.0
        self._timer: threading.Timer | None = None
        self._due = 0.0

    def offer(self, value: object, tensors: Sequence[bytes] = ()) -> None:
        """Send this frame now if the pages can take it, else when they can."""
        with self._lock:
            self._newest = (value, tensors)
            self._flush()

    def join(self, page: str) -> None:
        """Count a page that shows the widget."""
        with self._lock:
            self._pages.setdefault(page, _Page())
            self._flush()

    def leave(self, page: str) -> None:
        """Forget a page."""
        with self._lock:
            self._pages.pop(page, None)
            self._flush()

    def acknowledge(self, page: str, seq: int) -> None:
        """Give a page's credit for a frame back."""
        with self._lock:
            if page in self._pages:
                self._pages[page].waiting.pop(seq, None)
            self._flush()

    def close(self) -> None:
        """Drop what waits."""
        with self._lock:
            self._newest = None
            self._pages.clear()
            if self._timer is not None:
                self._timer.cancel()

    def _flush(self) -> None:
        if self._newest is None or not self._pages:
            return
        now = time.monotonic()
        due = max(
            self._sent_at + 1 / PER_SECOND, *(page.credit_at(now) for page in self._pages.values())
        )
        if due > now:
            self._later(due)
            return
        value, tensors = self._newest
        self._newest = None
        self._seq += 1
        self._sent_at = now
        for page in self._pages.values():
            page.waiting[self._seq] = now
        frame = {"kind": "frame", "stream": self._name, "seq": self._seq, "value": value}
        self._send(frame, tensors)

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
