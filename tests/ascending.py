"""What tests of the gradient ascent viewer share: viewers that have run, or that wait at a gate."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnwidgets.widgets import turns
from cnnwidgets.widgets.gradient_ascent_viewer import GradientAscentViewer
from tests.climbing import climbed
from tests.kernel import PATIENCE

if TYPE_CHECKING:
    import pytest

    import cnnwidgets as cw


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
