"""LayerBrowser: every layer and channel of a network for one picture, or two side by side."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Int, List, Tuple, Unicode, observe, validate

from cnnwidgets.errors import nearest
from cnnwidgets.network import as_network
from cnnwidgets.widgets import layer_views as views
from cnnwidgets.widgets.at_step import AtStep
from cnnwidgets.widgets.layer_answers import LayerAnswers
from cnnwidgets.widgets.layer_sheet import Sheet, preview
from cnnwidgets.widgets.moments import Moments
from cnnwidgets.widgets.pictures import Shown, Upload, choices, identify, named, seen
from cnnwidgets.widgets.recording import at_first, in_words, recorded
from cnnwidgets.widgets.slots import Slots
from cnnwidgets.widgets.traits import Choice, ClassIndex, TraitValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from cnnwidgets.capture import Step
    from cnnwidgets.images import Picture
    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network
    from cnnwidgets.training.run import Run
    from cnnwidgets.widgets.requests import Asked


class LayerBrowser(LayerAnswers, AtStep):
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
        Up to 2,000 pictures to choose from; a mapping gives them names.
    target
        Class index or name whose logit the gradients are of; the predicted class by default.
    run
        A recorded run of the network, a `cnnwidgets.Recorder` or what `cnnwidgets.load_run`
        returns: then `step` shows the network as it was.
    traits
        First values of `channel`, `view`, `color_range`, `unit`, `step`.

    Methods
    -------
    show(image)
        Show another picture.
    compare(image)
        Show a second one beside it; None takes it away.
    figure()
        Draw what is shown with matplotlib.
    to_html(path)
        Write an offline page that goes on working without a kernel.
    close()
        Free the memory and take the widget off every page.

    Raises
    ------
    TypeError
        If a keyword is unknown; the message names the nearest.
    ValueError
        If an image, layer or target is not what the network takes, or the run is of another one.

    Notes
    -----
    When the weights change, what is shown follows, at most once a second. A write through
    ``.data`` to a few values of a tensor of more than 65,536 may go unnoticed, as autograd does
    not count it: ``browser.show(image)`` looks again in any case.

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
    view = Choice(("maps", "mean", "filters", "gradients"), "maps").tag(sync=True)
    """What is shown of the layer: "maps", "mean", "filters" or "gradients"."""
    color_range = Choice(("channel", "layer", "network"), "layer").tag(sync=True)
    """What one range of colours, centred on zero, covers: "channel", "layer" or "network"."""
    unit = Tuple(Int(), Int(), default_value=None, allow_none=True).tag(sync=True)
    """(row, column) of the unit whose receipt is shown, or None."""
    target = ClassIndex(0).tag(sync=True)
    """Class whose logit the gradients are of; follows the prediction until it is set.

    Set it by index or name; read, it is the index.
    """
    _graph = Dict().tag(sync=True)
    _pictures = Dict().tag(sync=True)
    _predictions = Dict().tag(sync=True)
    _choices: List[dict[str, Any]] = List().tag(sync=True)
    _classes: List[str] = List().tag(sync=True)

    def __init__(
        self,
        net: Network | nn.Module,
        image: Picture,
        layer: str | None = None,
        *,
        compare: Picture | None = None,
        images: Mapping[str, Picture] | Iterable[Picture] = (),
        target: int | str | None = None,
        run: Run | None = None,
        **traits: Any,  # noqa: ANN401 - checked by the base class
    ) -> None:
        self._check_keywords(traits)
        network = as_network(net, image)
        self._moments = Moments(network, run)
        self._slots = slots = Slots(self._moments, traits.get("step"))
        self._network_graph = graph = slots.net.graph
        chosen = _first_layer(network) if layer is None else graph[layer].name
        self._images = named(images)
        self._uploads: dict[tuple[str, str], Upload] = {}
        slots.put("a", self._shown(network, image, "picture"), chosen)
        if compare is not None:
            slots.put("b", self._shown(network, compare, "picture 2"), chosen)
        self._predicted = slots.predicted
        if target is not None:
            traits["target"] = target
        super().__init__(
            network,
            layer=chosen,
            _graph=views.describe(graph, slots.net),
            _classes=_class_names(network, slots.outputs),
            _choices=choices(network, self._images),
            **slots.traits(),
            **{"target": self._predicted or 0, **traits},
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._graph['name']})"

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
        self._put("a", self._shown(self.net, image, "picture"))

    def compare(self, image: Picture | None) -> None:
        """Show a second picture beside the first, on one scale; None takes it away."""
        if image is None:
            self._take("b")
        else:
            self._put("b", self._shown(self.net, image, "picture 2"))

    def figure(self) -> Figure:
        """Draw the picture, the predictions and what is shown of the layer.

        Returns
        -------
        matplotlib.figure.Figure
            With up to 64 channels of the layer; the first picture if two are compared.
        """
        from cnnwidgets.widgets.layer_figure import draw  # noqa: PLC0415 - matplotlib is slow to load

        return draw(self._sheet())

    def preview(self) -> bytes:
        """Draw the same as PNG, without matplotlib: no display waits for it."""
        return preview(self._sheet())

    def foreseen(self) -> Iterator[Asked]:
        """Yield what a page asks as soon as it shows the widget."""
        return at_first(self._network_graph[self.layer], self.view, self._slots.keys)

    def recorded(self) -> Iterator[Asked]:
        """Yield the requests that an exported page should answer, most useful first."""
        layers = self._network_graph.choose()
        layers.sort(key=lambda layer: layer.name != self.layer)
        return recorded(layers, self._slots.keys, self.target if self._slots.outputs else None)

    def in_words(self, asked: Sequence[Asked]) -> str:
        """Say of how many layers these requests ask for what."""
        return in_words(asked)

    @contextmanager
    def _recording(self) -> Iterator[None]:
        with self._slots.held(self.layer, self.step):
            self._tell()
            yield

    def close(self) -> None:
        """Free the passes and take the widget off every page. Once is enough."""
        super().close()
        if "_slots" in self.__dict__:  # the constructor may have refused what it was given
            self._slots.close()
            self._images.clear()
            self._uploads.clear()

    @validate("layer")
    def _check_layer(self, proposal: Any) -> str:  # noqa: ANN401 - traitlets' Bunch
        name: str = proposal.value
        if name not in self._network_graph:
            names = [layer.name for layer in self._network_graph]
            raise TraitValueError(f"layer: there is no layer {name!r}; {nearest(name, names)}")
        return name

    @validate("channel")
    def _check_channel(self, proposal: Any) -> int:  # noqa: ANN401
        count = max(self._shape()[0], 1)
        if not 0 <= proposal.value < count:
            raise TraitValueError(
                f"channel: layer {self.layer!r} has no {proposal.value}; choose 0 to {count - 1}"
            )
        return int(proposal.value)

    @validate("unit")
    def _check_unit(self, proposal: Any) -> tuple[int, int] | None:  # noqa: ANN401
        unit: tuple[int, int] | None = proposal.value
        if unit is not None and not _within(unit, self._shape()):
            rows, columns = self._shape()[-2:] if len(self._shape()) > 1 else (0, 0)
            raise TraitValueError(
                f"unit: {unit} is not in layer {self.layer!r}, "
                f"which has {rows} rows and {columns} columns"
            )
        return unit

    @validate("target")
    def _check_target(self, proposal: Any) -> int:  # noqa: ANN401
        count = self._slots.outputs
        if 0 <= proposal.value < max(count, 1):
            return int(proposal.value)
        choose = f"choose 0 to {count - 1}" if count else "the network is no classifier"
        raise TraitValueError(f"target: there is no class {proposal.value}; {choose}")

    @observe("layer")
    def _stay_within(self, _change: Any = None) -> None:  # noqa: ANN401
        """Choose a channel and a unit that the new layer has."""
        if self.channel >= self._shape()[0]:
            self.channel = 0
        if self.unit is not None and not _within(self.unit, self._shape()):
            self.unit = None  # type: ignore[assignment]  # traitlets' type has no None

    def _shape(self) -> tuple[int, ...]:
        """Return the shape of the layer shown: maps [C, H, W], tokens [T, 1, D] or a vector [n]."""
        shape = self._network_graph[self.layer].output_shape or (1,)
        return (shape[0], 1, shape[1]) if len(shape) == 2 else shape  # noqa: PLR2004 - tokens

    def _shown(self, net: Network, image: Picture, otherwise: str) -> Shown:
        name, choice = identify(image, self._images, otherwise)
        return Shown(net.prepare(image), name, choice, net.doubt(image))

    def _put(self, slot: str, shown: Shown, *, step: Step | None = None) -> None:
        """Show a picture in a slot: one pass for its predictions and every layer."""
        self._slots.put(slot, shown, self.layer, step=step)
        self._tell()

    def _take(self, slot: str) -> None:
        self._slots.take(slot)
        self._tell()

    def _renew(self, *, at_once: bool = False, step: Step | None = None) -> None:
        """Look again if the model is no longer as it was shown, or another step is to be."""
        if self._slots.renew(self.layer, self.step, at_once=at_once, step=step):
            self._tell()
        self._say_refusal()

    def _tell(self) -> None:
        """Let the browser know the pictures, their predictions and the target, together."""
        followed, self._predicted = self.target == self._predicted, self._slots.predicted
        with self.hold_sync():
            self._follow_modules()
            for name, value in self._slots.traits().items():
                self.set_trait(name, value)
            if followed and self._predicted is not None:
                self.target = self._predicted
            self._foreseen = self._foresee() if self._pages else []

    def _follow_modules(self) -> None:
        """Describe the layers anew if a module was replaced, and show one that there is."""
        net = self._slots.net
        graph = net.graph
        if graph is self._network_graph and net.name == self._graph["name"]:
            return
        chosen = self.layer if self.layer in graph else _first_layer(net)
        self._network_graph, self._graph = graph, views.describe(graph, net)
        self._classes = _class_names(net, self._slots.outputs)
        self.layer = chosen
        self._stay_within()
        if self.target >= self._slots.outputs:
            self.target = self._slots.predicted or 0

    def _bye(self, page: str) -> None:
        super()._bye(page)
        for upload in [upload for upload in self._uploads if upload[0] == page]:
            del self._uploads[upload]

    def _unwatched(self) -> None:
        self._slots.passes.release()

    def _is_output(self, layer: Layer, maps: Tensor) -> bool:
        """Whether maps are a number for each class."""
        last = self._network_graph.layers[-1].name
        return layer.name == last and maps.shape == (self._slots.outputs,)

    def _sheet(self) -> Sheet:
        self._renew()
        shown, net = self._slots["a"], self._slots.net
        layer = self._network_graph[self.layer]
        drawn = views.drawn(net, self._slots, layer, self.view, self.target)
        pixels, _ = seen(net, shown.x)
        of = "" if net is self.net else f" · {net.name}"
        return Sheet(
            title=views.title(layer) + of,
            picture=pixels,
            picture_name=shown.name,
            predictions=self._slots.ranking("a"),
            maps=drawn.maps,
            span=views.span(self._slots, drawn, self.color_range),
            quantity=drawn.words,
            table="weights" if drawn.words == views.WEIGHT else "activations",
            unit_names=self._classes if self._is_output(layer, drawn.maps) else (),
        )


def _class_names(net: Network, count: int) -> list[str]:
    return [*map(net.classes.__getitem__, range(count))]


def _first_layer(net: Network) -> str:
    """Return the first convolution, or else the first layer."""
    layers = net.graph.layers
    if not layers:
        raise ValueError(
            f"net: {net.name} has no layers to show; its forward must call modules or torch "
            "functions on the picture"
        )
    convolutions = (layer.name for layer in layers if layer.kind == "conv" and not layer.error)
    return next(convolutions, layers[0].name)


def _within(unit: tuple[int, int], shape: tuple[int, ...]) -> bool:
    sizes = shape[-2:] if len(shape) > 1 else (0, 0)
    return all(0 <= at < size for at, size in zip(unit, sizes, strict=True))
