"""What a widget needs to show its network as it was at a step of a run."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from traitlets import Int, observe

from cnnwidgets.widgets.base import Widget
from cnnwidgets.widgets.failures import sentence
from cnnwidgets.widgets.worker import Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnwidgets.capture import Step
    from cnnwidgets.training.run import Run
    from cnnwidgets.widgets.moments import Moments


class AtStep(Widget):
    """A widget with `step` and `run`."""

    step = Int(None, allow_none=True).tag(sync=True)
    """Step of `run` whose network is shown, from its nearest snapshot; None: as it is now.

    From the last step of the run on that trains the network it is shown as it is, too.
    """

    _moments: Moments

    @property
    def run(self) -> Run | None:
        """The run that `step` is a step of; None for none. It may be set."""
        return self._moments.run

    @run.setter
    def run(self, run: Run | None) -> None:
        self._moments.run = run
        self._jump()

    @observe("step")
    def _jump(self, _change: Any = None) -> None:  # noqa: ANN401 - traitlets' Bunch
        """Show the network of the step soon; of several steps the newest."""

        def jump(job: Job) -> None:
            self._renew(step=lambda *_: job.check())

        self._worker.submit(Job(run=jump, cancelled=lambda: None, key=(id(self), "step")))

    def _renew(self, *, at_once: bool = False, step: Step | None = None) -> None:
        """Look again if the step or the model is another one than is shown."""
        raise NotImplementedError

    def _say_refusal(self) -> None:
        """Say why the network of the step is not shown, once, and take that back."""
        refusal = self._moments.refusal
        if refusal is not self._refusal:
            self._refusal = refusal
            self._error = None if refusal is None else f"step: {sentence(refusal)}"

    _refusal: Exception | None = None

    def _meet(self, others: Iterable[object]) -> None:
        """Take the network's run from a monitor that this is linked with, unless it has one."""
        runs = [run for other in others for run in getattr(other, "runs", ())]
        if runs and self.run is None:
            if missing := self._moments.choose(runs):
                warnings.warn(f"link: {missing}", stacklevel=4)
            self._jump()
