"""Grad-CAM: which places of a layer's maps speak for a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

from cnnwidgets.attribution.gradients import rectified
from cnnwidgets.attribution.question import Question
from cnnwidgets.capture import Capture, capture
from cnnwidgets.errors import NoGradientError
from cnnwidgets.network import as_network

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

_PASSING_ON = frozenset({"pool", "dropout", "identity", "reshape", "flatten", "mean", "softmax"})
"""Kinds of layers that come after the last maps rather than make them."""
_MAP_AXES = 3  # [C, H, W]


def grad_cam(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    layer: str | None = None,
    upsample: bool = False,
    relu: bool = False,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Sum a layer's maps, each weighted by the mean of the score's gradient over it.

    Selvaraju et al., "Grad-CAM" (ICCV 2017), section 3, where the result is clipped at 0
    (`relu`) and upsampled. Captum: ``LayerGradCam``, the same by default.

    Parameters
    ----------
    net, image, target, measure, score
        As for `cnnwidgets.saliency`.
    layer
        Name of a layer with maps; by default the last of `layers_with_maps` that the score
        depends on.
    upsample
        Whether to resize the result to the picture (bilinear).
    relu
        Whether to set what speaks against the class to 0.

    Returns
    -------
    Tensor
        [h, w] of the layer, or [H, W] of the picture; signed, at least float32.

    Raises
    ------
    NoGradientError
        If the score does not depend on the layer, or cannot be differentiated.
    ValueError
        If there is no such layer, or it has no maps.
    """
    question = Question(net, image, target, measure=measure, score=score)
    cam = _cam(question, layer)
    if relu:
        cam = cam.clamp(min=0)
    size = question.x.shape[2:]
    if upsample:
        cam = functional.interpolate(cam, size, mode="bilinear", align_corners=False)
    return cam[0, 0]


def guided_grad_cam(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    layer: str | None = None,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Multiply guided backprop by the positive part of Grad-CAM.

    Selvaraju et al., "Grad-CAM" (ICCV 2017), section 3.2. Captum: ``GuidedGradCam``, which
    upsamples to the nearest neighbour as well.

    Parameters
    ----------
    net, image, target, layer, measure, score
        As for `grad_cam`.

    Returns
    -------
    Tensor
        [C, H, W], signed; at least float32.

    Raises
    ------
    ValueError
        As `grad_cam` and `cnnwidgets.guided_backprop`, which also says when there is a warning.
    """
    question = Question(net, image, target, measure=measure, score=score)
    cam = _cam(question, layer).clamp(min=0)
    cam = functional.interpolate(cam, question.x.shape[2:], mode="nearest")
    return cam[0] * rectified(question, "guided_backprop", "guided_grad_cam")


def layers_with_maps(net: Network | nn.Module) -> list[str]:
    """Return the names of the layers that Grad-CAM can be asked for, in execution order.

    They make maps of more than one place; pooling, dropout and reshaping only pass them on.
    """
    return [
        layer.name
        for layer in as_network(net).layers
        if layer.receptive_field is not None
        and layer.kind not in _PASSING_ON
        and layer.output_shape is not None
        and len(layer.output_shape) == _MAP_AXES
        and layer.output_shape[1] * layer.output_shape[2] > 1
    ]


def _cam(question: Question, layer: str | None) -> Tensor:
    """Return the weighted sum of the maps, [1, 1, h, w]."""
    name, found = _captured(question, layer)
    maps, gradients = (
        values[name].float() if values[name].element_size() < 4 else values[name]  # noqa: PLR2004 - half
        for values in (found.activations, found.gradients)
    )
    return (gradients.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True)


def _captured(question: Question, layer: str | None) -> tuple[str, Capture]:
    names = layers_with_maps(question.net)
    if layer is not None:
        shape = question.net.layer(layer).output_shape
        if shape is None or len(shape) != _MAP_AXES:
            such = f"choose one such as {names[-1]!r}" if names else "and no layer has"
            raise ValueError(f"layer: {layer!r} has no maps of rows and columns; {such}")
        return layer, _capture(question, [layer])
    if not names:
        raise ValueError("the network has no layer with maps of rows and columns for Grad-CAM")
    try:
        return names[-1], _capture(question, [names[-1]])
    except NoGradientError:
        found = _capture(question, None)
        for name in reversed(names):
            if name in found.gradients:
                return name, found
        raise


# Not by Captum, which hooks modules: functions and calls of a reused module are layers too.
def _capture(question: Question, layers: list[str] | None) -> Capture:
    return capture(question.net, question.x, layers, gradients=True, score=question.score)
