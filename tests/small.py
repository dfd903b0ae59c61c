"""A small classifier, pictures for it, and what a layer browser shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cnnwidgets.widgets import wire

if TYPE_CHECKING:
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.layer_browser import LayerBrowser

CLASSES = ["cat", "<b>dog</b>", "bird", "fish", "frog"]


def small_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 2, 3),
        nn.Flatten(),
        nn.Linear(288, 5),
    )


def noise(seed: int, size: int = 16, channels: int = 3) -> np.ndarray[Any, Any]:
    shape = (size, size, channels) if channels > 1 else (size, size)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def top(net: Network, image: Any) -> list[tuple[int, str]]:
    return [(one.index, one.name) for one in net.predict(image)]


def shown_top(browser: LayerBrowser, slot: str = "a") -> list[tuple[int, str]]:
    return [(row["index"], row["name"]) for row in browser._predictions[slot]["rows"]]


def pixels(browser: LayerBrowser, slot: str = "a") -> np.ndarray[Any, Any]:
    return wire.unpack(browser._pictures[slot]["picture"])
