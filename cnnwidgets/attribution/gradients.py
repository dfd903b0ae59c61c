"""Which pixels a score would change with: gradients by the picture, and two variants of them.

All return [C, H, W] in the score's unit (logits by default) per unit of the normalised input,
signed: positive where a larger value raises the score. Captum computes them.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cnnwidgets.attribution.question import Question
from cnnwidgets.attribution.rectifiers import Rectifiers

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

_GATING = {"guided_backprop": "GuidedBackprop", "deconvnet": "Deconvolution"}
"""Method → Captum's class."""


def saliency(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Differentiate the score by every pixel: ∂score/∂x.

    Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks" (2014), section 3; the
    picture there is `reduce(…, "max_abs")` of this. Captum: ``Saliency``, ``abs=False``.

    Parameters
    ----------
    net
        A `cnnwidgets.Network` or a bare module; it is not changed.
    image
        As for `Network.prepare`.
    target
        Class index or name; the predicted class by default.
    measure
        ``"logit"``, ``"probability"`` or ``"log-odds"`` of the target; its mean over the positions
        of a dense output. Outputs that are probabilities already are taken as such.
    score
        For a network that is no classifier: a function from what it returns for a batch of N to a
        tensor [N], which is followed as it is, or [N, K].

    Returns
    -------
    Tensor
        [C, H, W], signed.

    Raises
    ------
    NoGradientError
        If the score cannot be differentiated.
    ValueError
        If an argument makes no sense; the message names it.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> cw.saliency(net, images[0]).shape
    torch.Size([1, 28, 28])
    """
    question = Question(net, image, target, measure=measure, score=score)
    return question.gradients(question.x)[0]


def gradient_x_input(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Multiply the gradient by the picture: x · ∂score/∂x.

    Shrikumar et al., "Not Just a Black Box" (2016), section 2. In a network of only linear
    layers, ReLU and max pooling without biases the pixels sum to the score. Captum:
    ``InputXGradient``.

    Parameters
    ----------
    net, image, target, measure, score
        As for `saliency`.

    Returns
    -------
    Tensor
        [C, H, W], signed, in the unit of the score.
    """
    question = Question(net, image, target, measure=measure, score=score)
    return question.attributed("InputXGradient", question.x)[0]


def guided_backprop(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Differentiate, letting only positive gradients back through every ReLU.

    Springenberg et al., "Striving for Simplicity" (2015), section 3.4. It shows sharp outlines,
    but Adebayo et al. (2018) found that they hardly depend on the weights: compare with
    `randomised`. Captum: ``GuidedBackprop``.

    Parameters
    ----------
    net, image, target, measure, score
        As for `saliency`.

    Returns
    -------
    Tensor
        [C, H, W], signed.

    Raises
    ------
    ValueError
        If the network has no ReLU: the result would be the plain gradient.

    Warns
    -----
    UserWarning
        If it has other activation functions as well, which keep their usual derivative.

    Notes
    -----
    Captum by itself gates ``nn.ReLU`` modules only, and clips the whole gradient of a ReLU's input
    where something else uses that as well. Here it is given each call of a rectifier as a module of
    its own: of functions, of methods in place, of one module many times, and of ReLU6,
    ``clamp(min=0)`` and their like, which are rectifiers too.
    """
    question = Question(net, image, target, measure=measure, score=score)
    return rectified(question, "guided_backprop")


def deconvnet(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Project the score back to the pixels, applying ReLU to what comes back.

    Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014), section
    2.1: as `guided_backprop`, but gradients also pass where the ReLU was flat. Captum:
    ``Deconvolution``.

    Parameters
    ----------
    net, image, target, measure, score
        As for `saliency`.

    Returns
    -------
    Tensor
        [C, H, W], signed.

    Raises
    ------
    ValueError
        As `guided_backprop`, which also says when there is a warning.
    """
    question = Question(net, image, target, measure=measure, score=score)
    return rectified(question, "deconvnet")


def rectified(question: Question, method: str, name: str | None = None) -> Tensor:
    """Return `guided_backprop` or `deconvnet`, [C, H, W], and say what it could not gate.

    `name` is what was asked for, if that is another method.
    """
    asked = name or method
    rules = Rectifiers()
    gradient = question.attributed(_GATING[method], question.x, rules)[0]
    others = ", ".join(rules.others)
    if not rules.seen:
        only = f" (it has {others})" if others else ""
        plain = "the result would be the plain gradient, which cw.saliency gives"
        if asked != method:
            plain = "the result would have nothing guided; cw.grad_cam needs no ReLU"
        raise ValueError(
            f"{asked} changes the derivative of ReLU, and this network calls none{only}: {plain}"
        )
    if others:
        warnings.warn(
            f"{asked} changes the derivative of ReLU only; {others} in this network kept the "
            "usual one, so the map is partly a plain gradient",
            stacklevel=3,
        )
    return gradient
