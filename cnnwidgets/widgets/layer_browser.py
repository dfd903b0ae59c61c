"""LayerBrowser: every layer and channel of a network for one picture, or two side by side."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import torch
from traitlets import Dict, Enum, Int, List, TraitError, Tuple, Unicode, observe, validate

from cnnwidgets.errors import nearest
from cnnwidgets.network import as_network
from cnnwidgets.widgets import layer_views as views
from cnnwidgets.widgets.base import Widget, sentence
from cnnwidgets.widgets.layer_answers import CHUNK, SLOTS, LayerAnswers
from cnnwidgets.widgets.layer_figure import Sheet, draw
from cnnwidgets.widgets.passes import Of, Passes, Quantity, Range, range_of
from cnnwidgets.widgets.pictures import Shown, Upload, choices, name_of, seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from cnnwidgets.capture import Capture
    from cnnwidgets.classes import Prediction
    from cnnwidgets.images import Picture
    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network


class LayerBrowser(LayerAnswers, Widget):
    """Browse the layers of a network: maps, filters, gradients, and how each value came about.

    Parameters
    ----------
    net
        A `cnnwidgets.Network`, or a bare ``nn.Module``.
    image
        A path, a PIL image, a uint8 array [H, W] or [H, W, 3], or a float tensor
        [C, H, W] that is already preprocessed.
    layer
        Name of the layer to begin with; the first convolution by default.
    compare
        A second picture to show beside the first, on one scale.
    images
        Up to 500 pictures to choose from.
    target
        Class index or name whose logit the gradients are of; the predicted class by default.
    traits
        First values of `channel`, `view`, `color_range`, `unit`.

    Raises
    ------
    TypeError
        If a keyword is unknown; the message names the nearest.
    ValueError
        If an image, layer or target is not what the network takes.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> browser = cw.LayerBrowser(net, images[0], images=images[:12])
    >>> browser.layer = "block2.conv1"
    """

    _bundle = "layer_browser"

    layer = Unicode().tag(sync=True)
    """Name of the layer shown."""
    channel = Int(0).tag(sync=True)
    """Channel chosen, from 0."""
    view = Enum(("maps", "mean", "filters", "gradients"), "maps").tag(sync=True)
    """What is shown of the layer."""
    color_range = Enum(("channel", "layer", "network"), "layer").tag(sync=True)
    """What one range of colours covers; it is always centred on zero."""
    unit = Tuple(Int(), Int(), default_value=None, allow_none=True).tag(sync=True)
    """(row, column) of the unit whose receipt is shown, or None."""
    target = Int(None, allow_none=True).tag(sync=True)
    """Class whose logit the gradients are of; None for a network that is no classifier."""
    step = Int(0).tag(sync=True)
    """Training step shown, where the network comes from a recorded run."""

    _graph = Dict().tag(sync=True)
    _pictures = Dict().tag(sync=True)
    _predictions = Dict().tag(sync=True)
    _choices: List[dict[str, Any]] = List().tag(sync=True)
    _classes: List[str] | None = List(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        net: Network | nn.Module,
        image: Picture,
        layer: str | None = None,
        *,
        compare: Picture | None = None,
        images: Sequence[Picture] = (),
        target: int | str | None = None,
        **traits: Any,  # noqa: ANN401 - checked by the base class
    ) -> None:
        network = as_network(net)
        graph = network.graph
        self._slots: dict[str, Shown] = {}
        self._images = images
        self._passes = Passes(network)
        self._uploads: dict[tuple[str, str], Upload] = {}
        self._ranked: dict[str, list[Prediction] | str] = {}
        self._state_lock = threading.RLock()
        self._network_graph = graph
        self._version = network.weights_version()
        self._predicted: int | None = None
        super().__init__(
            network,
            layer=_first_layer(graph.layers) if layer is None else graph[layer].name,
            _graph=views.describe(graph, network),
            _classes=None if network.classes is None else list(network.classes),
            _choices=choices(network, images),
            **traits,
        )
        if target is not None:
            self.target = network.target_index(target, torch.empty(0))
        self.show(image)
        if compare is not None:
            self.compare(compare)

    def show(self, image: Picture) -> None:
        """Show another picture.

        Parameters
        ----------
        image
            As for the class.

        Raises
        ------
        ValueError
            If it is no picture that the network takes; what was shown stays.
        """
        self._put("a", image, name_of(image, "picture"))

    def compare(self, image: Picture | None) -> None:
        """Show a second picture beside the first, on one scale; None takes it away."""
        if image is None:
            self._take("b")
        else:
            self._put("b", image, name_of(image, "picture 2"))

    def figure(self) -> Figure:
        """Draw the picture, the predictions and what is shown of the layer.

        Returns
        -------
        matplotlib.figure.Figure
            With up to 64 channels of the layer; the first picture if two are compared.
        """
        shown = self._slots["a"]
        layer = self._network_graph[self.layer]
        pixels, _ = seen(self.net, shown.x)
        ranked = self._ranked["a"]
        maps, quantity = self._drawn(layer)
        return draw(
            Sheet(
                title=_title(layer),
                picture=pixels,
                picture_name=shown.name,
                predictions=None if isinstance(ranked, str) else ranked,
                maps=maps,
                span=self._span(maps, quantity),
                quantity=quantity,
                weights=quantity == "weight",
            )
        )

    def recorded(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the requests of every layer's maps, the layer shown and the first ones first."""
        layers = self._network_graph.choose()
        layers.sort(key=lambda layer: layer.name != self.layer)
        for of in ("activations", "gradients"):
            for layer in layers:
                for slot, shown in self._slots.items():
                    yield from self._recorded_of(layer, slot, shown, of)

    def close(self) -> None:
        """Free the passes and take the widget off every page. Once is enough."""
        self._passes.clear()
        self._slots.clear()
        self._ranked.clear()
        self._images = ()
        super().close()

    @validate("layer")
    def _check_layer(self, proposal: Any) -> str:  # noqa: ANN401 - traitlets' Bunch
        name = proposal.value
        if name and name not in self._network_graph:
            names = [layer.name for layer in self._network_graph]
            raise TraitError(f"layer: there is no layer {name!r}; {nearest(name, names)}")
        return str(name)

    @validate("channel")
    def _check_channel(self, proposal: Any) -> int:  # noqa: ANN401
        if proposal.value < 0:
            raise TraitError(f"channel: {proposal.value} is negative; channels count from 0")
        return int(proposal.value)

    @validate("target")
    def _check_target(self, proposal: Any) -> int | None:  # noqa: ANN401
        if proposal.value is None:
            return None
        try:
            return self.net.target_index(proposal.value, torch.empty(0))
        except ValueError as error:
            raise TraitError(str(error)) from None

    @observe("layer")
    def _stay_within(self, _change: Any) -> None:  # noqa: ANN401
        """Choose a channel and a unit that the new layer has."""
        if self.layer not in self._network_graph:
            return
        shape = self._network_graph[self.layer].output_shape or (1,)
        if self.channel >= shape[0]:
            self.channel = 0
        if self.unit is not None and (len(shape) < 3 or not _within(self.unit, shape[1:])):  # noqa: PLR2004
            self.unit = None  # type: ignore[assignment]  # traitlets' type has no None

    def _put(self, slot: str, image: Picture, name: str) -> None:
        """Show a picture in a slot: one pass for its predictions and the layer shown."""
        x = self.net.prepare(image)
        with self._state_lock:
            self._place(slot, Shown(x, name))
            self._tell()

    def _take(self, slot: str) -> None:
        with self._state_lock:
            old = self._slots.pop(slot, None)
            if old is not None:
                self._passes.drop(old.key)
                self._tell()

    def _place(self, slot: str, shown: Shown) -> None:
        old = self._slots.get(slot)
        captured = self._passes.add(shown.key, shown.x, self.layer or None)
        if old is not None:
            self._passes.drop(old.key)
        self._slots[slot] = shown
        self._ranked[slot] = self._rank(captured)

    def _rank(self, captured: Capture) -> list[Prediction] | str:
        """Return the top five, or why there are none."""
        if captured.failure is not None:
            return f"No prediction: {sentence(captured.failure.error)}"
        try:
            return self.net.ranking(captured.output)
        except ValueError as error:
            return str(error)

    def _tell(self) -> None:
        """Let the browser know the pictures and their predictions, together."""
        with self.hold_sync():
            self._predictions = {slot: _rows(self._ranked[slot]) for slot in self._slots}
            self._pictures = {
                slot: self._slots[slot].trait(self.net) if slot in self._slots else None
                for slot in SLOTS
            }
            ranked = self._ranked["a"]
            if not isinstance(ranked, str) and self.target == self._predicted:
                self.target = self._predicted = ranked[0].index

    def _notice_new_weights(self) -> None:
        """Compute everything anew when the weights are no longer those that were shown."""
        version = self.net.weights_version()
        with self._state_lock:
            if version == self._version:
                return
            self._version = version
            for slot, shown in list(self._slots.items()):
                self._place(slot, shown.again())
            self._tell()

    def _drawn(self, layer: Layer) -> tuple[Tensor, str]:
        """Return the maps that a figure shows, and what their numbers are."""
        if layer.error is not None:
            return torch.empty(0), layer.error
        key = self._slots["a"].key
        if self.view == "filters" and views.filter_shape(layer):
            weights = views.filters(self.net, layer)
            return (weights if weights.shape[1] == views.RGB else weights.sum(1)), "weight"
        of: Of = "gradients" if self.view == "gradients" else "activations"
        target = self.target if of == "gradients" else None
        maps = self._passes.maps(Quantity(key, of, target), layer)
        name = "gradient of the class score" if of == "gradients" else "activation"
        if self.view == "mean" and maps.ndim > 1:
            return maps.mean(0, keepdim=True), f"mean {name}"
        return maps, name

    def _span(self, maps: Tensor, quantity: str) -> Range | None:
        if self.color_range == "channel":
            return None
        if self.color_range == "network" and quantity == "activation":
            return self._passes.range(Quantity(self._slots["a"].key))
        return range_of(maps)

    def _recorded_of(
        self, layer: Layer, slot: str, shown: Shown, of: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        args = {"slot": slot, "key": shown.key, "layer": layer.name, "of": of}
        if of == "gradients":
            args["target"] = self.target
        shape = layer.output_shape or ()
        yield "layer", args
        if len(shape) < 2:  # noqa: PLR2004 - a vector
            yield "vector", args
            return
        yield "mean", args
        for first in range(0, shape[0], CHUNK):
            yield "maps", {**args, "first": first, "last": min(first + CHUNK, shape[0])}


def _first_layer(layers: Sequence[Layer]) -> str:
    """Return the first convolution, or else the first layer."""
    convolutions = (layer.name for layer in layers if layer.kind == "conv")
    return next(convolutions, layers[0].name if layers else "")


def _within(unit: tuple[int, int], shape: tuple[int, ...]) -> bool:
    return all(0 <= at < size for at, size in zip(unit, shape[-2:], strict=True))


def _title(layer: Layer) -> str:
    size = "\N{MULTIPLICATION SIGN}".join(map(str, layer.output_shape or ()))
    return " · ".join(filter(None, (layer.name, layer.kind, size)))


def _rows(ranked: list[Prediction] | str) -> dict[str, Any]:
    if isinstance(ranked, str):
        return {"rows": None, "note": ranked}
    rows = [
        {
            "index": one.index,
            "name": one.name,
            "probability": views.finite(one.probability),
            "logit": views.finite(one.logit),
        }
        for one in ranked
    ]
    return {"rows": rows, "note": None}
