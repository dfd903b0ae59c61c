"""What it costs the GradientAscentViewer to be watched: time per step with and without a page.

The page is one that acknowledges each frame a while after it was sent, as a browser does. Blocks
with it, without it and without it again take turns in one run of the same viewer: the last two show
how far apart equal ones are. The figures are medians of the ratios of each turn, of the processor's
time, page included, and of the clock's.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from queue import SimpleQueue
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

import cnnwidgets as cw
from benchmarks._table import Figure, report
from cnnwidgets.widgets.gradient_ascent_viewer import GradientAscentViewer

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 1
SECONDS = 45.0
"""Of a case."""
BLOCK = 1.2
"""Seconds of a block."""
LEAST = 4
"""Turns of a case, and steps of a block."""
ROUND_TRIP = 0.045
"""Seconds after which a page acknowledges a frame."""
LIMIT = 5.0


class Page:
    """Stands for ipykernel's comm and the page behind it: what is sent is made into bytes."""

    comm_id = "page"
    kernel = "a kernel"

    def __init__(self, viewer: cw.GradientAscentViewer) -> None:
        self._viewer = viewer
        self._sent: SimpleQueue[tuple[float, int]] = SimpleQueue()
        self.frames = 0
        viewer.comm = self
        threading.Thread(target=self._acknowledge, daemon=True).start()

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:  # noqa: ANN401, ARG002
        """Make bytes of what is sent."""
        json.dumps(data)
        b"".join(buffers or [])
        content = data["content"] if data["method"] == "custom" else {}
        if content.get("kind") == "frame":
            self.frames += 1
            self._sent.put((time.monotonic() + ROUND_TRIP, content["seq"]))

    def say(self, kind: str, stream: str = "", seq: int = 0) -> None:
        """Send a message to the viewer."""
        self._viewer._receive({"kind": kind, "page": "page", "stream": stream, "seq": seq}, [])  # noqa: SLF001

    def _acknowledge(self) -> None:
        """Acknowledge frames for ever."""
        while True:
            due, seq = self._sent.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if "page" in self._viewer._pages:  # noqa: SLF001 - one that has left says no more
                self.say("ack", "frame", seq)

    def on_msg(self, handler: Any) -> None:  # noqa: ANN401
        """Take no notice: messages are handed over."""

    def close(self, *_: object, **__: object) -> None:
        """Do nothing."""


class Counted(GradientAscentViewer):
    """Counts its steps."""

    taken = 0

    def _batch(self, newest: Any) -> None:  # noqa: ANN401
        self.taken += 1
        super()._batch(newest)


class Block(NamedTuple):
    """Seconds that a step took."""

    processor: float
    clock: float


def measured(viewer: Counted) -> Block:
    """Take steps for a while; an ascent that ends begins anew."""
    viewer.run()
    begun, used, first = time.perf_counter(), time.process_time(), viewer.taken
    while time.perf_counter() < begun + BLOCK or viewer.taken < first + LEAST:
        viewer.run()
        time.sleep(0.02)
    steps = viewer.taken - first
    found = Block((time.process_time() - used) / steps, (time.perf_counter() - begun) / steps)
    viewer.stop()
    return found


def turn(viewer: Counted, page: Page, first: int) -> dict[str, Block]:
    """Measure a block of each kind, another one first each time."""
    order = ("watched", "alone", "alone again")
    found = {}
    for kind in order[first % 3 :] + order[: first % 3]:
        if kind == "watched":
            page.say("hello")
        found[kind] = measured(viewer)
        if kind == "watched":
            page.say("bye")
    return found


def compared(
    turns: list[dict[str, Block]], one: str, other: str, time_of: Callable[[Block], float]
) -> list[float]:
    """Return by how many percent a step of one kind takes longer than of the other, by turns."""
    return [100 * (time_of(turn[one]) / time_of(turn[other]) - 1) for turn in turns]


def figures(name: str, net: cw.Network, objective: str, **traits: Any) -> list[Figure]:  # noqa: ANN401
    viewer = Counted(net, objective, steps=2048, **traits)
    page = Page(viewer)
    end = time.perf_counter() + SECONDS
    measured(viewer)
    turns = [turn(viewer, page, 0)]
    while time.perf_counter() < end or len(turns) < LEAST:
        turns.append(turn(viewer, page, len(turns)))
    viewer.close()
    speeds = {kind: median(1 / one[kind].clock for one in turns) for kind in turns[0]}
    said = ", ".join(f"{kind} {speed:.1f}" for kind, speed in speeds.items())
    print(f"{name}: steps/s {said}; {len(turns)} turns, {page.frames} frames")
    found = []
    for at, clock in enumerate(Block._fields):
        cost = compared(turns, "watched", "alone", lambda block, at=at: block[at])  # type: ignore[misc]
        noise = compared(turns, "alone again", "alone", lambda block, at=at: block[at])  # type: ignore[misc]
        print(f"  {clock}: to be watched {spread(cost)}; equal blocks differ by {spread(noise)}")
        found.append(Figure(f"{name}: to be watched, {clock}", median(cost), LIMIT, "%"))
    return found


def spread(percent: list[float]) -> str:
    """Return the median and the quartiles in words."""
    low, middle, high = quantiles(percent, n=4)
    return f"{middle:+.1f} % (quartiles {low:+.1f}, {high:+.1f})"


def main() -> int:
    torch.set_num_threads(THREADS)
    fashion = cw.samples.fashion()[0]
    imagenet = cw.samples.imagenet()[0]
    layer = "_blocks.10._project_conv.conv2d"
    return report(
        [
            *figures("Fashion, class", fashion, "class:Trouser"),
            *figures("Fashion, 6 seeds", fashion, "block2.conv2:3", compare="seeds"),
            *figures("ImageNet, class", imagenet, "class:340"),
            *figures("ImageNet, channel", imagenet, f"{layer}:5"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
