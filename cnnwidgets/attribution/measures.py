"""What an occlusion sweep follows: a class's probability, logit or log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from torch import Tensor

MEASURES = ("probability", "logit", "log-odds")


def measured(logits: Tensor, target: int, measure: str) -> Tensor:
    """Measure a class.

    Parameters
    ----------
    logits
        [..., K].
    target
        Index of the class.
    measure
        ``"probability"`` (softmax), ``"logit"``, or ``"log-odds"``: log p / (1 − p), which does not
        saturate near 0 and 1.

    Returns
    -------
    Tensor
        [...].

    Raises
    ------
    ValueError
        If there is no such measure; the message names the nearest.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure: {measure!r}; {nearest(measure, MEASURES)}")
    chosen = logits[..., target]
    if measure == "logit":
        return chosen
    if measure == "probability":
        return logits.softmax(-1)[..., target]
    others = torch.cat([logits[..., :target], logits[..., target + 1 :]], -1)
    return chosen - others.logsumexp(-1)
