"""A model and what it does not know about itself: preprocessing, classes, layer graph."""

from __future__ import annotations

import threading
import warnings
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import torch
from PIL import Image
from torch import Tensor, nn

from cnnwidgets import images
from cnnwidgets.capture import capture
from cnnwidgets.classes import Classes, Prediction, first_output, scores
from cnnwidgets.convolutions import Convolution, convolved
from cnnwidgets.discovery import normalisation_of, settings_of, shapes_to_try, size_of
from cnnwidgets.errors import known_keywords
from cnnwidgets.fingerprint import Fingerprint, state_of
from cnnwidgets.isolation import isolated
from cnnwidgets.layers import Layer, LayerGraph, layer_graph
from cnnwidgets.shadow import shadow, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cnnwidgets.images import Numbers, Picture

Shape = tuple[int, int, int]

_TIMES = "\N{MULTIPLICATION SIGN}"


class Network:
    """A model with all that is needed to show it pictures and look inside.

    Parameters
    ----------
    model
        Any `torch.nn.Module` that takes one batch of images. It is never changed: every
        pass runs on a copy that shares its parameters, in evaluation mode.
    classes
        Names of the classes, by index, or another network's `classes`. By default what comes
        with the model (timm's ``label_names``, ``weights.meta``), else ``class 0``, ``class 1`` …
    input_size
        Height and width of the input in pixels, as one number, (H, W) or (C, H, W). By
        default what comes with the model, else the first of 224, 32, 28, 64, 96, 128, 256
        and 299 that it takes.
    mean, std
        Normalisation of pixels in [0, 1], one number or one per channel; by default what
        comes with the model, else 0 and 1.
    preprocess
        A callable from a PIL image to a float tensor [C, H, W] or [1, C, H, W], instead of
        resizing, cropping and normalising.
    weights
        A torchvision weights enum member to take all of these from.

    Attributes
    ----------
    model, mean, std, preprocess
        As given or found.
    name
        The class name of the model.
    guessed
        Whether nothing told the height and width of the input, so that they may be others.

    Notes
    -----
    A pass leaves no trace in the model, nor in torch's random state and modes. One thing cannot
    be kept from it: a forward that itself draws from Python's ``random`` or from NumPy's global
    generator moves these on where a widget's own thread runs it; on the main thread they are put
    back.

    Examples
    --------
    >>> net = Network(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), input_size=32)
    >>> [layer.name for layer in net.layers]
    ['0', '1']
    """

    @known_keywords
    def __init__(  # noqa: PLR0917 - the documented order; keywords are usual
        self,
        model: nn.Module,
        classes: Sequence[str] | Mapping[int, str] | Classes | None = None,
        input_size: int | Sequence[int] | None = None,
        mean: Numbers | None = None,
        std: Numbers | None = None,
        preprocess: Callable[[Any], Tensor] | None = None,
        *,
        weights: Any = None,  # noqa: ANN401 - a torchvision enum, by its attributes
    ) -> None:
        if isinstance(model, Network):
            raise TypeError("model: it is a Network already; use it as it is, or give its model")
        shadow(model)  # raises if it cannot be looked into
        found = settings_of(model, weights)
        self.model = model
        self.name = type(unwrap(model)).__name__
        self._given = None if classes is None else Classes(classes)
        self._found = Classes(found.classes)
        self.preprocess = preprocess or found.preprocess
        usual_mean, usual_std = normalisation_of(self.preprocess)
        self.mean = _first(mean, found.mean, usual_mean, 0.0)
        self.std = _first(std, found.std, usual_std, 1.0)
        # A model with other channels than the pretrained one keeps its description.
        self._size = size_of(input_size) or (size_of(found.input_size) or ())[-2:] or None
        self.guessed = self._size is None and self.preprocess is None
        self._lock = threading.RLock()
        self._fingerprint = Fingerprint()
        self._probed: tuple[Hashable, Shape, LayerGraph, Classes] | None = None

    def __repr__(self) -> str:
        if self._probed is None:
            return f"Network({self.name})"
        size = _TIMES.join(map(str, self._probed[1])) + " (guessed)" * self.guessed
        return f"Network({self.name}, input {size}, {len(self._probed[2])} layers)"

    @property
    def device(self) -> torch.device:
        """Where the model's first parameter is; the CPU if it has none."""
        return next((tensor.device for tensor in state_of(self.model)), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """The model's floating-point type; float32 if it has no parameters."""
        types = (tensor.dtype for tensor in state_of(self.model))
        return next((dtype for dtype in types if dtype.is_floating_point), torch.float32)

    @property
    def input_shape(self) -> Shape:
        """(C, H, W) of the input."""
        return self._probe()[0]

    @property
    def graph(self) -> LayerGraph:
        """The layers and how they hang together; new after a module was replaced."""
        return self._probe()[1]

    @property
    def classes(self) -> Classes:
        """The names of the classes, by index.

        Raises
        ------
        ValueError
            If there were other names given than the network has outputs. Names that came with
            the model and do not fit, because it got another last layer, are left out.
        """
        return self._probe()[2]

    @property
    def layers(self) -> list[Layer]:
        """The layers in execution order."""
        return list(self.graph.layers)

    @property
    def total_parameters(self) -> int:
        """Every parameter of the model, each counted once."""
        return self.graph.total_parameters

    def layer(self, name: str) -> Layer:
        """Return the layer of this name; an unknown one raises and names the nearest."""
        return self.graph[name]

    def prepare(self, image: Picture) -> Tensor:
        """Make the batch of one that the network takes.

        Parameters
        ----------
        image
            A path, a PIL image, a uint8 array [H, W] or [H, W, 3], or a float tensor
            [C, H, W] or [1, C, H, W] that is already preprocessed.

        Returns
        -------
        Tensor
            [1, C, H, W] on the model's device, of its dtype.

        Warns
        -----
        UserWarning
            If floats look as if they were not preprocessed; see `doubt`.
        """
        if doubt := self.doubt(image):
            warnings.warn(doubt, stacklevel=2)
        if self.preprocess is None:
            x = images.prepare(image, self.input_shape, self.mean, self.std)
        else:
            picture = images.read(image, self._channels_of(image))
            x = picture if isinstance(picture, Tensor) else self._preprocessed(picture)
        return x.to(self.device, self.dtype)

    def doubt(self, image: Picture) -> str:
        """Say why a float image looks as if it was not preprocessed; ``""`` if it does not."""
        return images.doubt(image, self.mean)

    def restore(self, x: Tensor) -> NDArray[np.uint8]:
        """Undo the preprocessing: a batch [N, C, H, W] as uint8 pixels [N, H, W, C]."""
        return images.restore(x, self.mean, self.std)

    def predict(self, image: Picture, k: int = 5) -> list[Prediction]:
        """Return the `k` likeliest classes as (index, name, probability, logit).

        Raises
        ------
        ValueError
            If the network is no classifier: its output is not [N, classes].
        """
        return self.ranking(self.output(self.batch(image)), k)

    def activations(self, image: Picture, layers: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Return layer name → output with the batch axis, for all layers or these.

        `image` may be a prepared batch [N, C, H, W] as well.
        """
        return capture(self, self.batch(image), layers).activations

    def gradients(
        self,
        image: Picture,
        target: int | str | None = None,
        layers: Iterable[str] | None = None,
    ) -> dict[str, Tensor]:
        """Return layer name → ∂score/∂activation, for all layers or these.

        The score is the logit of `target` (class index or name; the predicted class by
        default). `image` may be a prepared batch [N, C, H, W] as well.
        """
        batch = self.batch(image)
        return capture(self, batch, layers, gradients=True, target=target).gradients

    def convolution(self, layer: str, image: Picture) -> tuple[Convolution, Tensor]:
        """Return a convolution that computes what a layer does with an image, and its input.

        Whatever comes before the layer's ``conv2d`` is in it: standardised or fake-quantised
        weights, padding, a chosen part of another layer's output. What a forward hook makes of
        the result is not.

        Parameters
        ----------
        layer
            Name of a layer that is a two-dimensional convolution, a module or a function.
        image
            The image, or a prepared batch [N, C, H, W].

        Returns
        -------
        conv : torch.nn.Conv2d or torch.nn.ConvTranspose2d
            With weights of its own: what is done to it is not done to the model.
        x : torch.Tensor
            What it is given, so that ``conv(x)`` is what the layer computes.

        Raises
        ------
        ValueError
            If there is no such layer, it is no two-dimensional convolution, or the model fails
            before it.
        """
        conv, x, _ = convolved(self, layer, self.batch(image))
        return conv, x

    def batch(self, image: Picture) -> Tensor:
        """Return a prepared batch [N, C, H, W] on the model's device, or prepare one image."""
        if isinstance(image, Tensor) and image.is_floating_point() and image.ndim == len("NCHW"):
            return image.detach().to(self.device, self.dtype)
        return self.prepare(image)

    def output(self, x: Tensor) -> Any:  # noqa: ANN401 - what the user's model returns
        """Run one pass over a batch [N, C, H, W], without gradients."""
        return capture(self, x, ()).output

    def first_output(self, output: Any) -> Tensor:  # noqa: ANN401
        """Return the tensor that counts of what the model returned."""
        return first_output(output)

    def ranking(self, output: Any, k: int = 5) -> list[Prediction]:  # noqa: ANN401
        """Return the `k` likeliest classes of what the model returned for one image."""
        return self.classes.ranking(first_output(output), k)

    def class_name(self, index: int) -> str:
        """Return a class's name, ``class 7`` if it has none."""
        return self.classes[index]

    def target_index(self, target: int | str | None, x: Tensor) -> int:
        """Return the index of a class.

        Parameters
        ----------
        target
            Its index or name; None for the class predicted for `x`.
        x
            A batch [N, C, H, W]; run through the network only if `target` is None.

        Raises
        ------
        ValueError
            If there is no such class; the message names the nearest.
        """
        if target is None:
            return int(scores(self.output(x))[0].argmax())
        return self.classes.index(target)

    def weights_version(self) -> Hashable:
        """Return a value that is another one as soon as a parameter or buffer changed.

        Not noticed: a write through ``.data`` to a few values of a tensor of more than 65,536.
        """
        return self._fingerprint.of(state_of(self.model))

    def with_model(self, model: nn.Module) -> Network:
        """Return a network of another model of the same kind: same pictures, same classes."""
        twin = copy(self)
        twin.model, twin._lock, twin._probed = model, threading.RLock(), None  # noqa: SLF001
        twin._fingerprint = Fingerprint()  # noqa: SLF001
        return twin

    def with_size(self, size: tuple[int, int]) -> Network:
        """Return a network of the same model, of whose pictures height and width are known."""
        twin = self.with_model(self.model)
        twin._size, twin.guessed = size, False  # noqa: SLF001
        return twin

    def _probe(self) -> tuple[Shape, LayerGraph, Classes]:
        """Find the input shape, the layers and the classes, once for each set of modules."""
        modules = tuple(map(id, self.model.modules()))
        with self._lock:
            if self._probed is None or self._probed[0] != modules:
                shape, graph = self._find()
                self._probed = modules, shape, graph, self._names(graph.classes)
            return self._probed[1:]

    def _names(self, count: int | None) -> Classes:
        """Return the names given, which must fit so many outputs, or those found, if they fit."""
        names = self._found if self._given is None else self._given
        misfit = count and names.misfit(count)
        if not misfit:
            return names
        if self._given is None:
            return Classes()
        raise ValueError(misfit)

    def _find(self) -> tuple[Shape, LayerGraph]:
        """Run the first pass that succeeds, or else show how the likeliest one fails."""
        failed = None
        size = self._size or self._preprocessed_size()
        for shape in shapes_to_try(self.model, size):
            noise = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
            graph = layer_graph(shadow(self.model), noise.to(self.device, self.dtype))
            if graph.error is None:
                return shape, graph
            failed = failed or (shape, graph)
        shape, graph = cast("tuple[Shape, LayerGraph]", failed)
        return shape, replace(graph, error=f"{graph.error}. {self._advice(shape)}")

    def _advice(self, shape: Shape) -> str:
        """Say what a pass that failed was given, and how to give it something else."""
        say = "say so: Network(model, input_size=…), one number or (C, H, W)"
        if self.preprocess is not None:
            say = "preprocess has to make that"
        given = f"The picture given was {_TIMES.join(map(str, shape))}"
        return f"{given}; if the model takes another size or other channels, {say}"

    def _preprocessed_size(self) -> tuple[int, ...] | None:
        if self.preprocess is None:
            return None
        return tuple(self._preprocessed(Image.new("RGB", (512, 512), "grey")).shape[-2:])

    def _preprocessed(self, picture: Image.Image) -> Tensor:
        """Call the user's `preprocess`, which may augment, leaving the random state alone."""
        with isolated(torch.device("cpu"), grad=False), torch.random.fork_rng(devices=()):
            x = cast("Callable[[Any], Any]", self.preprocess)(picture)
        if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim not in {3, 4}:
            got = f"a tensor {list(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"preprocess returned {got}; return a float tensor [C, H, W]")
        return x if x.ndim == len("NCHW") else x[None]

    def _channels_of(self, image: Picture) -> int:
        """Return how many channels an image must have before `preprocess`."""
        channels = self.input_shape[0]
        is_float = "float" in str(getattr(image, "dtype", ""))
        return channels if is_float or channels in {1, 3} else 3


def as_network(model: Network | nn.Module, image: object = None) -> Network:
    """Return a network as it is, and make one of a bare module.

    `image` is what was given after it, to tell when the two changed places.
    """
    if isinstance(image, Network | nn.Module) and not isinstance(model, Network | nn.Module):
        raise TypeError("net: the network comes first, then the image")
    return model if isinstance(model, Network) else Network(model)


def _first(*values: Any) -> Any:  # noqa: ANN401
    return next(value for value in values if value is not None)
