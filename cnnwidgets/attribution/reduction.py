"""From a value per channel to a value per pixel, and what part of it to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

REDUCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "max_abs": (lambda a: a.abs().amax(-3), "largest magnitude of any channel; no sign"),
    "mean_abs": (lambda a: a.abs().mean(-3), "mean magnitude of the channels; no sign"),
    "l2": (lambda a: torch.linalg.vector_norm(a, dim=-3), "length over the channels; no sign"),
    "sum": (lambda a: a.sum(-3), "sum of the channels; positive speaks for the score"),
    "mean": (lambda a: a.mean(-3), "mean of the channels; positive speaks for the score"),
}
"""Name → how channels are reduced, and what the result and its sign mean."""

PARTS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "all": (lambda a: a, "for and against the score"),
    "absolute": (torch.abs, "strength, for or against"),
    "positive": (lambda a: a.clamp(min=0), "what speaks for the score"),
    "negative": (lambda a: a.clamp(max=0), "what speaks against the score"),
}
"""Name → which signs are kept, and what that means."""

_HUNDRED = 100.0


def reduce(attribution: Tensor, how: str = "max_abs") -> Tensor:
    """Reduce the channels of an attribution to one value per pixel.

    Parameters
    ----------
    attribution
        [C, H, W], or [..., C, H, W].
    how
        ``"max_abs"`` (Simonyan et al. 2014, section 3.1), ``"mean_abs"`` and ``"l2"`` tell how
        much, without a sign; ``"sum"`` and ``"mean"`` keep it: positive speaks for the score, and
        channels that disagree cancel. The sum of an attribution that adds up to the score still
        does.

    Returns
    -------
    Tensor
        [H, W], or [..., H, W], in the unit of the attribution.

    Raises
    ------
    ValueError
        If there is no such reduction, or there are no channels.
    """
    if how not in REDUCTIONS:
        raise ValueError(f"how: {how!r}; {nearest(how, REDUCTIONS)}")
    if attribution.ndim < 3:  # noqa: PLR2004 - C, H, W
        raise ValueError(f"attribution: {list(attribution.shape)} has no channels; give [C, H, W]")
    return REDUCTIONS[how][0](attribution)


def part(attribution: Tensor, which: str = "all") -> Tensor:
    """Keep some signs of an attribution of any shape.

    Parameters
    ----------
    attribution
        Signed.
    which
        ``"all"``, ``"absolute"``, ``"positive"`` (the rest 0) or ``"negative"`` (the rest 0).
    """
    if which not in PARTS:
        raise ValueError(f"which: {which!r}; {nearest(which, PARTS)}")
    return PARTS[which][0](attribution)


def clip(attribution: Tensor, percentile: float = 99.0) -> Tensor:
    """Clip an attribution at a percentile of its magnitudes, for a few pixels not to outshine all.

    Smilkov et al., "SmoothGrad" (2017), section 3.1, use 99.

    Parameters
    ----------
    attribution
        Any shape, signed or not; NaN stays NaN and does not count.
    percentile
        From 0 to 100; 100 changes nothing.

    Returns
    -------
    Tensor
        The same in the same unit, within plus and minus the percentile of ``abs()``.
    """
    if not 0 <= percentile <= _HUNDRED:
        raise ValueError(f"percentile: {percentile!r}; give a number from 0 to 100")
    magnitudes = attribution.detach().abs().double().cpu().numpy()
    if np.isnan(magnitudes).all():
        return attribution.clone()
    limit = float(np.nanpercentile(magnitudes, percentile))
    return attribution.clamp(-limit, limit)
