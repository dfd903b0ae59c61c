"""What the layer browser shows of one layer: plain functions over its maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn.functional import avg_pool2d

from cnnwidgets.convolutions import own_convolution
from cnnwidgets.widgets.passes import Quantity, Range, range_of
from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.capture import Step
    from cnnwidgets.layers import Layer, LayerGraph
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.passes import Passes
    from cnnwidgets.widgets.slots import Slots

LARGEST = 128
"""Rows and columns up to which maps are sent as they are in a grid."""

RGB = 3
MAP_AXES = 3


def describe(graph: LayerGraph, net: Network) -> dict[str, Any]:
    """Describe the network as JSON for the browser's strip."""
    return {
        "name": net.name,
        "input": list(net.input_shape),
        "guessed": net.guessed,
        "total_parameters": graph.total_parameters,
        "error": _ended(graph.error),
        "layers": [_describe(layer) for layer in graph],
    }


def _describe(layer: Layer) -> dict[str, Any]:
    field = layer.receptive_field
    return {
        "name": layer.name,
        "kind": layer.kind,
        "block": layer.block,
        "shape": None if layer.output_shape is None else list(layer.output_shape),
        "parameters": layer.parameters,
        "rf": field and {key: list(value) for key, value in field._asdict().items()},
        "inputs": list(layer.inputs),
        "detail": layer.detail,
        "error": _ended(layer.error),
        "filters": None if layer.filters is None else list(layer.filters),
        "receipt": has_receipt(layer),
    }


def _ended(error: str | None) -> str | None:
    """End an error with a full stop: other sentences follow it."""
    return f"{error}." if error and not error.endswith((".", "!", "?")) else error


def has_receipt(layer: Layer) -> bool:
    """Whether the values of a layer can be accounted for, product by product."""
    maps = layer.output_shape is not None and len(layer.output_shape) == MAP_AXES
    return layer.kind == "conv" and layer.filters is not None and maps


def filters(
    net: Network, passes: Passes, key: int, layer: Layer, step: Step | None = None
) -> Tensor:
    """Return a convolution's weights as the pass uses them, [K, C_in/groups, kh, kw].

    Of a transposed convolution, the stamps that each input channel leaves in output channel k.
    Only where the weights are made in the forward do they depend on the picture of this key.
    """
    conv = own_convolution(net, layer) or passes.convolution(key, layer, step)
    weight = conv.weight.detach().float().cpu()
    if isinstance(conv, torch.nn.Conv2d):
        return weight
    stamps = weight.reshape(conv.groups, -1, *weight.shape[1:]).transpose(1, 2)
    return stamps.flatten(0, 1)


def statistics(maps: Tensor) -> Tensor:
    """Return per map mean, lowest, highest, standard deviation, share of zeros and of non-finite.

    Parameters
    ----------
    maps
        [C, …].

    Returns
    -------
    Tensor
        float32 [C, 6]; the first four over the finite values, NaN where there are none.
    """
    flat = maps.reshape(len(maps), math.prod(maps.shape[1:]))
    if not flat.numel():
        return torch.full((len(maps), 6), math.nan)
    mean = flat.mean(1)
    table = torch.stack(
        [
            mean,
            flat.amin(1),
            flat.amax(1),
            torch.linalg.vector_norm(flat - mean[:, None], dim=1) / math.sqrt(flat.shape[1]),
            flat.shape[1] - flat.count_nonzero(1),
            torch.zeros_like(mean),
        ],
        1,
    )
    table[:, 4] /= flat.shape[1]
    rough = ~table.isfinite().all(1)
    if rough.any():
        table[rough] = _finite_statistics(flat[rough].double()).float()
    return table


def odd(maps: Tensor) -> list[str]:
    """Say which values that are no finite numbers there are, as JavaScript reads them."""
    found = {"NaN": maps.isnan(), "Infinity": maps == math.inf, "-Infinity": maps == -math.inf}
    return [name for name, where in found.items() if where.any()]


