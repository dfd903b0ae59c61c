"""The sanity check of attributions: a network that has learnt nothing should look different.

Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018), section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.errors import nearest
from cnnwidgets.isolation import PrivateDraws, isolated
from cnnwidgets.network import as_network
from cnnwidgets.shadow import Shadow, shadow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import nn

    from cnnwidgets.network import Network


def randomised(
    net: Network | nn.Module, layers: Iterable[str] | str | None = None, *, seed: int = 0
) -> Network:
    """Return a network whose layers have new random weights; the given one is not changed.

    Parameters
    ----------
    net
        A `cnnwidgets.Network` or a bare module.
    layers
        Module paths, of layers or blocks (``"layer4"``); by default every parameter.
    seed
        Of the weights.

    Returns
    -------
    Network
        Weights as torch initialises such layers (and batch norms' statistics as new); parameters
        outside torch's own layers are drawn with the mean and deviation that they had. All else
        is shared with the given network and follows its training.

    Raises
    ------
    ValueError
        If there is no such module, or it has no weights.
    """
    network = as_network(net)
    copy = shadow(network.model)
    names = [layers] if isinstance(layers, str) else layers
    chosen = None if names is None else [_parts(copy, name) for name in names]
    wanted = None if chosen is None else set().union(*chosen)
    with isolated(network.device, grad=False), PrivateDraws(network.device, seed):
        for module in reversed(_in_order(network, copy)):
            if wanted is None or module in wanted:
                _reset(module)
    return network.with_model(copy.model)


def cascade(net: Network | nn.Module, *, seed: int = 0) -> Iterator[tuple[str, Network]]:
    """Yield networks with more and more random layers, from the last one down.

    Each comes with the name of the layer that was randomised last ("cascading randomisation",
    section 4.1).
    """
    network = as_network(net)
    done: list[str] = []
    for layer in reversed(network.layers):
        repeated = layer.module is None or "#" in layer.name
        if not repeated and layer.parameters:
            done.append(layer.name)
            yield layer.name, randomised(network, done, seed=seed)


def _parts(copy: Shadow, name: str) -> set[nn.Module]:
    """Return the modules with weights of a layer or block."""
    found = {
        part
        for module, path in copy.names.items()
        if path == name
        for part in module.modules()
        if next(part.parameters(recurse=False), None) is not None
    }
    if not found:
        paths = [path for path in copy.names.values() if path]
        unknown = f"there is no module {name!r}; {nearest(name, paths)}"
        raise ValueError(f"layers: {f'{name!r} has no weights' if name in paths else unknown}")
    return found


def _in_order(net: Network, copy: Shadow) -> list[nn.Module]:
    """List the modules with parameters of their own as they run; the ones never called first."""
    called = {id(layer.module): place for place, layer in enumerate(net.layers, 1)}
    own = [m for m in copy.names if next(m.parameters(recurse=False), None) is not None]
    return sorted(own, key=lambda module: called.get(id(copy.originals[module]), 0))


def _reset(module: Any) -> None:  # noqa: ANN401 - not every module has reset_parameters
    own = list(module.parameters(recurse=False))
    for parameter in own:
        parameter.data = parameter.data.clone()
    if callable(reset := getattr(module, "reset_parameters", None)):
        reset()
        return
    for parameter in own:
        deviation, mean = torch.std_mean(parameter.float(), correction=0)
        parameter.copy_(torch.randn_like(parameter.float()) * deviation + mean)
