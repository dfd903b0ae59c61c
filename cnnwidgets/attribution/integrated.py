"""Integrated gradients: what each pixel adds on the way from a baseline to the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.progress import Progress, spread
from cnnwidgets.attribution.question import Question, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from cnnwidgets.attribution.fills import Fill
    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network


def integrated_gradients(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    steps: int = 50,
    baseline: Fill = 0.0,
    batch: int | None = None,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Integrate the gradient from a baseline to the picture, times their difference.

    Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks" (2017), section 3. The
    pixels sum to score(picture) − score(baseline), the better the more steps. Captum:
    ``IntegratedGradients``, Gauss-Legendre as well.

    Parameters
    ----------
    net, image, target, measure, score
        As for `cnnwidgets.saliency`.
    steps
        Points of the quadrature.
    baseline
        The picture that says nothing: a number after normalisation (0 as Captum's), ``"black"`` or
        another colour, ``"mean"``, ``"blur"``, ``"noise"`` or a tensor [C, H, W]; see
        `cnnwidgets.attribution.fills.filled`.
    batch
        Points in one pass: by default 8 at 224×224 pixels, more of smaller pictures, up to 64.

    Returns
    -------
    Tensor
        [C, H, W], signed, in the unit of the score; at least float32.

    Raises
    ------
    NoGradientError
        If the score cannot be differentiated.
    ValueError
        If an argument makes no sense; the message names it.
    """
    *_, last = iter_integrated_gradients(
        net,
        image,
        target,
        steps=steps,
        baseline=baseline,
        batch=batch,
        measure=measure,
        score=score,
    )
    return last.attribution


def iter_integrated_gradients(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    steps: int = 50,
    baseline: Fill = 0.0,
    batch: int | None = None,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Iterator[Progress]:
    """Do as `integrated_gradients` does, and yield the estimate so far after each batch.

    The points come spread over the whole way, not from one end to the other. Leaving the loop
    ends it.
    """
    question = Question(net, image, target, measure=measure, score=score)
    start = _baseline(question, baseline)
    places, weights = np.polynomial.legendre.leggauss(whole("steps", steps))
    order = spread(steps)
    points = torch.from_numpy((places[order] + 1) / 2)
    return _integral(
        question, start, points, torch.from_numpy(weights[order] / 2), question.batch(batch)
    )


def _integral(
    question: Question, start: Tensor, points: Tensor, weights: Tensor, batch: int
) -> Iterator[Progress]:
    question.settle()
    way = question.x - start
    total = torch.zeros_like(way[0], dtype=torch.promote_types(way.dtype, torch.float32))
    shares = weights.to(total)
    for first in range(0, len(points), batch):
        part = slice(first, first + batch)
        gradients = question.gradients(start + points[part].to(way).view(-1, 1, 1, 1) * way)
        total += torch.tensordot(shares[part], gradients.to(total), 1)
        done = min(first + batch, len(points))
        yield Progress(total / shares[:done].sum() * way[0], done, len(points))


def _baseline(question: Question, baseline: Fill) -> Tensor:
    try:
        return filled(question.net, question.x, baseline)
    except ValueError as error:
        raise ValueError(str(error).replace("fill:", "baseline:", 1)) from None
