"""What an occlusion sweep follows: a class's probability, logit or log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from torch import Tensor

MEASURES = ("probability", "logit", "log-odds")
ACTIVATIONS = ("softmax", "sigmoid", "none")


def require_function(score: Any) -> None:  # noqa: ANN401 - whatever was given
    """Refuse a `score` that is neither None nor a function.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if score is not None and not callable(score):
        raise TypeError(
            f"score: {score!r}; give a function of what the network returns to [N] or [N, K], "
            "such as lambda output: output.flatten(1).mean(1)"
        )


def measured(outputs: Tensor, target: int, measure: str, activation: str = "softmax") -> Tensor:
    """Measure a class.

    Parameters
    ----------
    outputs
        [..., K], what the network puts out.
    target
        Index of the class.
    measure
        ``"probability"``, ``"logit"`` (the output as it is), or ``"log-odds"``: log p / (1 − p),
        which does not saturate near 0 and 1.
    activation
        What makes probabilities of the outputs: ``"softmax"``, ``"sigmoid"`` where each class is a
        question of its own, ``"none"`` where they are probabilities already.

    Returns
    -------
    Tensor
        [...].

    Raises
    ------
    ValueError
        If there is no such measure or activation; the message names the nearest.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure: {measure!r}; {nearest(measure, MEASURES)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: {activation!r}; {nearest(activation, ACTIVATIONS)}")
    chosen = outputs[..., target]
    if measure == "logit":
        return chosen
    if activation == "sigmoid":
        return chosen.sigmoid() if measure == "probability" else chosen
    if activation == "none":
        return chosen if measure == "probability" else chosen.logit()
    if measure == "probability":
        return outputs.softmax(-1)[..., target]
    others = torch.cat([outputs[..., :target], outputs[..., target + 1 :]], -1)
    return chosen - others.logsumexp(-1)


def activation_of(outputs: Tensor, made_by: str | None) -> str:
    """Tell what makes probabilities of a network's outputs [K].

    Parameters
    ----------
    outputs
        Of one picture.
    made_by
        The torch function that they came out of, where that is known.
    """
    if made_by in {"sigmoid", "softmax"}:
        return "none"
    if len(outputs) == 1:
        return "sigmoid"
    total = float(outputs.double().sum())
    chances = bool((outputs >= 0).all()) and abs(total - 1) < 1e-3  # noqa: PLR2004 - half precision
    return "none" if chances else "softmax"
