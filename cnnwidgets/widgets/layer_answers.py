"""What the layer browser answers: one method for each request of its front-end."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import torch

from cnnwidgets.widgets import layer_views as views
from cnnwidgets.widgets.layer_receipt import account
from cnnwidgets.widgets.passes import Of, Quantity, range_of
from cnnwidgets.widgets.pictures import Shown, Upload
from cnnwidgets.widgets.requests import Answer, Request, RequestError, answers
from cnnwidgets.widgets.slots import SLOTS, Slots
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.capture import Step
    from cnnwidgets.images import Picture
    from cnnwidgets.layers import Layer, LayerGraph
    from cnnwidgets.network import Network

MOST_AT_ONCE = 512
"""Maps or filters that one request may ask for."""


class LayerAnswers:
    """The requests of the layer browser; the widget holds the state that they read."""

    net: Network
    layer: str
    target: int
    _network_graph: LayerGraph
    _slots: Slots
    _images: dict[str, Picture]
    _uploads: dict[tuple[str, str], Upload]

    def _put(self, slot: str, shown: Shown, *, step: Step | None = None) -> None:
        raise NotImplementedError

    def _take(self, slot: str) -> None:
        raise NotImplementedError

    def _renew(self, *, at_once: bool = False, step: Step | None = None) -> None:
        raise NotImplementedError

    @answers("layer")
    def _describe(self, request: Request) -> Answer:
        quantity, layer, maps = self._asked(request)
        table = views.statistics(maps)
        span = range_of(table[:, 1:3])
        mean = range_of(maps.mean(0))
        network = self._slots.passes.range(quantity)
        spatial = maps.ndim == views.MAP_AXES and layer.receptive_field is not None
        bounds = (layer.row_bounds, layer.column_bounds) if spatial else (_NO_BOUNDS, _NO_BOUNDS)
        value = {
            "shape": list(maps.shape),
            "low": span.low,
            "high": span.high,
            "network_low": network.low,
            "network_high": network.high,
            "mean_low": mean.low,
            "mean_high": mean.high,
            "odd": views.odd(maps) if (table[:, 5] > 0).any() else [],
        }
        return Answer(value, [pack(part, "float32") for part in (table, *bounds)])

    @answers("maps")
    def _maps(self, request: Request) -> Answer:
        _, _, maps = self._asked(request, spatial=True)
        first, last = request.span(len(maps), MOST_AT_ONCE)
        reduced, factor = views.reduce_maps(maps[first:last])
        return Answer({"reduced": factor}, [pack(reduced)])

    @answers("map")
    def _map(self, request: Request) -> Answer:
        _, _, maps = self._asked(request, spatial=True)
        return Answer(tensors=[pack(maps[request.index("channel", len(maps))], "float32")])

    @answers("mean")
    def _mean(self, request: Request) -> Answer:
        _, _, maps = self._asked(request, spatial=True)
        return Answer(tensors=[pack(maps.mean(0), "float32")])

    @answers("vector")
    def _vector(self, request: Request) -> Answer:
        _, layer, maps = self._asked(request)
        if maps.ndim != 1:
            raise RequestError(f"vector: {layer.name} has maps; ask for them")
        return Answer(tensors=[pack(maps, "float32")])

    @answers("filters")
    def _filters(self, request: Request) -> Answer:
        self._renew(step=request.step)
        layer = self._network_graph[request.get("layer", str)]
        if layer.filters is None:
            raise RequestError(f"filters: {layer.name} has none")
        passes, key = self._slots.passes, self._slots["a"].key
        weights = views.filters(self._slots.net, passes, key, layer, request.step)
        which = request.args.get("input", "sum")
        shown = views.choose_filters(weights, which)
        first, last = request.span(len(shown), MOST_AT_ONCE)
        low, high = range_of(shown if which == "sum" else weights)
        return Answer({"low": low, "high": high}, [pack(shown[first:last], "float32")])

    @answers("receipt")
    def _receipt(self, request: Request) -> Answer:
        quantity, layer, maps = self._asked(request, spatial=True, of_now=True)
        if not views.has_receipt(layer):
            raise RequestError(f"receipt: {layer.name} is no two-dimensional convolution")
        channels, height, width = maps.shape
        unit = (
            request.index("channel", channels),
            request.index("row", height),
            request.index("column", width),
        )
        found = self._slots.passes.convolved(quantity.key, layer, request.step)
        value, bill = account(layer, found, unit, float(maps[unit]))
        parts = (bill.patch, bill.weights, bill.products, bill.sums, bill.inside)
        return Answer(value, [pack(part, "float32") for part in parts])

    @answers("pick")
    def _pick(self, request: Request) -> Answer:
        choice = request.index("index", len(self._images))
        name, image = list(self._images.items())[choice]
        shown = Shown(self.net.prepare(image), name, choice, self.net.doubt(image))
        self._put(request.choose("slot", SLOTS), shown, step=request.step)
        return Answer()

    @answers("upload")
    def _upload(self, request: Request) -> Answer:
        slot = request.choose("slot", SLOTS)
        part, parts, name = (
            request.get("part", int),
            request.get("parts", int),
            request.get("name", str),
        )
        if len(request.buffers) != 1:
            raise RequestError("upload: one buffer belongs to each part")
        known = self._uploads.pop((request.page, slot), None)
        upload = known if known and part else Upload(name)
        file = upload.add(part, parts, bytes(request.buffers[0]))
        if file is None:
            self._uploads[request.page, slot] = upload
        else:
            file.name = name  # what an error calls it
            self._put(slot, Shown(self.net.prepare(file), name), step=request.step)
        return Answer()

    @answers("clear")
    def _clear(self, request: Request) -> Answer:
        self._take(request.choose("slot", SLOTS[1:]))
        return Answer()

    def _asked(
        self, request: Request, *, spatial: bool = False, of_now: bool = False
    ) -> tuple[Quantity, Layer, Tensor]:
        """Return what is asked for, the layer and its maps [C, H, W], or a vector [n].

        `of_now`: of the weights as they are now, not of a snapshot while they change.
        """
        slot, key = request.choose("slot", SLOTS), request.get("key", int)
        name = request.get("layer", str)
        gradients = request.args.get("of", "activations") != "activations"
        of: Of = "gradients" if gradients and request.choose("of", get_args(Of)) else "activations"
        quantity = Quantity(key, of, self._gradient_target(request) if gradients else None)
        passes = self._slots.passes
        at_once = of_now or not passes.has(quantity, name)
        self._renew(at_once=at_once, step=request.step)
        if self._slots[slot].key != key:
            raise RequestError("the picture has changed")
        request.check()
        layer = self._network_graph[name]
        maps = passes.maps(quantity, layer.name, request.step)
        if spatial and maps.ndim != views.MAP_AXES:
            raise RequestError(f"{request.name}: {layer.name} has no maps but {len(maps)} numbers")
        return quantity, layer, maps

    def _gradient_target(self, request: Request) -> int:
        """Return the class asked for; by default the one that the widget shows."""
        if not self._slots.outputs:
            raise RequestError(
                "there are no gradients of a class score: the network is no classifier"
            )
        if request.args.get("target") is None:
            return self.target
        return request.index("target", self._slots.outputs)


_NO_BOUNDS = torch.empty(0, 2)
