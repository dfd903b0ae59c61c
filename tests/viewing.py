"""What tests of the saliency viewer share: viewers of a small network, runs batch by batch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cnnwidgets.network import Network
from cnnwidgets.widgets import turns
from cnnwidgets.widgets.saliency_viewer import SaliencyViewer
from tests.kernel import PATIENCE
from tests.small import CLASSES, noise

if TYPE_CHECKING:
    import pytest

WINDOW = {"window": 4, "stride": 2}


def small_net(activation: nn.Module | None = None, channels: int = 3) -> Network:
    """A small network on pictures of 16 × 16 pixels, with an activation of one's choice."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        activation or nn.ReLU(inplace=True),
        nn.Conv2d(4, 4, 3, padding=1, stride=2),
        activation or nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(256, 5),
    )
    return Network(model, classes=CLASSES, input_size=(channels, 16, 16))


def computed(net: Network, image: Any = None, **traits: Any) -> SaliencyViewer:
    """A viewer whose maps are there."""
    viewer = SaliencyViewer(net, noise(0) if image is None else image, **traits)
    viewer.run()
    assert viewer.wait(PATIENCE)
    return viewer


def held(viewer: SaliencyViewer, monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Let a run go batch by batch, in turns of one."""
    gate = threading.Semaphore(0)
    batch = viewer._batch

    def gated(*args: Any) -> None:
        gate.acquire(timeout=PATIENCE)
        batch(*args)

    monkeypatch.setattr(turns, "TURN", 0.0)
    monkeypatch.setattr(viewer, "_batch", gated)
    return gate
