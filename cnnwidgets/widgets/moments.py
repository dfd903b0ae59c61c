"""A network as it is, and as it was at a step of a recorded run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cnnwidgets.shadow import unwrap

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from cnnwidgets.network import Network
    from cnnwidgets.training.run import Run


class Moments:
    """Finds the network of a step; at most one copy of it is kept.

    Parameters
    ----------
    net
        The network as it is. It is not changed.
    run
        See `run`.

    Attributes
    ----------
    net
        As given.
    refusal
        Why the step last asked for cannot be shown; None if it can.
    """

    def __init__(self, net: Network, run: Run | None = None) -> None:
        self.net = net
        self._lock = threading.RLock()
        self._run: Run | None = None
        self._past: Network | None = None
        self._made_of: Hashable = None
        self._asked: int | None = None
        self.refusal: Exception | None = None
        self.run = run

    @property
    def run(self) -> Run | None:
        """The run whose steps there are; None for none.

        Raises
        ------
        TypeError
            If it is set to something else.
        ValueError
            If its snapshots are not of this network, or do not hold all weights.
        """
        return self._run

    @run.setter
    def run(self, run: Run | None) -> None:
        if run is not None and not callable(getattr(run, "model_at", None)):
            raise TypeError(
                f"run: a Recorder, or what cw.load_run returns, not {type(run).__name__}"
            )
        with self._lock:
            past = None if run is None else self._copy(run, run.last_step)
            self._run, self._past = run, past
            self._asked = self.refusal = None

    def at(self, step: int | None) -> Network:
        """Return the network as it was at the snapshot nearest to a step.

        As it is without a run, without a step, from the last step of the run on that trains it,
        and where the snapshot cannot be read.
        """
        with self._lock:
            run = self._run
            if step is None or run is None or self._is_now(run, step):
                self._asked = self.refusal = None
                return self.net
            if step != self._asked or self._made_of != self._make():
                self._asked = step
                self._go(run, step)
            return self._past or self.net

    def choose(self, runs: Iterable[Run]) -> str | None:
        """Take the first of these runs that trains the network; return why if there is none."""
        model = unwrap(self.net.model)
        for run in runs:
            if getattr(run, "model", None) is model:
                try:
                    self.run = run
                except ValueError as error:
                    return str(error)
                return None
        return (
            f"run: none of them is of the model of {self.net!r}, so a step has no weights to show "
            "there; browser.run = run gives it one of the same layers"
        )

    def _is_now(self, run: Run, step: int) -> bool:
        return run.model is unwrap(self.net.model) and step >= run.last_step

    def _make(self) -> Hashable:
        """Return what is another one when a copy does not stand for the network any more."""
        return self.net.graph, self.net.device, self.net.dtype

    def _copy(self, run: Run, step: int) -> Network:
        try:
            past = self.net.with_model(run.model_at(step, self.net.model))
        except ValueError as error:
            raise ValueError(f"run: {run.name!r} has no step to show here. {error}") from error
        self._made_of = self._make()
        return past

    def _go(self, run: Run, step: int) -> None:
        past, self._past = self._past, None
        try:
            if past is None or self._made_of != self._make():
                past = self._copy(run, step)
            past.name = f"{self.net.name}, step {run.restore(step, past.model):,}"
        except (ValueError, OSError) as error:
            self.refusal = error
        else:
            self._past, self.refusal = past, None
