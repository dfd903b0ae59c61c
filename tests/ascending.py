"""What tests of the gradient ascent viewer share: viewers that have run, or that wait at a gate."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnwidgets.widgets import turns
from cnnwidgets.widgets.gradient_ascent_viewer import GradientAscentViewer
from tests.climbing import climbed
from tests.kernel import PATIENCE, Browser

if TYPE_CHECKING:
    import pytest

    import cnnwidgets as cw
    from tests.kernel import Message


def viewing(objective: Any = "conv2:1", net: cw.Network | None = None, **traits: Any) -> Any:
    """A viewer that has not run; 8 steps."""
    return GradientAscentViewer(net or climbed(), objective, **{"steps": 8, **traits})


def climbed_by(objective: Any = "conv2:1", net: cw.Network | None = None, **traits: Any) -> Any:
    """A viewer whose ascent is over."""
    viewer = viewing(objective, net, **traits)
    viewer.run()
    assert viewer.wait(PATIENCE)
    return viewer


def held(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Let an ascent go step by step, in turns of one."""
    gate = threading.Semaphore(0)
    batch = viewer._batch

    def gated(newest: Any) -> None:
        assert gate.acquire(timeout=PATIENCE)
        batch(newest)

    monkeypatch.setattr(turns, "TURN", 0.0)
    monkeypatch.setattr(viewer, "_batch", gated)
    return gate


def pixels(net: cw.Network, frames: Any) -> Any:
    """The pictures of frames, uint8 [n, H, W, C]."""
    return np.concatenate([net.restore(frame.image[None]) for frame in frames])


def watching(viewer: Any) -> Browser:
    """A page that says hello."""
    page = Browser(viewer)
    page.send("hello")
    return page


def acknowledged(page: Browser) -> list[Message]:
    """Take frames as a page does, up to the last step with what the network says of it."""
    last = 0
    for _ in range(2000):
        frames = [m for m in page.comm.custom() if m.content["kind"] == "frame"]
        for frame in frames[last:]:
            page.send("ack", stream="frame", seq=frame.content["seq"])
        last_value: Any = frames[-1].content["value"] if frames else {"step": 0}
        if last_value["step"] == 8 and last_value["predictions"][0] is not None:
            return frames
        last = len(frames)
        time.sleep(0.01)
    raise AssertionError("the last frame, with what the network says, never came")
