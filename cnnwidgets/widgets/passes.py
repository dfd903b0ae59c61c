"""The passes that a widget looks at, kept within a limit of memory."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch

from cnnwidgets.capture import Capture, Step, capture
from cnnwidgets.convolutions import (
    Convolution,
    Convolved,
    convolutions,
    convolved,
    is_own,
    own_convolution,
)
from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network

Of = Literal["activations", "gradients"]

_MAPS = 4  # axes of a batch of maps


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
    """Layers' values by picture: computed together, least recently used first out.

    Parameters
    ----------
    net
        The network.
    limit
        Bytes that are kept. Of a pass that needs more than half of it the layer asked for
        is kept with as many of those after it as fit.

    Attributes
    ----------
    net
        The network; after another one is set, pictures need new keys.
    """

    def __init__(self, net: Network, limit: int = 2**30) -> None:
        self.net = net
        self._limit = limit
        self._lock = threading.RLock()
        self._pictures: dict[int, Tensor] = {}
        self._values: OrderedDict[tuple[Quantity, str], Tensor] = OrderedDict()
        self._ranges: dict[Quantity, Range] = {}
        self._convolved: dict[int, tuple[str, Convolved]] = {}
        self._convolutions: dict[int, dict[str, Convolution]] = {}

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        with self._lock:
            weights = (
                conv.weight for kept in self._convolutions.values() for conv in kept.values()
            )
            return sum(map(_size, (*self._values.values(), *weights)))

    def add(
        self, key: int, x: Tensor, layer: str | None = None, step: Step | None = None
    ) -> Capture:
        """Run the pass over a new picture [1, C, H, W]; partial if the model fails.

        `layer` is kept if any is. `step` is called after each layer, here and below.
        """
        with self._lock:
            self._pictures[key] = x
            try:
                return self._run(Quantity(key), layer, step)
            except BaseException:
                self.drop(key)
                raise

    def drop(self, key: int) -> None:
        """Forget a picture and all its passes."""
        with self._lock:
            self._pictures.pop(key, None)
            self._convolved.pop(key, None)
            self._convolutions.pop(key, None)
            for known in [known for known in self._values if known[0].key == key]:
                del self._values[known]
            for quantity in [quantity for quantity in self._ranges if quantity.key == key]:
                del self._ranges[quantity]

    def release(self) -> None:
        """Free what can be computed again; the pictures stay."""
        with self._lock:
            self._values.clear()
            self._convolved.clear()
            self._convolutions.clear()

    def clear(self) -> None:
        """Free everything."""
        for key in list(self._pictures):
            self.drop(key)

    def has(self, quantity: Quantity, name: str) -> bool:
        """Whether a layer's value is there, without another pass."""
        return (quantity, name) in self._values

    def maps(self, quantity: Quantity, name: str, step: Step | None = None) -> Tensor:
        """Return a layer's value as float32 maps [C, H, W], or as a vector [n]."""
        return as_maps(self.value(quantity, name, step))

    def value(self, quantity: Quantity, name: str, step: Step | None = None) -> Tensor:
        """Return a layer's value with its batch axis.

        Raises
        ------
        RequestError
            If the picture is gone, or the pass did not reach the layer.
        """
        with self._lock:
            if quantity.key not in self._pictures:
                raise RequestError("the picture has changed")
            known = quantity, name
            if known in self._values:
                self._values.move_to_end(known)
                return self._values[known]
            captured = self._run(quantity, name, step)
            found: dict[str, Tensor] = getattr(captured, quantity.of)
            if name not in found:
                raise RequestError(_absence(captured, name))
            return found[name]

    def convolution(self, key: int, layer: Layer, step: Step | None = None) -> Convolution:
        """Return with what a layer convolves that only a pass can tell.

        One pass finds it for the layers after it too, as many as an eighth of the limit holds.

        Raises
        ------
        RequestError
            If the picture is gone, or the pass does not come so far.
        """
        with self._lock:
            kept = self._convolutions.get(key, {})
            if layer.name not in kept and key in self._pictures:
                item = torch.empty((), dtype=self.net.dtype).element_size()
                sizes = {
                    other.name: item * math.prod(other.filters)
                    for other in self.net.graph
                    if other.filters is not None and not is_own(other)
                }
                names = _fitting(sizes, layer.name, self._limit // 8)
                kept = convolutions(self.net, names, self._pictures[key], step)
                self._convolutions[key] = kept
            return kept.get(layer.name) or self.convolved(key, layer, step).conv

    def convolved(self, key: int, layer: Layer, step: Step | None = None) -> Convolved:
        """Return what a layer convolves; each picture's latest is kept.

        Raises
        ------
        RequestError
            If the picture is gone, or the pass does not come so far.
        """
        with self._lock:
            if key not in self._pictures:
                raise RequestError("the picture has changed")
            name, found = self._convolved.get(key, ("", None))
            if found is None or name != layer.name:
                try:
                    found = self._kept(key, layer, step) or convolved(
                        self.net, layer.name, self._pictures[key], step
                    )
                except ValueError as error:
                    raise RequestError(str(error)) from error
                self._convolved[key] = layer.name, found
            return found

    def _kept(self, key: int, layer: Layer, step: Step | None) -> Convolved | None:
        """Put together what a layer convolves without another pass, where that is certain."""
        conv = own_convolution(self.net, layer) if layer.direct else None
        if conv is None:
            return None
        source = layer.inputs[0]
        x = self._pictures[key] if source == "input" else self.value(Quantity(key), source, step)
        made = self.value(Quantity(key), layer.name, step)
        cast = not x.dtype == conv.weight.dtype == made.dtype  # by autocast in the forward
        return None if cast else Convolved(conv, x)

    def range(self, quantity: Quantity) -> Range:
        """Return the range over all layers with maps that the pass kept."""
        with self._lock:
            if quantity not in self._ranges:
                self._run(quantity, None)
            return self._ranges.get(quantity, Range(0.0, 0.0))

    def _run(self, quantity: Quantity, name: str | None, step: Step | None = None) -> Capture:
        layers = self.net.graph.choose()
        try:
            captured = capture(
                self.net,
                self._pictures[quantity.key],
                self._fitting(layers, name, quantity.of),
                gradients=quantity.of == "gradients",
                target=quantity.target,
                partial=True,
                step=step,
            )
        except ValueError as error:  # not of the model: its errors are kept, not raised
            raise RequestError(str(error)) from error
        values: dict[str, Tensor] = getattr(captured, quantity.of)
        self._values.update({(quantity, layer): value for layer, value in values.items()})
        self._widen(quantity, [value for value in values.values() if value.ndim == _MAPS])
        held = self.held
        while held > self._limit and self._values:
            held -= _size(self._values.popitem(last=False)[1])
        return captured

    def _widen(self, quantity: Quantity, values: list[Tensor]) -> None:
        ranges = [range_of(value) for value in values if value.is_floating_point()]
        if known := self._ranges.get(quantity):
            ranges.append(known)
        if ranges:
            lows, highs = zip(*ranges, strict=True)
            self._ranges[quantity] = Range(min(lows), max(highs))

    def _fitting(self, layers: list[Layer], name: str | None, of: Of) -> list[str] | None:
        """Name the layers to keep of a pass: all if there is room, else this and what follows."""
        item = torch.empty((), dtype=self.net.dtype).element_size()
        sizes = {layer.name: item * math.prod(layer.output_shape or ()) for layer in layers}
        room = self._limit // 2
        if sum(sizes.values()) <= room:
            return None
        if of == "gradients":  # of layers named, each must have one
            return [] if name is None else [name]
        return _fitting(sizes, name, room)


def _fitting(sizes: dict[str, int], name: str | None, room: int) -> list[str]:
    """Name a layer and as many of those after it, then before it, as there is room for."""
    names = list(sizes)
    start = names.index(name) if name in sizes else 0
    chosen: list[str] = []
    for layer in names[start:] + names[:start]:
        room -= sizes[layer]
        if room < 0 and chosen:
            break
        chosen.append(layer)
    return chosen


def _absence(captured: Capture, name: str) -> str:
    if name in captured.missing:
        return f"{name} has no gradient: {captured.missing[name]}"
    return f"the forward pass did not reach {name} with this picture"


def as_maps(value: Tensor) -> Tensor:
    """Return a batch of one as float32 maps [C, H, W] or a vector [n], on the CPU.

    Tokens [T, D] are maps of one row, [T, 1, D]; of complex numbers the size is taken.
    """
    one: Any = value[0] if value.ndim > 1 and len(value) == 1 else value
    one = (one.abs() if one.is_complex() else one).detach().float().cpu()
    if one.ndim <= 1:
        return one.reshape(-1)  # type: ignore[no-any-return]
    if one.ndim == 2:  # noqa: PLR2004 - tokens
        return one[:, None, :]  # type: ignore[no-any-return]
    return one.flatten(0, -3)  # type: ignore[no-any-return]


def range_of(values: Tensor) -> Range:
    """Return the range of the finite values."""
    if not values.numel():
        return Range(0.0, 0.0)
    low, high = float(values.amin()), float(values.amax())  # each far faster than aminmax
    if math.isfinite(low) and math.isfinite(high):
        return Range(low, high)
    return range_of(values[values.isfinite()])


def _size(value: Tensor) -> int:
    return value.numel() * value.element_size()
