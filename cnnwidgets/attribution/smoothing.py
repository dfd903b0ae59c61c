"""SmoothGrad and VarGrad: gradients of many noisy copies of a picture, in batches.

The pixels' unit is that of `saliency` (VarGrad's its square). The noise is drawn from a private
generator, copy by copy: neither the batch nor the device changes it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.progress import Progress
from cnnwidgets.attribution.question import Question, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

_LEAST = 2
"""Samples that a variance can be taken of."""


def smoothgrad(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    samples: int = 50,
    noise: float = 0.1,
    seed: int = 0,
    batch: int | None = None,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Average the gradient over noisy copies of the picture.

    Smilkov et al., "SmoothGrad: removing noise by adding noise" (2017), section 3. Captum:
    ``NoiseTunnel(Saliency)`` with ``abs=False`` and ``stdevs = noise · (x.max() − x.min())``.

    Parameters
    ----------
    net, image, target, measure, score
        As for `cnnwidgets.saliency`; the class predicted is that of the picture without noise.
    samples
        Noisy copies.
    noise
        Standard deviation of the normal noise as a share of the range of the prepared picture, its
        ``x.max() − x.min()``; the paper finds 0.1 to 0.2 best.
    seed
        Of the noise.
    batch
        Copies in one pass: by default 8 at 224×224 pixels, more of smaller pictures, up to 64.

    Returns
    -------
    Tensor
        [C, H, W], signed; at least float32.

    Raises
    ------
    NoGradientError
        If the score cannot be differentiated.
    ValueError
        If an argument makes no sense; the message names it.
    """
    *_, last = iter_smoothgrad(
        net,
        image,
        target,
        samples=samples,
        noise=noise,
        seed=seed,
        batch=batch,
        measure=measure,
        score=score,
    )
    return last.attribution


def iter_smoothgrad(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    samples: int = 50,
    noise: float = 0.1,
    seed: int = 0,
    batch: int | None = None,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Iterator[Progress]:
    """Do as `smoothgrad` does, and yield the average so far after each batch.

    Leaving the loop ends it.
    """
    question = Question(net, image, target, measure=measure, score=score)
    copies = _Copies(question, samples, noise, seed, batch)
    return (Progress(found.mean.clone(), found.count, samples) for found in copies)


def vargrad(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    samples: int = 50,
    noise: float = 0.1,
    seed: int = 0,
    batch: int | None = None,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Tensor:
    """Return how much the gradient varies over noisy copies of the picture: its variance.

    Adebayo et al., "Local explanation methods for deep neural networks lack sensitivity to
    parameter values" (2018), section 2. Captum: ``NoiseTunnel`` with ``nt_type="vargrad"``.

    Parameters
    ----------
    net, image, target, samples, noise, seed, batch, measure, score
        As for `smoothgrad`, but 2 samples or more.

    Returns
    -------
    Tensor
        [C, H, W], never negative; at least float32.

    Raises
    ------
    ValueError
        As `smoothgrad`, or if there is a single sample, whose variance would be 0.
    """
    *_, last = iter_vargrad(
        net,
        image,
        target,
        samples=samples,
        noise=noise,
        seed=seed,
        batch=batch,
        measure=measure,
        score=score,
    )
    return last.attribution


def iter_vargrad(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    samples: int = 50,
    noise: float = 0.1,
    seed: int = 0,
    batch: int | None = None,
    measure: str = "logit",
    score: ScoreFunction | None = None,
) -> Iterator[Progress]:
    """Do as `vargrad` does, and yield the variance so far after each batch."""
    if whole("samples", samples) < _LEAST:
        raise ValueError(f"samples: {samples}; a variance needs {_LEAST} or more")
    question = Question(net, image, target, measure=measure, score=score)
    copies = _Copies(question, samples, noise, seed, batch)
    return (Progress(found.variance, found.count, samples) for found in copies)


class _Moments:
    """Mean and squared deviations of what was added so far, without cancellation.

    Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances" (1979).
    """

    def __init__(self, like: Tensor) -> None:
        kind = torch.promote_types(like.dtype, torch.float32)
        self.count = 0
        self.mean = torch.zeros_like(like, dtype=kind)
        self._squares = torch.zeros_like(self.mean)

    def add(self, values: Tensor) -> None:
        values = values.to(self.mean.dtype)
        mean, count = values.mean(0), self.count + len(values)
        gap = mean - self.mean
        self._squares += (values - mean).square().sum(0)
        self._squares += gap.square() * (self.count * len(values) / count)
        self.mean += gap * (len(values) / count)
        self.count = count

    @property
    def variance(self) -> Tensor:
        return self._squares / self.count


class _Copies:
    """Noisy copies of a picture, and the moments of their gradients after each batch."""

    def __init__(
        self, question: Question, samples: int, noise: float, seed: int, batch: int | None
    ) -> None:
        if not 0 <= noise < math.inf:
            raise ValueError(f"noise: {noise!r}; give a share of the picture's range, 0 or more")
        self._question = question
        self._samples = whole("samples", samples)
        self._batch = question.batch(batch)
        self._dice = torch.Generator().manual_seed(seed)
        low, high = question.x.float().aminmax()
        self._deviation = noise * float(high - low)

    def __iter__(self) -> Iterator[_Moments]:
        self._question.settle()
        moments = _Moments(self._question.x[0])
        while moments.count < self._samples:
            count = min(self._batch, self._samples - moments.count)
            moments.add(self._question.gradients(self._noisy(count)))
            yield moments

    def _noisy(self, count: int) -> Tensor:
        x = self._question.x
        draws = [torch.randn(x.shape[1:], generator=self._dice) for _ in range(count)]
        return x + (torch.stack(draws) * self._deviation).to(x)
