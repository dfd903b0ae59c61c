"""An ascent as a viewer shows it: step by step, with what was measured and the pictures kept."""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from cnnwidgets.ascent.climbing import Ascent
from cnnwidgets.widgets.ascent_answers import Asking, Said
from cnnwidgets.widgets.ascent_film import Film, Measured
from cnnwidgets.widgets.ascent_frames import Frames
from cnnwidgets.widgets.ascent_panels import labels_of
from cnnwidgets.widgets.ascent_subject import field_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cnnwidgets.ascent.frame import Frame
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.ascent_panels import Panel
    from cnnwidgets.widgets.ascent_settings import Rules

LOOK_EVERY = 8
"""Steps after which a class that is climbed is looked for among the network's answers."""
LOOKING = 0.015
"""Share of the time that it may take to ask what the network says, for those who watch."""
LOOK_AFTER = 2.0
"""Seconds after which it is asked however long that takes."""
_PACE = 32  # steps that the speed is the mean of
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Newest:
    """The step taken last: its pictures [P, H, W, C], and what the network says if it was asked."""

    step: int
    pictures: NDArray[np.uint8]
    said: list[Said] | None = None


class Turn(NamedTuple):
    """The first step whose pictures were made by other rules than those before."""

    step: int
    rules: Rules


class Note(NamedTuple):
    """Why a picture does not move, and from which step on; `settled` if that is as it should be."""

    step: int
    words: str
    settled: bool


