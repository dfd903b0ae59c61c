"""See inside a PyTorch convolutional network from a Jupyter notebook.

Network
    A model, and what it does not know about itself: preprocessing, class names, layers.
Layer
    What is known of one layer without running it again; `Network.layers` lists them.
LayerBrowser
    A widget: every layer and channel for one picture, or two side by side.
GradientAscentViewer
    A widget: a picture becomes what a unit wants to see, alone or beside others.
OcclusionSlider
    A widget: a patch to move over a picture, and a sweep of it over all places.
SaliencyViewer
    A widget: which pixels matter to a class, by one method or several side by side.
TrainingMonitor
    A widget: what happens in a network while it is trained, or was; back to any step.
watch
    Function: records a training loop and shows it, in one line.
link
    Ties what several widgets show: one choice shows in all.
saliency
    Function: how a class's score changes with each pixel, its gradient.
gradient_x_input
    Function: the gradient times the picture.
smoothgrad
    Function: the mean gradient of noisy copies of the picture.
vargrad
    Function: the variance of these gradients.
integrated_gradients
    Function: what each pixel adds to the score on the way from a baseline to the picture.
guided_backprop
    Function: the gradient, only what is positive let back through every ReLU.
deconvnet
    Function: the same, also where the ReLU was flat.
grad_cam
    Function: which places of a layer's maps speak for a class.
guided_grad_cam
    Function: guided backprop there.
segment
    Function: cuts out the object that an attribution points at.
ascend
    Function: changes a picture, step by step, until a unit answers it as strongly as it can.
Channel
    What such a picture is for: a channel of a layer, at all its places.
Neuron
    Likewise, one unit of a channel.
Class
    Likewise, a class: what convinces the network of it.
Logit
    Likewise, a class's logit.
Probability
    Likewise, a class's probability.
Direction
    Likewise, a mixture of a layer's channels.
Diversity
    Likewise, that the pictures of a batch differ.
Frame
    Such a picture after so many steps, its score, gradient and class.
ascent
    More of it: several pictures at once, settings that change on the way, objectives of one's own.
attribution
    Functions: these on their way, what to make of them, and how to distrust them.
occlusion
    Function: moves a patch over a picture and returns what the network says, an `OcclusionMap`.
OcclusionMap
    A score for each place of the patch, for each pixel, and how it was computed.
OcclusionProbe
    What a network says with one patch on a picture, fast enough to drag it.
Recorder
    Records a training loop as it is: losses, and every layer's statistics, histograms, weights.
    `cnnwidgets.training.callbacks` tells it what Lightning's and transformers' trainers validate.
load_run
    Function: reads a run that a recorder stored in a directory, also while it goes on.
load_tensorboard
    Function: reads a run from event files of TensorBoard, which need not be installed.
arithmetic
    Functions: output sizes, parameter counts, and how a convolution came to one number.
samples
    Functions: trained networks with pictures for them.

Names load on first use, so that ``import cnnwidgets`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnwidgets import arithmetic, ascent, attribution, samples
    from cnnwidgets.ascent.ascend import ascend
    from cnnwidgets.ascent.frame import Frame
    from cnnwidgets.ascent.outputs import Class, Logit, Probability
    from cnnwidgets.ascent.units import Channel, Direction, Diversity, Neuron
    from cnnwidgets.attribution.cam import grad_cam, guided_grad_cam
    from cnnwidgets.attribution.gradients import (
        deconvnet,
        gradient_x_input,
        guided_backprop,
        saliency,
    )
    from cnnwidgets.attribution.integrated import integrated_gradients
    from cnnwidgets.attribution.occlusion import occlusion
    from cnnwidgets.attribution.occlusion_map import OcclusionMap
    from cnnwidgets.attribution.probe import OcclusionProbe
    from cnnwidgets.attribution.segmentation import segment
    from cnnwidgets.attribution.smoothing import smoothgrad, vargrad
    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network
    from cnnwidgets.training.recorder import Recorder
    from cnnwidgets.training.stored import load_run
    from cnnwidgets.training.tensorboard.reading import load_tensorboard
    from cnnwidgets.widgets.gradient_ascent_viewer import GradientAscentViewer
    from cnnwidgets.widgets.layer_browser import LayerBrowser
    from cnnwidgets.widgets.link import link
    from cnnwidgets.widgets.occlusion_slider import OcclusionSlider
    from cnnwidgets.widgets.saliency_viewer import SaliencyViewer
    from cnnwidgets.widgets.training_monitor import TrainingMonitor, watch

    __version__: str

__all__ = [
    "Channel",
    "Class",
    "Direction",
    "Diversity",
    "Frame",
    "GradientAscentViewer",
    "Layer",
    "LayerBrowser",
    "Logit",
    "Network",
    "Neuron",
    "OcclusionMap",
    "OcclusionProbe",
    "OcclusionSlider",
    "Probability",
    "Recorder",
    "SaliencyViewer",
    "TrainingMonitor",
    "arithmetic",
    "ascend",
    "ascent",
    "attribution",
    "deconvnet",
    "grad_cam",
    "gradient_x_input",
    "guided_backprop",
    "guided_grad_cam",
    "integrated_gradients",
    "link",
    "load_run",
    "load_tensorboard",
    "occlusion",
    "saliency",
    "samples",
    "segment",
    "smoothgrad",
    "vargrad",
    "watch",
]

_MODULES = {
    "Channel": "cnnwidgets.ascent.units",
    "Class": "cnnwidgets.ascent.outputs",
    "Direction": "cnnwidgets.ascent.units",
    "Diversity": "cnnwidgets.ascent.units",
    "Frame": "cnnwidgets.ascent.frame",
    "Logit": "cnnwidgets.ascent.outputs",
    "Neuron": "cnnwidgets.ascent.units",
    "Probability": "cnnwidgets.ascent.outputs",
    "ascend": "cnnwidgets.ascent.ascend",
    "GradientAscentViewer": "cnnwidgets.widgets.gradient_ascent_viewer",
    "Layer": "cnnwidgets.layers",
    "LayerBrowser": "cnnwidgets.widgets.layer_browser",
    "Network": "cnnwidgets.network",
    "OcclusionMap": "cnnwidgets.attribution.occlusion_map",
    "OcclusionProbe": "cnnwidgets.attribution.probe",
    "OcclusionSlider": "cnnwidgets.widgets.occlusion_slider",
    "Recorder": "cnnwidgets.training.recorder",
    "SaliencyViewer": "cnnwidgets.widgets.saliency_viewer",
    "TrainingMonitor": "cnnwidgets.widgets.training_monitor",
    "deconvnet": "cnnwidgets.attribution.gradients",
    "grad_cam": "cnnwidgets.attribution.cam",
    "gradient_x_input": "cnnwidgets.attribution.gradients",
    "guided_backprop": "cnnwidgets.attribution.gradients",
    "guided_grad_cam": "cnnwidgets.attribution.cam",
    "integrated_gradients": "cnnwidgets.attribution.integrated",
    "link": "cnnwidgets.widgets.link",
    "load_run": "cnnwidgets.training.stored",
    "load_tensorboard": "cnnwidgets.training.tensorboard.reading",
    "occlusion": "cnnwidgets.attribution.occlusion",
    "saliency": "cnnwidgets.attribution.gradients",
    "segment": "cnnwidgets.attribution.segmentation",
    "smoothgrad": "cnnwidgets.attribution.smoothing",
    "vargrad": "cnnwidgets.attribution.smoothing",
    "watch": "cnnwidgets.widgets.training_monitor",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = _version()
    elif name in _MODULES:
        value = getattr(import_module(_MODULES[name]), name)
    elif name in __all__:
        value = import_module(f"cnnwidgets.{name}")
    else:
        from cnnwidgets.errors import nearest  # noqa: PLC0415 - seldom needed

        raise AttributeError(f"cnnwidgets has no {name!r}; {nearest(name, __all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow

    try:
        return version("cnnwidgets")
    except PackageNotFoundError:  # run from the source tree
        return "0.0.0+source"
