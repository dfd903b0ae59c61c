"""A small network, data for it, and loops that train it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 4


def small(*, inplace: bool = False) -> Any:
    """Two convolutions and a dense layer for pictures [N, 1, 10, 10]."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=inplace),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(inplace=inplace),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(4 * 6 * 6, CLASSES),
    )


def batch(seed: int, size: int = 8) -> tuple[Tensor, Tensor]:
    """Pictures whose class is the quarter that is bright, and their classes."""
    generator = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.randn(size, 1, 10, 10, generator=generator)
    y = torch.randint(0, CLASSES, (size,), generator=generator)
    for picture, label in zip(x, y.tolist(), strict=True):
        top, left = 5 * (label // 2), 5 * (label % 2)
        picture[:, top : top + 5, left : left + 5] += 1
    return x, y


def loss_of(model: nn.Module, seed: int, size: int = 8) -> Any:
    x, y = batch(seed, size)
    return functional.cross_entropy(model(x), y)


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    steps: int = 20,
    first: int = 0,
) -> list[float]:
    """Train as anybody does; the loss of each step."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    losses = []
    for step in range(first, first + steps):
        optimizer.zero_grad()
        loss = loss_of(model, step)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
