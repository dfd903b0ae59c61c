"""A copy of a model made ready for many passes: norms folded, weights laid out for the CPU."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
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
    own = {original: copy for copy, original in copied.originals.items()}
    with torch.no_grad():
        for conv, norm in _pairs(net.graph):
            if _fold(own[conv], own[norm]):
                parent, _, name = copied.names[own[norm]].rpartition(".")
                setattr(copied.model.get_submodule(parent), name, nn.Identity())
        for module in copied.model.modules():
            if type(module) is nn.Conv2d:
                _replace(module, module.weight.contiguous(memory_format=torch.channels_last))
    return copied.model


def _pairs(graph: LayerGraph) -> Iterator[tuple[nn.Module, nn.Module]]:
    """Yield each convolution that only one batch norm reads, and that norm."""
    readers = Counter(source for layer in graph for source in layer.inputs)
    uses = Counter(layer.module for layer in graph)
    for layer in graph:
        norm, source = layer.module, (*layer.inputs, "input")[0]
        if not isinstance(norm, nn.BatchNorm2d) or source == "input" or readers[source] > 1:
            continue
        conv = graph[source].module
        if conv is not None and uses[conv] == uses[norm] == 1:
            yield conv, norm


def _plain(module: nn.Module | None, kind: type[nn.Module]) -> bool:
    """Whether nothing but torch's own forward happens when a module is called."""
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    return type(module) is kind and not any(getattr(module, name) for name in hooks)


def _fold(conv: nn.Module, norm: nn.Module) -> bool:
    """Make a batch norm part of a convolution; return whether it could be."""
    if not (_plain(conv, nn.Conv2d) and _plain(norm, nn.BatchNorm2d)):
        return False
    assert isinstance(conv, nn.Conv2d)  # noqa: S101 - for the type checker
    assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        return False
    weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )
    _replace(conv, weight)
    return True


def _replace(conv: nn.Conv2d, weight: Tensor) -> None:
    conv.weight = nn.Parameter(weight, requires_grad=False)
