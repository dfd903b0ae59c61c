"""What tests of the occlusion slider share: patches by plain torch, sweeps batch by batch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.widgets import turns
from tests.kernel import PATIENCE
from tests.small import noise

if TYPE_CHECKING:
    import pytest
    from torch import Tensor

    from cnnwidgets.network import Network
    from cnnwidgets.widgets.occlusion_slider import OcclusionSlider

FILL = {"window": 4, "fill": "mean", "kept": []}


def covered(net: Network, *boxes: tuple[int, int, int]) -> Tensor:
    """`noise(0)` as the network takes it, with patches of its mean colour: [1, C, H, W]."""
    x = net.prepare(noise(0))
    mean = x.mean((2, 3), keepdim=True)
    patched = x.clone()
    for row, column, window in boxes:
        patched[:, :, row : row + window, column : column + window] = mean
    return patched


def plain(net: Network, row: int, column: int, window: int = 4) -> Tensor:
    """What plain torch says of `noise(0)` with a patch of its mean colour: logits [K]."""
    with torch.no_grad():
        logits: Tensor = net.model.eval()(covered(net, (row, column, window)))[0]
    return logits


def asked(slider: OcclusionSlider, **changes: Any) -> dict[str, Any]:
    place = {"row": 3, "column": 5, "target": 0, **FILL}
    return {"key": slider._picture["key"], **place, **changes}


def held(slider: OcclusionSlider, monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Let a sweep run batch by batch, in turns of one."""
    gate = threading.Semaphore(0)
    batch = slider._batch

    def gated(*args: Any) -> None:
        gate.acquire(timeout=PATIENCE)
        batch(*args)

    monkeypatch.setattr(turns, "TURN", 0.0)
    monkeypatch.setattr(slider, "_batch", gated)
    return gate
