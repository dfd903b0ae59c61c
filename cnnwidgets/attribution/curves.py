"""Deletion and insertion: how the score follows the pixels that an attribution ranks first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.question import Question, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from cnnwidgets.attribution.fills import Fill
    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network


@dataclass(frozen=True)
class Curve:
    """A score while pixels are taken away or put in.

    Attributes
    ----------
    fractions
        [steps + 1], the share of pixels changed so far, from 0 to 1.
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
    steps: int = 64,
    fill: Fill = "mean",
    batch: int | None = None,
    measure: str = "probability",
    score: ScoreFunction | None = None,
    step: Callable[[int, int], None] | None = None,
) -> Curve:
    """Take the pixels away, most important first, and watch the score fall.

    Petsiuk, Das & Saenko, "RISE" (BMVC 2018), section 4.2. A good attribution makes it fall early.

    Parameters
    ----------
    net
        A `cnnwidgets.Network` or a bare module; it is not changed.
    image
        As for `Network.prepare`.
    attribution
        [h, w], larger is more important, as from `reduce` or `cnnwidgets.grad_cam`; resized to the
        picture (bilinear) if it is of another size. NaN comes last.
    target, measure, score
        As for `cnnwidgets.saliency`, but by default the probability.
    steps
        In how many equal parts the pixels go.
    fill
        What stands in place of a pixel; see `cnnwidgets.attribution.fills.filled`.
    batch
        Pictures in one pass: by default 8 at 224×224 pixels, more of smaller ones, up to 64.
    step
        Called with (pictures done, pictures in all) after each pass; what it raises ends the work.

    Returns
    -------
    Curve

    Raises
    ------
    ValueError
        If an argument makes no sense; the message names it.
    """
    question = Question(net, image, target, measure=measure, score=score)
    ends = question.x, filled(question.net, question.x, fill)
    return _curve(question, ends, attribution, steps, batch, step)


def insertion_curve(
    net: Network | nn.Module,
    image: Picture,
    attribution: Tensor,
    target: int | str | None = None,
    *,
    steps: int = 64,
    fill: Fill = "blur",
    batch: int | None = None,
    measure: str = "probability",
    score: ScoreFunction | None = None,
    step: Callable[[int, int], None] | None = None,
) -> Curve:
    """Put the pixels in, most important first, and watch the score rise.

    As `deletion_curve`, the other way: it begins with `fill` (in the paper the blurred picture)
    and ends with the picture. A good attribution makes it rise early.
    """
    question = Question(net, image, target, measure=measure, score=score)
    ends = filled(question.net, question.x, fill), question.x
    return _curve(question, ends, attribution, steps, batch, step)


def _curve(  # noqa: PLR0917 - internal
    question: Question,
    ends: tuple[Tensor, Tensor],
    attribution: Tensor,
    steps: int,
    batch: int | None,
    step: Callable[[int, int], None] | None,
) -> Curve:
    """Turn one picture [1, C, H, W] into the other, in the order of the attribution."""
    first, last = ends
    rank = _ranks(attribution, (first.shape[2], first.shape[3])).to(first.device)
    fractions = torch.linspace(0, 1, whole("steps", steps) + 1, dtype=torch.float64)
    counts = (fractions * rank.numel()).round().to(rank).view(-1, 1, 1, 1)
    question.settle()
    found: list[Tensor] = []
    for some in torch.split(counts, question.batch(batch)):
        output = question.net.output(torch.where(rank < some, last, first))
        found.append(question.score.of(output, len(some)))
        if step is not None:
            step(sum(map(len, found)), len(counts))
    return Curve(fractions, torch.cat(found).double().cpu())


def _ranks(attribution: Tensor, size: tuple[int, int]) -> Tensor:
    """Return each pixel's place in the order of importance, [H, W]."""
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
