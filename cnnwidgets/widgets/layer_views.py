"""What the layer browser shows of one layer: plain functions over its maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import torch
from torch.nn.functional import avg_pool2d

from cnnwidgets.arithmetic import receipt
from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import is_leaf
from cnnwidgets.widgets.passes import Quantity, Range, range_of
from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.arithmetic import Receipt
    from cnnwidgets.layers import Layer, LayerGraph
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.slots import Slots

LARGEST = 128
"""Rows and columns up to which maps are sent as they are in a grid."""

RGB = 3


def code(layer: Layer, receipt: Receipt) -> str:
    """Write the Python that computes a receipt's result again from ``net`` and ``image``."""
    source = layer.inputs[0]
    picture = source == "input"
    given = "net.prepare(image)" if picture else f"net.activations(image, [{source!r}])[{source!r}]"
    return (
        "# net and image: your Network and the picture\n"
        f"conv = net.layer({layer.name!r}).module\n"
        f"x = {given}\n\n{receipt.code()}"
    )


def describe(graph: LayerGraph, net: Network) -> dict[str, Any]:
    """Describe the network as JSON for the browser's strip."""
    return {
        "name": net.name,
        "input": list(net.input_shape),
        "total_parameters": graph.total_parameters,
        "error": graph.error,
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
        "error": layer.error,
        "filters": filter_shape(layer),
        "receipt": has_receipt(layer),
    }


def has_receipt(layer: Layer) -> bool:
    """Whether the values of a layer can be accounted for, product by product."""
    two_axes = isinstance(layer.module, torch.nn.Conv2d)
    return layer.kind == "conv" and two_axes and layer.error is None


def filter_shape(layer: Layer) -> list[int] | None:
    """Return [K, C_in/groups, kh, kw], or None for a layer without filters."""
    conv = layer.module
    if layer.error is not None or not isinstance(conv, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
        return None
    return [conv.out_channels, conv.in_channels // conv.groups, *map(int, conv.kernel_size)]


def convolution(net: Network, layer: Layer) -> torch.nn.Conv2d | torch.nn.ConvTranspose2d:
    """Return a copy of a layer's convolution to read from.

    Of the user's own, a parametrisation may change buffers when its weight is read.
    """
    originals = shadow(net.model).originals
    module = next(own for own, original in originals.items() if original is layer.module)
    return cast("torch.nn.Conv2d | torch.nn.ConvTranspose2d", module)


def filters(net: Network, layer: Layer) -> Tensor:
    """Return a convolution's weights, parametrised or not, [K, C_in/groups, kh, kw].

    Of a transposed convolution, the stamps that each input channel leaves in output channel k.
    """
    conv = convolution(net, layer)
    weight = conv.weight.detach().float().cpu()
    if isinstance(conv, torch.nn.Conv2d):
        return weight
    stamps = weight.reshape(conv.groups, -1, *weight.shape[1:]).transpose(1, 2)
    return stamps.flatten(0, 1)


def account(
    net: Network, layer: Layer, x: Tensor, unit: tuple[int, int, int]
) -> tuple[Receipt, torch.nn.Conv2d]:
    """Write the receipt of a layer's unit (channel, row, column), given the layer's input."""
    conv = cast("torch.nn.Conv2d", convolution(net, layer))
    return receipt(conv, x, *unit), conv


def disagreement(layer: Layer, receipt: Receipt, real: float, dtype: torch.dtype) -> str | None:
    """Say why a layer computed another value than its receipt; None if rounding explains it."""
    if not (math.isfinite(real) and math.isfinite(receipt.result)):
        return _MORE if math.isfinite(real) or math.isfinite(receipt.result) else None
    terms = receipt.products.numel() + 1
    size = float(receipt.products.abs().sum()) + abs(receipt.bias)
    eps = max(torch.finfo(dtype).eps, torch.finfo(torch.float32).eps)  # maps are kept in float32
    if abs(receipt.result - real) <= eps * (2 + math.sqrt(terms)) * size:
        return None
    module = cast("torch.nn.Module", layer.module)
    own = f"the forward of {type(module).__name__} changes the weights before it uses them"
    return _MORE if is_leaf(module) else own


_MORE = "it does more than this sum"


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


def finite(value: float) -> float | None:
    """Return a number that JSON can hold; None for NaN and infinities."""
    return value if math.isfinite(value) else None


WEIGHT, ACTIVATION, GRADIENT = "weight", "activation", "gradient of the class score"


def drawn(net: Network, slots: Slots, layer: Layer, view: str, target: int) -> tuple[Tensor, str]:
    """Return the maps, filters or vector that a figure of a layer shows, and what they are."""
    if layer.error is not None:
        return torch.empty(0, 1, 1), f"not computed: {layer.error}"
    if view == "filters" and filter_shape(layer):
        weights = filters(net, layer)
        return (weights if weights.shape[1] == RGB else weights.sum(1)), WEIGHT
    key = slots["a"].key
    gradients = view == "gradients" and slots.outputs > 0
    quantity = Quantity(key, "gradients", target) if gradients else Quantity(key)
    try:
        maps = slots.passes.maps(quantity, layer.name)
    except ValueError as error:  # the model fails with this picture, or has no gradient here
        return torch.empty(0, 1, 1), str(error)
    if not maps.numel():
        return torch.empty(0, 1, 1), "the layer puts out no values"
    name = GRADIENT if gradients else ACTIVATION
    if view == "mean" and maps.ndim > 1:
        return maps.mean(0, keepdim=True), f"mean {name}"
    return maps, name


def span(slots: Slots, maps: Tensor, quantity: str, color_range: str) -> Range | None:
    """Return the range of a figure's colours; None for one range per map."""
    if color_range == "channel":
        return None
    if color_range == "network" and quantity == ACTIVATION:
        return slots.passes.range(Quantity(slots["a"].key))
    return range_of(maps)


def title(layer: Layer) -> str:
    """Say what a layer is in a few words."""
    size = "\N{MULTIPLICATION SIGN}".join(map(str, layer.output_shape or ()))
    return " · ".join(filter(None, (layer.name, layer.kind, size)))
