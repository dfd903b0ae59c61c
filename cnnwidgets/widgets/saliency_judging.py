"""How far to trust a map: against a random model, by taking pixels away, by what it cuts out."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnwidgets.attribution.curves import STEPS, iter_deletion_curve, iter_insertion_curve
from cnnwidgets.attribution.segmentation import segment
from cnnwidgets.attribution.smoothing import iter_smoothgrad
from cnnwidgets.widgets.pictures import seen
from cnnwidgets.widgets.requests import RequestError
from cnnwidgets.widgets.saliency_methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.attribution.curves import Curve
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.saliency_maps import Explanation
    from cnnwidgets.widgets.saliency_subject import Subject

NOISES = (0.05, 0.1, 0.2, 0.3, 0.5)
SAMPLES = (1, 5, 20, 50)
"""Of the figure noise × samples; Smilkov et al. 2017, figure 3."""
_KINDS: dict[str, Callable[..., Iterator[Curve]]] = {
    "deletion": iter_deletion_curve,
    "insertion": iter_insertion_curve,
}
_TOGETHER = 5  # samples in a batch: all but the first of SAMPLES are multiples


def similarity(one: Tensor, other: Tensor) -> float:
    """Return Spearman's rank correlation of two maps, NaN left out; NaN if one is constant."""
    first, second = one.double().flatten(), other.double().flatten()
    both = first.isfinite() & second.isfinite()
    a, b = (_ranks(values[both].numpy()) for values in (first, second))
    if not len(a) or a.min() == a.max() or b.min() == b.max():
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def likeness(one: Explanation, other: Explanation) -> tuple[float, float | None]:
    """Return the `similarity` of two maps' sizes, and of their signed values (None: no signs).

    However they are shown: sizes are the largest of any channel, signed values the channels' sum.
    """
    sizes = similarity(*(made.shown("max_abs", "absolute") for made in (one, other)))
    if not METHODS[one.panel.method].signed:
        return sizes, None
    return sizes, similarity(*(made.shown("sum", "all") for made in (one, other)))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 0; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    middle: NDArray[np.float64] = (ends - count / 2 - 0.5)[place]
    return middle


def curves(
    net: Network,
    subject: Subject,
    made: Sequence[Explanation],
    shown: Sequence[Tensor],
    step: Callable[[int, int], None],
) -> dict[str, Any]:
    """Delete and insert pixels in the order of each map.

    Parameters
    ----------
    net
        The network that is asked, also of a map of a random one.
    subject
        The picture.
    made
        The maps; all are judged by the class of the first.
    shown
        Their values, [H, W], larger is more important.
    step
        Called with (passes done, passes in all); what it raises ends the work.

    Returns
    -------
    dict
        ``fractions``, the ``target`` and the ``measure`` followed, and for each map its ``id``,
        ``version``, and ``deletion`` and ``insertion``: ``scores`` and their ``area``.
    """
    target = made[0].panel.target
    measure = "logit" if len(subject.bare) == 1 else "probability"
    total = len(made) * len(_KINDS) * (STEPS + 1)
    rows: list[dict[str, Any]] = []
    fractions: list[float] = []
    done = 0
    for one, values in zip(made, shown, strict=True):
        row: dict[str, Any] = {"id": one.panel.id, "version": one.version}
        asked = {"steps": STEPS, "measure": measure, "score": subject.score}
        for kind, iter_curve in _KINDS.items():
            for found in iter_curve(net, subject.shown.x, values, target, **asked):
                step(done + len(found.scores), total)
            done += STEPS + 1
            row[kind] = {"scores": list(map(_number, found.scores.tolist()))}
            row[kind]["area"] = _number(found.area)
            fractions = found.fractions.tolist()
        rows.append(row)
    name = subject.name(target)
    return {"target": name, "measure": measure, "fractions": fractions, "maps": rows}


def cut_out(net: Network, x: Tensor, values: Tensor) -> NDArray[np.bool_]:
    """Return which pixels belong to the object that a map [H, W] points at."""
    pixels, _ = seen(net, x)
    try:
        return segment(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy(), values).foreground
    except ImportError as error:
        raise RequestError(str(error)) from None


def noise_by_samples(
    subject: Subject, net: Network, target: int, measure: str
) -> Iterator[tuple[int, int, Tensor]]:
    """Yield SmoothGrad [C, H, W] for each of `NOISES` and `SAMPLES`, with their places."""
    smoothed = partial(
        iter_smoothgrad, net, subject.shown.x, target, measure=measure, score=subject.score
    )
    for row, noise in enumerate(NOISES):
        for found in smoothed(samples=1, noise=noise):
            yield row, 0, found.attribution
        for found in smoothed(samples=SAMPLES[-1], noise=noise, batch=_TOGETHER):
            if found.done in SAMPLES:
                yield row, SAMPLES.index(found.done), found.attribution


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
