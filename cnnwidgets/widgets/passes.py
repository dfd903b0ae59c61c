"""The passes that a widget looks at, kept within a limit of memory."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch

from cnnwidgets.capture import Capture, capture

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network

Of = Literal["activations", "gradients"]


class Quantity(NamedTuple):
    """What one pass over a picture shows: activations, or the gradients of a target."""

    key: int
    of: Of = "activations"
    target: int | None = None


class Range(NamedTuple):
    """Lowest and highest finite value; 0 and 0 if there is none."""

    low: float
    high: float


class Passes:
    """Layers' values by picture, computed by passes that are shared, least recently used first out.

    Parameters
    ----------
    net
        The network.
    limit
        Bytes that are kept. A pass that needs more than half of it keeps the first layers
        that fit; the others are computed again when they are asked for.
    """

    def __init__(self, net: Network, limit: int = 2**30) -> None:
        self._net = net
        self._limit = limit
        self._lock = threading.RLock()
        self._pictures: dict[int, Tensor] = {}
        self._values: OrderedDict[tuple[Quantity, str], Tensor] = OrderedDict()
        self._ranges: dict[Quantity, Range] = {}

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return sum(map(_size, self._values.values()))

    def add(self, key: int, x: Tensor, layer: str | None = None) -> Capture:
        """Run the pass over a new picture [1, C, H, W]; partial if the model fails.

        `layer` is kept in any case.
        """
        with self._lock:
            self._pictures[key] = x
            return self._run(Quantity(key), layer)

    def picture(self, key: int) -> Tensor:
        """Return the picture [1, C, H, W]."""
        return self._pictures[key]

    def drop(self, key: int) -> None:
        """Forget a picture and all its passes."""
        with self._lock:
            self._pictures.pop(key, None)
            for known in [known for known in self._values if known[0].key == key]:
                del self._values[known]
            for quantity in [quantity for quantity in self._ranges if quantity.key == key]:
                del self._ranges[quantity]

    def clear(self) -> None:
        """Free everything."""
        for key in list(self._pictures):
            self.drop(key)

    def maps(self, quantity: Quantity, layer: Layer) -> Tensor:
        """Return a layer's value as float32 maps [C, H, W], or as a vector [n]."""
        return as_maps(self.value(quantity, layer.name))

    def value(self, quantity: Quantity, name: str) -> Tensor:
        """Return a layer's value with its batch axis.

        Raises
        ------
        ValueError
            If the picture is gone, or the pass did not reach the layer.
        """
        with self._lock:
            if quantity.key not in self._pictures:
                raise ValueError("the picture has changed")
            if (quantity, name) not in self._values:
                self._run(quantity, name)
            if (quantity, name) not in self._values:
                raise ValueError(self._absence(quantity, name))
            self._values.move_to_end((quantity, name))
            return self._values[quantity, name]

    def source(self, key: int, name: str) -> Tensor:
        """Return what a layer was given: the picture (``"input"``) or another layer's output."""
        return self.picture(key) if name == "input" else self.value(Quantity(key), name)

    def range(self, quantity: Quantity) -> Range:
        """Return the range over all layers with maps that are kept."""
        with self._lock:
            if quantity not in self._ranges:
                mapped = {layer.name for layer in self._net.graph if layer.receptive_field}
                kept = [
                    v for (q, name), v in self._values.items() if q == quantity and name in mapped
                ]
                ranges = [range_of(value) for value in kept] or [Range(0.0, 0.0)]
                self._ranges[quantity] = Range(
                    min(low for low, _ in ranges), max(high for _, high in ranges)
                )
            return self._ranges[quantity]

    def _run(self, quantity: Quantity, name: str | None) -> Capture:
        captured = capture(
            self._net,
            self._pictures[quantity.key],
            self._fitting(name),
            gradients=quantity.of == "gradients",
            target=quantity.target,
            partial=True,
        )
        values: dict[str, Tensor] = getattr(captured, quantity.of)
        for layer, value in values.items():
            self._values[quantity, layer] = value.detach()
        held = self.held
        while held > self._limit and len(self._values) > 1:
            held -= _size(self._values.popitem(last=False)[1])
        return captured

    def _fitting(self, name: str | None) -> list[str] | None:
        """Name the layers to keep of a pass: all if there is room, else this and the first ones."""
        item = torch.empty((), dtype=self._net.dtype).element_size()
        layers = self._net.graph.choose()
        sizes = {layer.name: item * math.prod(layer.output_shape or ()) for layer in layers}
        room = self._limit // 2
        if sum(sizes.values()) <= room:
            return None
        chosen = [name] if name is not None else []
        room -= sum(sizes.get(first, 0) for first in chosen)
        for layer, size in sizes.items():
            room -= size
            if room < 0:
                break
            chosen.append(layer)
        return list(dict.fromkeys(chosen))

    def _absence(self, quantity: Quantity, name: str) -> str:
        if quantity.of == "gradients":
            return f"{name} has no gradient: the class score does not depend on it"
        return f"the forward pass did not reach {name} with this picture"


def as_maps(value: Tensor) -> Tensor:
    """Return a batch of one as float32 maps [C, H, W] or a vector [n].

    Tokens [T, D] are maps of one row, [T, 1, D].
    """
    one: Any = value[0] if value.ndim > 1 and len(value) == 1 else value
    one = one.detach().float().cpu()
    if one.ndim <= 1:
        return one.reshape(-1)  # type: ignore[no-any-return]
    if one.ndim == 2:  # noqa: PLR2004 - tokens
        return one[:, None, :]  # type: ignore[no-any-return]
    return one.reshape(-1, *one.shape[-2:])  # type: ignore[no-any-return]


def range_of(values: Tensor) -> Range:
    """Return the range of the finite values."""
    if not values.numel():
        return Range(0.0, 0.0)
    low, high = (float(v) for v in torch.aminmax(values.float()))
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = values[values.isfinite()]
        return range_of(finite)
    return Range(low, high)


def _size(value: Tensor) -> int:
    return value.numel() * value.element_size()
