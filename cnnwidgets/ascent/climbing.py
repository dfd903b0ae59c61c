"""The loop of gradient ascent: pictures that climb a score, as one batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.ascent.asked import objective_of
from cnnwidgets.ascent.editing import BLUR_EVERY, blurred, clipped
from cnnwidgets.ascent.ending import Ending
from cnnwidgets.ascent.forward import Forward
from cnnwidgets.ascent.frame import Answers, Frame
from cnnwidgets.ascent.objectives import is_negated
from cnnwidgets.ascent.optimizers import eased, optimizer_of
from cnnwidgets.ascent.parametrizations import parametrization_of
from cnnwidgets.ascent.settings import Settings, usual_moves
from cnnwidgets.ascent.starts import Start
from cnnwidgets.ascent.transformations import drawn, transformed
from cnnwidgets.attribution.question import whole
from cnnwidgets.attribution.score import NO_GRADIENT
from cnnwidgets.errors import NoGradientError
from cnnwidgets.isolation import isolated
from cnnwidgets.network import as_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from cnnwidgets.ascent.asked import Asked
    from cnnwidgets.network import Network


class Ascent:
    """Pictures that climb, one for each objective or seed, in one batch.

    Parameters
    ----------
    net
        The network or a bare module.
    objectives
        One, for all seeds, or one for each.
    seeds
        One, for all objectives, or one for each.
    settings
        What it goes by.
    steps, optimizer, parametrization, start, size, patience
        As for `cnnwidgets.ascend`.

    Attributes
    ----------
    settings
        May be set to other ones between two steps.
    ended
        Whether no picture moves any more.

    Raises
    ------
    NoGradientError, TypeError, ValueError
        As `cnnwidgets.ascend`.

    Examples
    --------
    Happy and sad side by side, and a sweep of the total variation's weight:

    >>> unit = cw.Channel("conv1", 3)
    >>> for happy, sad in cw.ascent.Ascent(net, [unit, -unit]): ...
    >>> sweep = cw.ascent.Settings(tv=[0, 1, 10, 100])
    >>> for frames in cw.ascent.Ascent(net, unit, [0] * 4, sweep): ...
    """

    def __init__(
        self,
        net: Network | nn.Module,
        objectives: Asked | Sequence[Asked],
        seeds: int | Sequence[int] = 0,
        settings: Settings | None = None,
        *,
        steps: int = 256,
        optimizer: str = "adam",
        parametrization: str = "fourier",
        start: Any = "noise",  # noqa: ANN401 - a picture in any form
        size: int | Sequence[int] | None = None,
        patience: int | None = 64,
    ) -> None:
        self._net = as_network(net, start)
        asked, seeds = _together(objectives, seeds)
        self.settings = settings or Settings()
        self._steps = whole("steps", steps)
        self._dice = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._objectives = [objective_of(self._net, one) for one in asked]
        patience = patience and whole("patience", patience)
        self._endings = [Ending(patience, negated=is_negated(one)) for one in self._objectives]
        self._frames: list[Frame] = []
        self._step = 0
        self._followed = self.settings
        self._followed.check(len(seeds))
        with isolated(self._net.device, grad=False):
            self._begin(start, size, parametrization, optimizer)

    def _begin(self, start: Any, size: Any, parametrization: str, optimizer: str) -> None:  # noqa: ANN401
        """Make the first pictures, and find the objectives in a first pass."""
        device = self._net.device
        self._start = Start(self._net, start, size)
        side = min(self._start.shape[1:])
        self._usual = [usual_moves(side, one.room(self._net)) for one in self._objectives]
        self._parametrization = parametrization_of(parametrization, self._start.shape, device)
        self._parameters = self._start.parameters(self._parametrization, self._dice)
        self._optimizer = optimizer_of(optimizer, self._parameters, self._parametrization.gain)
        x = self._start.normalised(self._parametrization.decode(self._parameters[:1]))
        layers = frozenset[str]().union(*(one.layers for one in self._objectives))
        self._forward = Forward(self._net, layers, x)
        first = self._forward.first
        self._bound = {one: one.bind(self._net, first) for one in set(self._objectives)}

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._dice)

    def __iter__(self) -> Iterator[tuple[Frame, ...]]:
        """Yield a frame of each picture, first of the start, then after each step."""
        while self._step <= self._steps:
            yield self.step()
            if self.ended:
                return

    @property
    def ended(self) -> bool:
        """Whether no picture moves any more."""
        return all(one.ended for one in self._endings)

    def step(self) -> tuple[Frame, ...]:
        """Measure every picture, take a step, and return the frames of before it."""
        if self.settings is not self._followed:
            self._followed = self.settings
            self._followed.check(len(self))
            for one in self._endings:
                one.again()
        with isolated(self._net.device, grad=True):
            maps = self._drawn()
            parameters, pixels, x = self._shown()
            scores, gradient = self._measured(x, maps)
            if self._step == 0 and self._start.is_noise and self._wake(gradient, maps):
                parameters, pixels, x = self._shown()
                scores, gradient = self._measured(x, maps)
            uphill = self.settings.direction * gradient / self._start.std
            smoothing = self.settings.smoothing(uphill)
            uphill = uphill - self.settings.downhill(pixels, self._start.mean, smoothing)
            (found,) = torch.autograd.grad(pixels, parameters, uphill)
            norms = gradient.flatten(1).norm(dim=1)
            measured = torch.stack([scores, norms, smoothing]).T.tolist()
            self._frames = self._seen(x, measured)
            moves = torch.tensor([one.note is None for one in self._frames], device=x.device)
            with torch.no_grad():
                self._climb(found, moves.view(-1, *[1] * (found.ndim - 1)))
        self._step += 1
        return tuple(self._frames)

    def _shown(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the parameters, their pixels, and what the network is given for them."""
        parameters = self._parameters.detach().requires_grad_()
        pixels = self._parametrization.decode(parameters)
        return parameters, pixels, self._start.normalised(pixels.detach())

    def _wake(self, gradient: Tensor, maps: Tensor | None) -> bool:
        """Raise the contrast of noise that units do not react to until they do, if they ever do.

        A ReLU is off for most pictures near grey. Return whether any unit has been woken.
        """
        quiet, woken = self._parameters, False
        asleep = gradient.flatten(1).norm(dim=1) == 0
        for tries in range(1, LOUDER + 1):
            if not asleep.any():
                break
            louder = self._parametrization.louder(quiet, 2**tries)
            x = self._start.normalised(self._parametrization.decode(louder))
            wakes = asleep & (self._measured(x, maps)[1].flatten(1).norm(dim=1) > 0)
            rows = wakes.view(-1, *[1] * (quiet.ndim - 1))
            self._parameters = torch.where(rows, louder, self._parameters)
            asleep, woken = asleep & ~wakes, woken or bool(wakes.any())
        return woken

    def _measured(self, x: Tensor, maps: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the scores [N] of pictures [N, C, H, W] moved by maps, and their gradients."""
        leaf = x.detach().requires_grad_()
        seen = self._forward(leaf if maps is None else transformed(leaf, maps))
        found = {one: bound(seen) for one, bound in self._bound.items()}
        scores = torch.stack([found[one][row] for row, one in enumerate(self._objectives)])
        if not scores.requires_grad:
            raise NoGradientError(NO_GRADIENT)
        scale = _HALF if self._net.dtype == torch.float16 else 1.0
        (gradient,) = torch.autograd.grad(scores.sum() * scale, leaf, allow_unused=True)
        if gradient is None:
            raise NoGradientError(NO_GRADIENT)
        return scores.detach(), gradient / scale

    def _drawn(self) -> Tensor | None:
        """Draw the maps by which this step sees the pictures moved; None for as they are."""
        now, size = self.settings, self._start.shape[1:]
        given = now.jitter, now.zoom, now.rotation
        most = [
            [usual if chosen is None else chosen for chosen, usual in zip(given, row, strict=True)]
            for row in self._usual
        ]
        maps = [
            drawn(size, one, jitter=jitter, zoom=zoom, rotation=rotation)
            for one, (jitter, zoom, rotation) in zip(self._dice, most, strict=True)
        ]
        return torch.stack(maps) if any(map(any, most)) else None

    def _seen(self, x: Tensor, measured: list[list[float]]) -> list[Frame]:
        """Return the frames of this step; what has ended stays at its last good one."""
        answers = Answers(self._forward, x)
        frames = []
        for row, (score, norm, tv) in enumerate(measured):
            last = self._frames[row] if self._frames else None
            ending = self._endings[row]
            if last is not None and ending.ended:
                frames.append(last)
                continue
            note = ending.follow(self._step, score, norm, self.settings.direction)
            if last is not None and ending.broken:
                frames.append(replace(last, note=note))
            else:
                frames.append(Frame(self._step, x[row], score, norm, tv, note, answers, row))
        return frames

    def _climb(self, gradient: Tensor, moves: Tensor) -> None:
        """Take a step with those that move."""
        update = self._optimizer.step(gradient if moves.all() else gradient.where(moves, 0.0))
        rates = self.settings.lr * eased(self._step) * moves
        moved = torch.addcmul(self._parameters, rates, update)
        self._parameters = self._parametrization.limit(moved)
        now = self.settings
        if now.clip or (now.blur_sigma and self._step % BLUR_EVERY == 0):
            pixels = self._parametrization.decode(self._parameters)
            if now.blur_sigma and self._step % BLUR_EVERY == 0:
                pixels = blurred(pixels, now.blur_sigma)
            if now.clip:
                pixels = clipped(pixels, self._start.mean, now.clip)
            edited = self._parametrization.encode(pixels)
            self._parameters = torch.where(moves, edited, self._parameters)


LOUDER = 7
"""Times that the contrast of noise is doubled for a unit that does not react to it."""
_HALF = 1024.0
"""What half precision's gradients are multiplied by, which are too small for it else."""


def _together(
    asked: Asked | Sequence[Asked], seeds: int | Sequence[int]
) -> tuple[list[Asked], list[int]]:
    """Return as many objectives as seeds."""
    several: list[Any] = list(asked) if isinstance(asked, (list, tuple)) else [asked]
    numbers = [seeds] if isinstance(seeds, int) else list(seeds)
    count = max(len(several), len(numbers))
    if not several or not numbers or {len(several), len(numbers)} - {1, count}:
        raise ValueError(
            f"{len(several)} objectives and {len(numbers)} seeds; give one, or as many of each"
        )
    return several * (count // len(several)), numbers * (count // len(numbers))