def _finite_statistics(flat: Tensor) -> Tensor:
    """Return the statistics over the finite values only, in double precision."""
    finite = flat.isfinite()
    count = finite.sum(1)
    none = torch.where(count > 0, 0.0, math.nan)
    known = flat.where(finite, 0.0)
    mean = known.sum(1) / count
    square = ((known - mean[:, None]) ** 2).where(finite, 0.0).sum(1) / count
    low = flat.where(finite, math.inf).amin(1) + none
    high = flat.where(finite, -math.inf).amax(1) + none
    zero, missing = (flat == 0).double().mean(1), 1 - count / flat.shape[1]
    return torch.stack([mean, low, high, square.sqrt(), zero, missing], 1)


def reduce_maps(maps: Tensor) -> tuple[Tensor, int]:
    """Average maps [n, H, W] over squares until they fit the grid; return the squares' edge too.

    NaN stays NaN: a square that was not measured throughout is not measured.
    """
    factor = math.ceil(max(maps.shape[-2:]) / LARGEST)
    if factor <= 1:
        return maps, 1
    return avg_pool2d(maps[None], factor, ceil_mode=True)[0], factor


def choose_filters(weights: Tensor, which: str | int) -> Tensor:
    """Return filters as RGB [n, 3, kh, kw], or [n, kh, kw] summed or of one input channel.

    Raises
    ------
    RequestError
        If the layer does not read RGB, or has no such input channel.
    """
    channels = weights.shape[1]
    if which == "rgb":
        if channels != RGB:
            raise RequestError(
                f"filters: input is 'rgb', but the filters have {channels} input channels"
            )
        return weights
    if which == "sum":
        return weights.sum(1)
    if not isinstance(which, int) or isinstance(which, bool) or not 0 <= which < channels:
        raise RequestError(
            f"filters: input is {which!r}; choose 'rgb', 'sum' or a channel 0 to {channels - 1}"
        )
    return weights[:, which]


WEIGHT, ACTIVATION, GRADIENT = "weight", "activation", "gradient of the class score"


class Drawn(NamedTuple):
    """What a figure of a layer shows.

    Attributes
    ----------
    maps
        Maps, filters or a vector.
    words
        What their numbers are, or why there are none.
    quantity
        What else of the network is on the same scale; None if nothing is.
    """

    maps: Tensor
    words: str
    quantity: Quantity | None = None


def drawn(net: Network, slots: Slots, layer: Layer, view: str, target: int) -> Drawn:
    """Return what a figure of a layer shows."""
    if layer.error is not None:
        return Drawn(torch.empty(0, 1, 1), f"not computed: {layer.error}")
    key = slots["a"].key
    if view == "filters" and layer.filters:
        weights = filters(net, slots.passes, key, layer)
        return Drawn(weights if weights.shape[1] == RGB else weights.sum(1), WEIGHT)
    gradients = view == "gradients" and slots.outputs > 0
    quantity = Quantity(key, "gradients", target) if gradients else Quantity(key)
    try:
        maps = slots.passes.maps(quantity, layer.name)
    except ValueError as error:  # the model fails with this picture, or has no gradient here
        return Drawn(torch.empty(0, 1, 1), str(error))
    if not maps.numel():
        return Drawn(torch.empty(0, 1, 1), "the layer puts out no values")
    name = GRADIENT if gradients else ACTIVATION
    if view == "mean" and maps.ndim > 1:
        return Drawn(maps.mean(0, keepdim=True), f"mean {name}", quantity)
    return Drawn(maps, name, quantity)


def span(slots: Slots, shown: Drawn, color_range: str) -> Range | None:
    """Return the range of a figure's colours; None for one range per map."""
    if color_range == "channel" and len(shown.maps) > 1:
        return None
    if color_range == "network" and shown.quantity is not None:
        return slots.passes.range(shown.quantity)
    return range_of(shown.maps)


def title(layer: Layer) -> str:
    """Say what a layer is in a few words."""
    size = "\N{MULTIPLICATION SIGN}".join(map(str, layer.output_shape or ()))
    return " · ".join(filter(None, (layer.name, layer.kind, size)))
