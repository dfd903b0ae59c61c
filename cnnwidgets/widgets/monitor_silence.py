"""What is said of a run of which nothing is heard, though nobody said that it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnwidgets.training.stored import StoredRun

if TYPE_CHECKING:
    from cnnwidgets.training.run import Run

QUIET = 10.0
"""Seconds without a step after which a run is said to be idle, or as many as `STEPS` take."""
STEPS = 20
_POINTS = 20
"""Points of a curve that tell how long a step usually takes."""
_MINUTE, _HOUR = 60, 3600


def silence_of(run: Run) -> str | None:
    """Return it; None of a run that ended, has not begun, or goes on."""
    if run.ending is not None:
        return None
    alive: bool | None = True
    if isinstance(run, StoredRun):
        alive = run.process.alive if run.process else None
        if alive is False:
            return "its process is gone"
    idle = run.idle
    if not run.last_step or idle < max(QUIET, STEPS * _usual(run)):
        return None
    return f"{'idle' if alive else 'no news'} for {_roughly(idle)}"


def _usual(run: Run) -> float:
    """Return how many seconds a step has taken lately."""
    with run.history.lock:
        longest = max(run.history.curves.values(), key=lambda curve: curve.size, default=None)
        if longest is None:
            return 0.0
        steps, seconds = longest.steps[-_POINTS:], longest.seconds[-_POINTS:]
        return float((seconds[-1] - seconds[0]) / max(1, steps[-1] - steps[0]))


def _roughly(seconds: float) -> str:
    """40 s, 3 min, 2 h: what is told anew seldom."""
    if seconds < _MINUTE:
        return f"{int(seconds / 10) * 10} s"
    return f"{int(seconds / _MINUTE)} min" if seconds < _HOUR else f"{int(seconds / _HOUR)} h"
