"""What it costs the GradientAscentViewer to be watched: time per step with and without a page.

The page is one that acknowledges each frame a while after it was sent, as a browser does. Blocks
with and without it alternate in one run of the same viewer.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from statistics import median
from typing import Any, NamedTuple

import torch

import cnnwidgets as cw
from benchmarks._table import Figure, report
from cnnwidgets.widgets.gradient_ascent_viewer import GradientAscentViewer

THREADS = 1
BLOCKS = 16
SECONDS = 2.0
"""Of a block."""
LEAST = 6
"""Steps of a block."""
ROUND_TRIP = 0.045
"""Seconds after which a page acknowledges a frame."""
LIMIT = 5.0


class Page:
    """Stands for ipykernel's comm and the page behind it: what is sent is made into bytes."""

    comm_id = "page"
    kernel = "a kernel"

    def __init__(self, viewer: cw.GradientAscentViewer) -> None:
        self._viewer = viewer
        self.frames = 0
        viewer.comm = self

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:  # noqa: ANN401, ARG002
        """Make bytes of what is sent."""
        json.dumps(data)
        b"".join(buffers or [])
        content = data["content"] if data["method"] == "custom" else {}
        if content.get("kind") == "frame":
            self.frames += 1
            threading.Timer(ROUND_TRIP, self.say, ["ack", "frame", content["seq"]]).start()

    def say(self, kind: str, stream: str = "", seq: int = 0) -> None:
        """Send a message to the viewer."""
        self._viewer._receive({"kind": kind, "page": "page", "stream": stream, "seq": seq}, [])  # noqa: SLF001

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
    """What a block of steps took."""

    seconds: float
    """Of the processor, per step: neighbours on the machine hardly change them."""
    speed: float
    """Steps per second."""


def measured(viewer: Counted) -> Block:
    """Take steps for a while; an ascent that ends begins anew."""
    begun, used, first = time.perf_counter(), time.process_time(), viewer.taken
    while time.perf_counter() < begun + SECONDS or viewer.taken < first + LEAST:
        viewer.run()
        time.sleep(0.02)
    steps, used = viewer.taken - first, time.process_time() - used
    seconds = time.perf_counter() - begun
    viewer.stop()
    return Block(used / steps, steps / seconds)


def figure(name: str, net: cw.Network, objective: str, **traits: Any) -> Figure:  # noqa: ANN401
    viewer = Counted(net, objective, steps=2048, **traits)
    page = Page(viewer)
    found: dict[bool, list[Block]] = {True: [], False: []}
    measured(viewer)
    for block in range(BLOCKS):
        watched = block % 2 == 0
        if watched:
            page.say("hello")
        found[watched].append(measured(viewer))
        if watched:
            page.say("bye")
    viewer.close()
    pairs = zip(found[True], found[False], strict=True)
    cost = 100 * (median(seen.seconds / alone.seconds for seen, alone in pairs) - 1)
    speeds = " and ".join(f"{median(one.speed for one in of):.1f}" for of in found.values())
    print(f"{name}: {speeds} steps/s watched and not, {page.frames} frames")
    return Figure(f"{name}: what it costs to be watched, of the time", cost, LIMIT, "%")


def main() -> int:
    torch.set_num_threads(THREADS)
    fashion = cw.samples.fashion()[0]
    imagenet = cw.samples.imagenet()[0]
    layer = "_blocks.10._project_conv.conv2d"
    return report(
        [
            figure("Fashion, class", fashion, "class:Trouser"),
            figure("Fashion, 6 seeds", fashion, "block2.conv2:3", compare="seeds"),
            figure("ImageNet, class", imagenet, "class:340"),
            figure("ImageNet, channel", imagenet, f"{layer}:5"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
