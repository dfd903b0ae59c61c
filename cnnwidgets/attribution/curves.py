"""Deletion and insertion: how the score follows the pixels that an attribution ranks first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.progress import spread
from cnnwidgets.attribution.question import Question, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from cnnwidgets.attribution.fills import Fill
    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

STEPS = 64
"""Parts that the pixels change in by default."""


@dataclass(frozen=True)
class Curve:
    """A score while pixels are taken away or put in.

    Attributes
    ----------
    fractions
        [steps + 1], the share of pixels that are changed, from 0 to 1.
    scores
        [steps + 1], the measure with them changed.
    """

    fractions: Tensor
    scores: Tensor

    @property
    def area(self) -> float:
        """Area under the curve: for deletion less is better, for insertion more."""
        return float(torch.trapezoid(self.scores, self.fractions))


def deletion_curve(
    net: Network | nn.Module,
    image: Picture,
    attribution: Tensor,
    target: int | str | None = None,
    *,
    steps: int = STEPS,
    fill: Fill = "mean",
    batch: int | None = None,
    measure: str = "probability",
    score: ScoreFunction | None = None,
) -> Curve:
    """Take the pixels away, most important first, and watch the score fall.

    Petsiuk, Das & Saenko, "RISE" (BMVC 2018), section 4.2. A good attribution makes it fall early:
    of two maps of one picture and target, the one of less `Curve.area` explains better.

    Parameters
    ----------
    net
        A `cnnwidgets.Network` or a bare module; it is not changed.
    image
        As for `Network.prepare`.
    attribution
        [h, w] or [1, h, w], larger is more important, as from `reduce` or `cnnwidgets.grad_cam`;
        resized to the picture (bilinear) if it is of another size. NaN comes last.
    target, measure, score
        As for `cnnwidgets.saliency`, but by default the probability.
    steps
        In how many equal parts the pixels go, as far as whole pixels can be equal.
    fill
        What stands in place of a pixel; see `cnnwidgets.attribution.fills.filled`.
    batch
        Pictures in one pass: by default 8 at 224×224 pixels, more of smaller ones, up to 64.

    Returns
    -------
    Curve

    Raises
    ------
    ValueError
        If an argument makes no sense; the message names it.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> maps = cw.saliency(net, images[0]), cw.integrated_gradients(net, images[0])
    >>> areas = [deletion_curve(net, images[0], reduce(a)).area for a in maps]
    """
    *_, last = iter_deletion_curve(
        net,
        image,
        attribution,
        target,
        steps=steps,
        fill=fill,
        batch=batch,
        measure=measure,
        score=score,
    )
    return last


def iter_deletion_curve(
    net: Network | nn.Module,
    image: Picture,
    attribution: Tensor,
    target: int | str | None = None,
    *,
    steps: int = STEPS,
    fill: Fill = "mean",
    batch: int | None = None,
    measure: str = "probability",
    score: ScoreFunction | None = None,
) -> Iterator[Curve]:
    """Do as `deletion_curve` does, and yield the points so far after each batch, coarse to fine.

    The first has both ends, the last all ``steps + 1``. Leaving the loop ends it.
    """
    question = Question(net, image, target, measure=measure, score=score)
    ends = question.x, filled(question.net, question.x, fill)
    return _curves(question, ends, attribution, steps, batch)


def insertion_curve(
    net: Network | nn.Module,
    image: Picture,
    attribution: Tensor,
    target: int | str | None = None,
    *,
    steps: int = STEPS,
    fill: Fill = "blur",
    batch: int | None = None,
    measure: str = "probability",
    score: ScoreFunction | None = None,
) -> Curve:
    """Put the pixels in, most important first, and watch the score rise.

    As `deletion_curve`, the other way: it begins with `fill` (in the paper the blurred picture)
    and ends with the picture. A good attribution makes it rise early.
    """
    *_, last = iter_insertion_curve(
        net,
        image,
        attribution,
        target,
        steps=steps,
        fill=fill,
        batch=batch,
        measure=measure,
        score=score,
    )
    return last


def iter_insertion_curve(
    net: Network | nn.Module,
    image: Picture,
    attribution: Tensor,
    target: int | str | None = None,
    *,
    steps: int = STEPS,
    fill: Fill = "blur",
    batch: int | None = None,
    measure: str = "probability",
    score: ScoreFunction | None = None,
) -> Iterator[Curve]:
    """Do as `insertion_curve` does, and yield the points so far as `iter_deletion_curve` does."""
    question = Question(net, image, target, measure=measure, score=score)
    ends = filled(question.net, question.x, fill), question.x
    return _curves(question, ends, attribution, steps, batch)


def _curves(
    question: Question,
    ends: tuple[Tensor, Tensor],
    attribution: Tensor,
    steps: int,
    batch: int | None,
) -> Iterator[Curve]:
    """Turn one picture [1, C, H, W] into the other, in the order of the attribution."""
    first, _ = ends
    rank = _ranks(attribution, (first.shape[2], first.shape[3])).to(first.device)
    counts = torch.linspace(0, rank.numel(), whole("steps", steps) + 1, dtype=torch.float64).round()
    order = torch.tensor([0, steps, *(place for place in spread(steps) if place)])
    return _measured(question, ends, rank, counts, torch.split(order, question.batch(batch)))


def _measured(
    question: Question,
    ends: tuple[Tensor, Tensor],
    rank: Tensor,
    counts: Tensor,
    batches: tuple[Tensor, ...],
) -> Iterator[Curve]:
    """Measure after so many pixels have changed, [steps + 1], batch by batch of these."""
    first, last = ends
    question.settle()
    scores = torch.full_like(counts, torch.nan)
    known = torch.zeros_like(counts, dtype=torch.bool)
    for places in batches:
        some = counts[places].to(rank).view(-1, 1, 1, 1)
        output = question.net.output(torch.where(rank < some, last, first))
        scores[places] = question.score.of(output, len(places)).to(scores)
        known[places] = True
        yield Curve(counts[known] / rank.numel(), scores[known])


def _ranks(attribution: Tensor, size: tuple[int, int]) -> Tensor:
    """Return each pixel's place in the order of importance, [H, W]."""
    if attribution.ndim == 3 and len(attribution) == 1:  # noqa: PLR2004 - C, rows, columns
        attribution = attribution[0]
    if attribution.ndim != 2:  # noqa: PLR2004 - rows, columns
        raise ValueError(
            f"attribution: {list(attribution.shape)}; give one value per pixel, [H, W], as "
            "attribution.reduce(…) returns"
        )
    values = attribution.detach().double()
    if values.shape != size:
        values = functional.interpolate(values[None, None], size, mode="bilinear")[0, 0]
    order = values.nan_to_num(-torch.inf).flatten().argsort(descending=True, stable=True)
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(order), device=order.device)
    return ranks.view(size)
