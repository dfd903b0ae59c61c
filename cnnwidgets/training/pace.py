"""How often layers are measured, so that it takes no more than a given share of the time."""

from __future__ import annotations

import math
import time

SHARE = 0.015
"""Of the time between two steps that the recorder may take, on average, by its own clock. What it
does to caches, and torch's way to its hooks, make the loop slower by up to as much again, which
that clock does not see: 0.03 in all."""
LEAST = SHARE / 6
"""Of it for measuring layers and for snapshots, also where what is done at every step, which costs
the same however short a step is, takes more than the rest."""
FURTHER = 1.25
"""A step so many times further on than the last one measured is measured whatever it costs: of
1,000 steps about 30."""
CREDIT = 0.05
"""Seconds that may be spent ahead, so that the first steps, where most happens, are recorded."""
_NEW = 0.2  # weight of the newest measurement in a running mean


class Pace:
    """Decides which steps are recorded in full.

    Parameters
    ----------
    every
        Record each so many steps; ``"auto"``: as often as `SHARE` allows.
    """

    def __init__(self, every: int | str = "auto", share: float = SHARE) -> None:
        self._every = every if isinstance(every, int) else None
        self._share = share
        self._entered: float | None = None
        self._began = self._last = time.perf_counter()
        self._step_seconds = self._cost = self._snapshot_cost = 0.0
        self._spent = self._optional = 0.0
        self._steps = self._measured = 0

    def enter(self) -> bool:
        """Count the time from now on as spent in the recorder; False if it is already."""
        if self._entered is not None:
            return False
        self._entered = time.perf_counter()
        return True

    def leave(self) -> None:
        """Count it as the user's again."""
        if self._entered is not None:
            self._spent += time.perf_counter() - self._entered
        self._entered = None

    @property
    def automatic(self) -> bool:
        """Whether it is found out how often."""
        return self._every is None

    @property
    def spent(self) -> float:
        """Seconds spent inside the recorder so far."""
        entered = self._entered
        return self._spent + (0.0 if entered is None else time.perf_counter() - entered)

    @property
    def over(self) -> bool:
        """Whether more than its share was spent."""
        return self.automatic and self.spent > CREDIT + self._share * self.elapsed

    @property
    def elapsed(self) -> float:
        """Seconds since the first step began."""
        return time.perf_counter() - self._began

    @property
    def idle(self) -> float:
        """Seconds since the last step."""
        return time.perf_counter() - self._last

    def start(self) -> None:
        """Begin to count: the user's loop begins now."""
        self._began = self._last = time.perf_counter()
        self._spent = self._optional = 0.0

    def pause(self) -> None:
        """Leave out the time since the last step."""
        self._began += time.perf_counter() - self._last
        self._last = time.perf_counter()

    def stepped(self) -> float:
        """Note that a step is over; return the seconds that it took."""
        now = time.perf_counter()
        took, self._last = now - self._last, now
        self._steps += 1
        first = not self._step_seconds
        self._step_seconds = took if first else _mean(self._step_seconds, took)
        return took

    def recorded(self, seconds: float) -> None:
        """Note what measuring the layers at one step has cost."""
        self._cost = seconds if not self._cost else _mean(self._cost, seconds)
        self._optional += seconds
        self._measured = self._steps

    def snapped(self, seconds: float) -> None:
        """Note what a snapshot has cost."""
        self._snapshot_cost = seconds
        self._optional += seconds

    def affords_snapshot(self, last: int) -> bool:
        """Whether there is time for another one, or the last one was at half the steps."""
        ahead = self._ahead(self._snapshot_cost)
        return not self.automatic or ahead <= 0 or self._steps >= 2 * last

    def wait(self) -> int:
        """Return in how many steps the next one is recorded in full; at least 1."""
        if self._every is not None:
            return self._every
        steps = round(self._ahead(self._cost) / max(self._room * self._step_seconds, 1e-9) + 0.5)
        return max(1, min(steps, math.ceil(FURTHER * self._measured) - self._steps))

    @property
    def _room(self) -> float:
        """The share of the time that may go into what is not done at every step."""
        always = (self.spent - self._optional) / max(self.elapsed, 1e-9)
        return max(self._share - always, LEAST)

    def _ahead(self, cost: float) -> float:
        """By how many seconds it would exceed its share with what costs so much."""
        return self._optional + cost - CREDIT - self._room * self.elapsed


def _mean(old: float, new: float) -> float:
    return (1 - _NEW) * old + _NEW * new
