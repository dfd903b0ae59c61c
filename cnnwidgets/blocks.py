"""Which block of the network a layer belongs to: the module that a reader would fold away."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_MOST = 32
"""Layers that a block may have; a larger module is a network of its own."""


def blocks_of(model: nn.Module, names: Iterable[str]) -> dict[str, str]:
    """Name the block of each layer.

    It is the outermost module around the layer that is no mere container
    (``nn.Sequential``, ``ModuleList``, ``ModuleDict``) and has at most 32 layers; if there is none,
    the innermost container; ``""`` for what the model itself calls.

    Parameters
    ----------
    model
        The unwrapped model.
    names
        Names of the layers.

    Returns
    -------
    dict of str to str
        Layer name to module path.

    Examples
    --------
    ``layer1.0.conv1`` of a ResNet is in ``layer1.0``, ``features.0`` of a VGG in ``features``.
    """
    modules = dict(model.named_modules(remove_duplicate=False))
    layers = list(names)
    sizes = Counter(path for name in layers for path in _around(name))
    return {
        name: _block([path for path in _around(name) if path in modules], modules, sizes)
        for name in layers
    }


def _around(name: str) -> Iterator[str]:
    """Yield the module paths that a layer's name begins with, outermost first."""
    parts = name.split(".")[:-1]
    return (".".join(parts[: end + 1]) for end in range(len(parts)))


def _block(around: list[str], modules: dict[str, nn.Module], sizes: Counter[str]) -> str:
    for path in around:
        if not isinstance(modules[path], _CONTAINERS) and sizes[path] <= _MOST:
            return path
    return around[-1] if around else ""
