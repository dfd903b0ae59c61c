"""The methods that a saliency viewer offers: what each needs, in which unit its values are."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnwidgets.attribution.cam import grad_cam, guided_grad_cam
from cnnwidgets.attribution.gradients import (
    deconvnet,
    gradient_x_input,
    guided_backprop,
    saliency,
)
from cnnwidgets.attribution.integrated import iter_integrated_gradients
from cnnwidgets.attribution.occlusion import iter_occlusion
from cnnwidgets.attribution.progress import Progress
from cnnwidgets.attribution.smoothing import iter_smoothgrad, iter_vargrad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from cnnwidgets.network import Network

    Settings = dict[str, Any]
    Run = Callable[[Network, Tensor, int, Settings], Iterator[Progress]]

_FRAMES, _BATCH = 12, 8
"""A sum of many passes is shown about so many times, in batches no larger than these."""


@dataclass(frozen=True)
class Method:
    """One way to say which pixels matter.

    Attributes
    ----------
    label
        What a reader calls it.
    about
        One line: what the map shows.
    unit
        Of its values; ``{measure}`` stands for what is explained, ``{fill}`` for that setting.
    settings
        Traits of the viewer that it depends on, besides the target and the measure.
    run
        Computes it, in batches if it is long.
    signed
        Whether values below 0 mean anything.
    """

    label: str
    about: str
    unit: str
    settings: tuple[str, ...]
    run: Run
    signed: bool = True

    def unit_of(self, measure: str, settings: Settings) -> str:
        """Return the unit of a map of these settings; `measure` in a word."""
        return self.unit.format(**{**settings, "measure": measure})

    @property
    def at_once(self) -> bool:
        """Whether a single pass gives the whole map."""
        return not {"samples", "stride"} & set(self.settings)


def _once(function: Callable[..., Tensor], **names: str) -> Run:
    """Return how to run a function of one pass; `names` are its keywords of our settings."""

    def run(net: Network, x: Tensor, target: int, given: Settings) -> Iterator[Progress]:
        own = {keyword: given[name] for keyword, name in names.items()}
        common = {name: given[name] for name in ("measure", "score")}
        yield Progress(function(net, x, target, **own, **common), 1, 1)

    return run


def _summed(function: Callable[..., Iterator[Progress]], **names: str) -> Run:
    """Return how to run a function that sums many passes up, in batches that can be watched."""

    def run(net: Network, x: Tensor, target: int, given: Settings) -> Iterator[Progress]:
        own = {keyword: given[name] for keyword, name in names.items()}
        common = {name: given[name] for name in ("measure", "score")}
        batch = min(_BATCH, math.ceil(given["samples"] / _FRAMES))
        return function(net, x, target, batch=batch, **own, **common)

    return run


def _occlusion(net: Network, x: Tensor, target: int, given: Settings) -> Iterator[Progress]:
    """Yield the mean drop over the patches on a pixel, [H, W]; NaN where none was yet."""
    wanted = {name: given[name] for name in ("window", "stride", "fill", "measure", "score")}
    for found in iter_occlusion(net, x, target, **wanted):
        drop = found.baseline - found.heatmap()
        yield Progress(drop, int(found.known.sum()), found.known.numel())


_SLOPE, _SHARE = "{measure} per input unit", "share of the {measure}"
_NOISY = ("samples", "noise")

METHODS: dict[str, Method] = {
    "saliency": Method(
        "Saliency", "gradient of the score by each pixel", _SLOPE, (), _once(saliency)
    ),
    "gradient_x_input": Method(
        "Gradient × input", "gradient times the pixel", _SHARE, (), _once(gradient_x_input)
    ),
    "smoothgrad": Method(
        "SmoothGrad",
        "mean gradient of noisy copies",
        _SLOPE,
        _NOISY,
        _summed(iter_smoothgrad, samples="samples", noise="noise"),
    ),
    "vargrad": Method(
        "VarGrad",
        "variance of the gradient over noisy copies",
        "({measure} per input unit)²",
        _NOISY,
        _summed(iter_vargrad, samples="samples", noise="noise"),
        signed=False,
    ),
    "integrated_gradients": Method(
        "Integrated gradients",
        "what the pixel adds on the way from the baseline",
        _SHARE,
        ("samples", "baseline"),
        _summed(iter_integrated_gradients, steps="samples", baseline="baseline"),
    ),
    "guided_backprop": Method(
        "Guided backprop",
        "gradient, only what is positive let back through each ReLU",
        _SLOPE,
        (),
        _once(guided_backprop),
    ),
    "deconvnet": Method(
        "Deconvnet",
        "the same, also where the ReLU was flat",
        _SLOPE,
        (),
        _once(deconvnet),
    ),
    "grad_cam": Method(
        "Grad-CAM",
        "maps of a layer, weighted by their mean gradients",
        "weighted activation ({measure})",
        ("cam_layer",),
        _once(grad_cam, layer="cam_layer"),
    ),
    "guided_grad_cam": Method(
        "Guided Grad-CAM",
        "guided backprop where Grad-CAM is positive",
        "{measure}² per input unit",
        ("cam_layer",),
        _once(guided_grad_cam, layer="cam_layer"),
    ),
    "occlusion": Method(
        "Occlusion",
        "mean drop of the score under a patch on the pixel",
        "drop of the {measure}, mean over patches (fill: {fill})",
        ("window", "stride", "fill"),
        _occlusion,
    ),
}


def told() -> list[dict[str, Any]]:
    """Return what the browser must know of the methods."""
    return [
        {
            "key": key,
            "label": one.label,
            "about": one.about,
            "settings": list(one.settings),
            "at_once": one.at_once,
        }
        for key, one in METHODS.items()
    ]


def listening(steps: Iterator[Progress]) -> Iterator[tuple[Progress, str]]:
    """Yield each step with what was warned of on the way to it.

    A warning is for the reader of the map; the kernel's log would hide it.
    """
    while True:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            found = next(steps, None)
        if found is None:
            return
        yield found, " ".join(str(one.message) for one in caught if one.category is UserWarning)