class Climb:
    """Pictures that climb beside each other; iterate over it to take steps, as often as wanted.

    Parameters
    ----------
    net
        The network.
    panels
        The pictures.
    rules
        What it goes by; may be set anew at any time.
    steps
        After which it is over; may be set anew.
    classifies
        Whether the network has classes.
    begin
        As for `cnnwidgets.ascent.Ascent`.

    Attributes
    ----------
    generation
        Another number for each.
    measured
        By step and panel.
    frames
        The pictures kept.
    fields
        By panel what a neuron sees, as `ascent_subject.field_of` says.
    newest
        The last step; None before the first.
    turns
        When it went by other rules, the first ones with step 0.
    notes
        By panel why it does not move, if so.
    first
        By panel the first step at which its class was the network's answer, if it was.
    """

    def __init__(
        self,
        net: Network,
        panels: Sequence[Panel],
        rules: Rules,
        steps: int,
        *,
        classifies: bool,
        **begin: Any,  # noqa: ANN401 - checked by the ascent
    ) -> None:
        self.generation = next(_numbers)
        self.panels = list(panels)
        self.fields = [field_of(net, panel.subject) for panel in panels]
        self.rules = rules
        self.turns = [Turn(0, rules)]
        self.notes: list[Note | None] = [None] * len(panels)
        self.steps = steps
        self.measured: list[list[Measured]] = []
        self.frames = Frames()
        self.newest: Newest | None = None
        self.first: list[int | None] = [None] * len(panels)
        self._net = net
        self._begin = begin
        self._ascent: Ascent | None = None
        self._asking = Asking(net, classifies=classifies)
        self._said: dict[int, list[Said]] = {}
        self._searched = -1
        self._sent = 0
        self._pace: deque[float] = deque(maxlen=_PACE)
        self._worked = self._looked = self._asked_at = 0.0

    def __iter__(self) -> Climb:
        return self

    def __next__(self) -> Newest:
        """Take a step."""
        if self.over:
            raise StopIteration
        begun = time.perf_counter()
        if self._ascent is None:
            self._ascent = self._started()
        self._follow(self._ascent, self.rules)
        with self._fitting():
            frames = self._ascent.step()
        newest = self._take(frames)
        taken = time.perf_counter() - begun
        self._pace.append(taken)
        self._worked += taken
        return newest

    @property
    def over(self) -> bool:
        """Whether there are no more steps to take."""
        if self._ascent is None or self.newest is None:
            return False
        return self._ascent.ended or self.newest.step >= self.steps

    @property
    def progress(self) -> float:
        """The share of the steps that are taken, 0 to 1."""
        if self.newest is None:
            return 0.0
        return 1.0 if self.over else min(1.0, self.newest.step / self.steps)

    @property
    def speed(self) -> float | None:
        """Steps per second."""
        return len(self._pace) / sum(self._pace) if self._pace else None

    def labels(self, step: int) -> list[str]:
        """Return what the pictures of a step are called, by the rules that made them."""
        given = next(turn.rules.given for turn in reversed(self.turns) if turn.step <= step)
        return labels_of(self.panels, given["direction"], given["tv"])

    def look(self, *, at_once: bool = False) -> None:
        """Ask what the network says of the newest pictures, unless that would take too long."""
        newest = self.newest
        if newest is None or newest.said is not None or not self._asking.classifies:
            return
        begun = time.perf_counter()
        due = begun - self._asked_at >= LOOK_AFTER or self._looked <= LOOKING * self._worked
        if at_once or due:
            self._asked_at = begun
            self.newest = Newest(newest.step, newest.pictures, self.says(newest.step))
            self._looked += time.perf_counter() - begun

    def says(self, step: int) -> list[Said]:
        """Return what the network says of the pictures kept of a step; it is asked once."""
        if step not in self._said:
            self._said[step] = self._asking(self.frames[step])
        return self._said[step]

    def said(self, step: int) -> list[Said]:
        """Return the same if it was asked already, else nothing."""
        return self._said.get(step, [[] for _ in self.panels])

    def numbers(self, first: int, last: int) -> NDArray[np.float32]:
        """Return scores, gradient norms and weights of the total variation of steps, [3, n, P].

        From `first` to before `last`.

        NaN: not measured, as the picture had ended.
        """
        rows = [
            [one[1:4] if one.step == step else [np.nan] * 3 for one in row]
            for step, row in enumerate(self.measured[first:last], first)
        ]
        found = np.array(rows, np.float32).reshape(-1, len(self.panels), 3)
        return np.ascontiguousarray(np.moveaxis(found, 2, 0))

    def unsent(self) -> tuple[Newest | None, int, NDArray[np.float32]]:
        """Return the newest step, and the numbers since this was called last with their first."""
        newest = self.newest
        first, self._sent = self._sent, len(self.measured) if newest is None else newest.step + 1
        return newest, first, self.numbers(first, self._sent)

    def of(self, panel: int) -> Film:
        """Return the frames kept of one picture."""
        found: dict[int, tuple[Measured, NDArray[np.uint8]]] = {}
        for step, pictures in self.frames.items():
            one = self.measured[step][panel]
            found[one.step] = one, pictures[panel : panel + 1]
        return Film(list(found.values()), self._asking)

    def _started(self) -> Ascent:
        with self._fitting():
            return Ascent(
                self._net,
                [panel.objective for panel in self.panels],
                [panel.seed for panel in self.panels],
                self.rules.settings,
                **self._begin,
            )

    @contextmanager
    def _fitting(self) -> Iterator[None]:
        """Say so if the network cannot take pictures of another size than its own."""
        try:
            yield
        except RuntimeError as error:
            if (size := self._begin.get("size")) is None or self.measured:
                raise
            message = f"size: {size}; the network cannot take such pictures: {error}"
            raise ValueError(message) from error

    def _follow(self, ascent: Ascent, rules: Rules) -> None:
        """Go by rules from this step on, whose picture is there already."""
        if not self.measured:
            self.turns = [Turn(0, rules)]
        elif rules.given != self.turns[-1].rules.given:
            self.turns.append(Turn(len(self.measured) + 1, rules))
        if ascent.settings is not rules.settings:
            ascent.settings = rules.settings

    def _take(self, frames: tuple[Frame, ...]) -> Newest:
        """Note what was measured, keep the pictures, and see whether classes are answered."""
        step = len(self.measured)
        pictures = self._net.restore(torch.stack([frame.image for frame in frames]))
        self.measured.append(
            [
                Measured(one.step, panel.sign * one.score, one.gradient_norm, one.tv, one.note)
                for one, panel in zip(frames, self.panels, strict=True)
            ]
        )
        self.notes = [
            self._noted(step, one, note) for one, note in zip(frames, self.notes, strict=True)
        ]
        self.frames.add(step, pictures)
        self.newest = newest = Newest(step, pictures)
        if step % LOOK_EVERY == 0 or self.over:
            self._search(step)
        return newest

    @staticmethod
    def _noted(step: int, frame: Frame, last: Note | None) -> Note | None:
        """Return a frame's note with the step at which it was made."""
        if frame.note is None:
            return None
        if last and last.words == frame.note:
            return last
        settled = math.isfinite(frame.score) and 0 < frame.gradient_norm < math.inf
        return Note(step, frame.note, settled)

    def _search(self, step: int) -> None:
        """Find the first step at which a class is the network's answer: now, or since the last."""
        sought = {
            index: panel.subject.target
            for index, panel in enumerate(self.panels)
            if panel.subject.target is not None and self.first[index] is None
            if panel.sign * self.rules.settings.direction > 0
        }
        between, self._searched = range(self._searched + 1, step), step
        if any(_answers(self.says(step)[index], target) for index, target in sought.items()):
            for earlier in [one for one in self.frames.steps if one in between] + [step]:
                for index, target in sought.items():
                    if self.first[index] is None and _answers(self.says(earlier)[index], target):
                        self.first[index] = earlier


def _answers(said: Said, target: int | None) -> bool:
    return bool(said) and said[0].index == target
