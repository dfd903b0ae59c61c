"""A copy of a model made ready for many passes: batch norms folded, weights laid out for the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from cnnwidgets.shadow import shadow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnwidgets.layers import LayerGraph
    from cnnwidgets.network import Network


def ready(net: Network) -> nn.Module:
    """Copy a network's model for many passes in evaluation mode.

    A batch norm that is the only reader of a convolution becomes part of it. The
    result differs from the model's by rounding only.
    """
    copied = shadow(net.model)
    with torch.no_grad():
        for conv, norm in _pairs(net.graph):
            _fold(copied.model, copied.model.get_submodule(conv), norm)
        for module in copied.model.modules():
            if type(module) is nn.Conv2d:
                weight = module.weight.contiguous(memory_format=torch.channels_last)
                _replace(module, weight)
    return copied.model


def _pairs(graph: LayerGraph) -> Iterator[tuple[str, str]]:
    """Yield the paths of a convolution and the batch norm that alone reads it."""
    readers: dict[str, list[str]] = {}
    for layer in graph:
        for source in layer.inputs:
            readers.setdefault(source, []).append(layer.name)
    used = [id(layer.module) for layer in graph]
    for layer in graph:
        if type(layer.module) is not nn.BatchNorm2d or len(layer.inputs) != 1:
            continue
        (source,) = layer.inputs
        if source == "input" or readers[source] != [layer.name]:
            continue
        conv = graph[source].module
        once = used.count(id(conv)) == 1 and used.count(id(layer.module)) == 1
        if once and _plain(conv, nn.Conv2d) and _plain(layer.module, nn.BatchNorm2d):
            yield source, layer.name


def _plain(module: nn.Module | None, kind: type[nn.Module]) -> bool:
    """Whether nothing but torch's own forward happens when a module is called."""
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    return type(module) is kind and not any(getattr(module, name) for name in hooks)


def _fold(model: nn.Module, conv: nn.Module, norm: str) -> None:
    batch_norm = model.get_submodule(norm)
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(batch_norm, nn.BatchNorm2d)
    mean, variance = batch_norm.running_mean, batch_norm.running_var
    if mean is None or variance is None:
        return
    weight, bias = fuse_conv_bn_weights(
        conv.weight,
        conv.bias,
        mean,
        variance,
        batch_norm.eps,
        batch_norm.weight,
        batch_norm.bias,
    )
    _replace(conv, weight)
    conv.bias = nn.Parameter(bias, requires_grad=False)
    parent, _, name = norm.rpartition(".")
    setattr(model.get_submodule(parent), name, nn.Identity())


def _replace(conv: nn.Conv2d, weight: torch.Tensor) -> None:
    conv.weight = nn.Parameter(weight, requires_grad=False)
