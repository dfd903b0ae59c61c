"""What becomes of each step that was seen: curves, tables, findings, snapshots, files."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING

from torch import Tensor

from cnnwidgets.training.ranks import Report
from cnnwidgets.training.statistics import to_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn
    from torch.optim import Optimizer

    from cnnwidgets.training.background import Ending
    from cnnwidgets.training.diagnosis import Diagnosis
    from cnnwidgets.training.findings import Finding
    from cnnwidgets.training.history import History
    from cnnwidgets.training.pace import Pace
    from cnnwidgets.training.probing import Probe
    from cnnwidgets.training.ranks import Ranks
    from cnnwidgets.training.snapshots import Snapshots
    from cnnwidgets.training.statistics import Measured
    from cnnwidgets.training.storage import Store
    from cnnwidgets.training.table import Table

_log = logging.getLogger(__name__)
_WAITING, _LONGEST = 32, 0.1
"""Steps, and seconds, that numbers wait to be taken in: of many at once each takes a fraction of
the time, and not every step waits for another device."""
_TIMED = 0.5
"""Seconds over which samples are counted: single steps last very differently long."""


class Recording:
    """Takes steps in; never raises.

    Attributes
    ----------
    step
        Steps that are over.
    error
        What went wrong; None if nothing did. Nothing is taken in after it.
    """

    def __init__(
        self,
        *,
        history: History,
        pace: Pace,
        ranks: Ranks,
        diagnosis: Diagnosis,
        store: Store | None,
        snapshots: Snapshots,
        probe: Probe | None,
    ) -> None:
        self.history, self.pace, self.ranks, self.snapshots = history, pace, ranks, snapshots
        self.step = 0
        self.error: Exception | None = None
        self.due = 1
        """The next step that is recorded in full."""
        self._diagnosis, self._store, self._probe = diagnosis, store, probe
        self._waiting: list[tuple[int, float, dict[str, Tensor | float]]] = []
        self._latest: dict[str, float] = {}
        self._spent = self._snapping = 0.0
        self._full = self._counted = self._wanted = False
        self._timed = (0, 0.0)
        self._flushed = 0.0
        self._lock = threading.RLock()

    def guard(self, work: Callable[[], None]) -> None:
        """Run what is the recorder's, counting its time; an error ends recording."""
        if self.error is not None:
            return
        outermost = self.pace.enter()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - never into the user's loop
            self.error = error
            self.note(f"recording ended at step {self.step}, {type(error).__name__}: {error}")
            _log.exception("recording ended at step %d; training goes on", self.step)
        finally:
            if outermost:
                self.pace.leave()

    def tell(self, **about: object) -> None:
        """Write what is known of the run as a whole."""
        self._write(lambda store: store.tell(**about))

    def note(self, text: str) -> None:
        """Say something about the recording itself, once."""
        with self.history.lock:
            if text not in self.history.notes:
                self.history.notes.append(text)

    def scalars(self, scalars: Mapping[str, Tensor | float], samples: int) -> None:
        """Take in a step that is over."""
        self.step += 1
        self._counted = True
        speed = self._speed(samples, self.pace.stepped())
        elapsed = self.pace.elapsed
        with self._lock:
            self._waiting.append((self.step, elapsed, {**scalars, **speed}))
        here = [value for value in scalars.values() if not isinstance(value, Tensor)]
        lasting = self._store is not None and len(here) == len(scalars)
        lost = not all(map(math.isfinite, here))
        late = len(self._waiting) >= _WAITING or elapsed - self._flushed >= _LONGEST
        if lasting or lost or late:
            self.flush()

    def _speed(self, samples: int, seconds: float) -> dict[str, float]:
        """Return the samples per second of the steps of the last half second, if it is over."""
        self._timed = self._timed[0] + samples, self._timed[1] + seconds
        (samples, seconds) = self._timed
        if seconds < _TIMED:
            return {}
        self._timed = 0, 0.0
        return {"samples_per_second": samples / seconds} if samples else {}

    def full(self, measured: Measured) -> None:
        """Take in what was measured of the layers in the step that is over."""
        self.flush()
        table: Table | None = measured.table()
        self._full = True
        if self.ranks.gathering:
            table = self._gathered(Report(self._latest, measured.table()))
        if table is not None:
            halved = self.history.add_table(self.step, self.pace.elapsed, table)
            self._found(self._diagnosis.table(self.step, table))
            self._save({}, tables=halved)

    def arms(self) -> bool:
        """Whether the next step is to be recorded in full; the last thing of a step."""
        spent = self.pace.spent
        if self._full:
            self.pace.recorded(spent - self._spent - self._snapping)
        again = self.pace.automatic and self.step + 1 >= self.due  # it may be too early by now
        if not self.ranks.gathering and (self._full or again):
            self.due = self.step + self.pace.wait()
        wanted = self._wanted and not self._full and not self.ranks.gathering
        self._spent, self._snapping = spent, 0.0
        self._full = self._counted = self._wanted = False
        return wanted or self.step + 1 >= self.due

    def stand_in(self) -> None:
        """After an error: the other processes shall not wait for this one's reports."""
        if not self._counted:
            self.step += 1
        self._counted = False
        if self.step == self.due:
            self._gathered(None)

    def _gathered(self, report: Report | None) -> Table | None:
        together, wait = self.ranks.gather(report, self.pace.wait())
        self.due = self.step + wait
        if together is None:
            return None
        others = {name: value for name, value in together.scalars.items() if "@" in name}
        self._points([(self.step, self.pace.elapsed, others)])
        return together.table

    def log(self, scalars: Mapping[str, float]) -> None:
        """Take in what the loop alone knows."""
        with self._lock:
            self.flush()
            self._points([(self.step, self.pace.elapsed, scalars)])

    def flush(self) -> None:
        """Take in what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._flushed = self.pace.elapsed
            values = [value for *_, scalars in waiting for value in scalars.values()]
            away = [value for value in values if isinstance(value, Tensor)]
            numbers = dict(zip(map(id, away), to_host(away), strict=True))
            points = [
                (step, seconds, {n: float(numbers.get(id(v), v)) for n, v in scalars.items()})
                for step, seconds, scalars in waiting
            ]
            if points:
                self._latest = points[-1][2]
                self._points(points)

    def takes_snapshot(self) -> bool:
        """Whether to keep the model as it is at this step, which was recorded in full."""
        taken = self.snapshots.steps
        due = self.snapshots.due(self.step)
        return due and (not taken or self.pace.affords_snapshot(taken[-1]))

    def snapshot(self, model: nn.Module, optimizers: list[Optimizer]) -> None:
        """Keep the model as it is."""
        before = self.pace.spent
        probed = None
        if self._probe is not None:
            try:
                probed = self._probe.look()
            except Exception as error:  # noqa: BLE001 - the model may fail on it some day
                self._probe = None
                self.note(f"the probe pictures failed at step {self.step}: {error}")
        try:
            self.snapshots.take(self.step, model, optimizers, probed)
        except OSError as error:
            self._give_up(error)
        if self.snapshots.note:
            self.note(self.snapshots.note)
        seconds = self.pace.spent - before
        self._snapping = seconds if self._full else 0.0  # else it is not part of a row's time
        self.pace.snapped(seconds)

    def end(self, ending: Ending) -> None:
        """Write how training ended."""
        self._write(lambda store: store.end(self.history, ending))

    def close(self) -> None:
        """Write no more."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _points(self, points: Sequence[tuple[int, float, Mapping[str, float]]]) -> None:
        """Take in the numbers of steps: (step, seconds, by name)."""
        halved: dict[str, bool] = {}
        found: list[Finding] = []
        for step, seconds, scalars in points:
            for name, value in scalars.items():
                anew = self.history.add_scalar(name, step, seconds, value)
                halved[name] = anew or halved.get(name, False)
            found += self._diagnosis.scalars(step, scalars)
        self._wanted = self._wanted or bool(found)  # the layers may say why
        self._found(found)
        self._save(halved)

    def _found(self, findings: list[Finding]) -> None:
        with self.history.lock:
            self.history.findings += findings

    def _save(self, curves: dict[str, bool], *, tables: bool | None = None) -> None:
        self._write(lambda store: store.save(self.history, curves, tables=tables))

    def _write(self, work: Callable[[Store], None]) -> None:
        """Store something; where that fails, go on in memory."""
        if self._store is None:
            return
        try:
            work(self._store)
        except Exception as error:  # noqa: BLE001 - full, unmounted, read-only …
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Record in memory alone from now on."""
        if self._store is None:
            return
        store, self._store = self._store, None
        self.note(
            f"nothing is written to {str(store.directory)!r} from step {self.step} on, "
            f"recording goes on in memory: {error}"
        )
        _log.error("nothing is written to %s any more: %s", store.directory, error)
        self.snapshots.to_memory()
        store.close()
