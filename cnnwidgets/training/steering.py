"""A run whose training can be steered: in the background, and its learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ParamSpec

from cnnwidgets.training.background import Background, bound
from cnnwidgets.training.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from cnnwidgets.training.history import History
    from cnnwidgets.training.optimizers import Optimizers

P = ParamSpec("P")


class Steered(Run):
    """A run that trains in this process; see `cnnwidgets.Recorder`."""

    def __init__(self, name: str, history: History, model: nn.Module) -> None:
        super().__init__(name, history, model)
        self._background = Background()
        self._rate: float | None = None

    @property
    def running(self) -> bool:
        """Whether a function given to `start` is at work, or paused."""
        return self._background.running

    @property
    def paused(self) -> bool:
        """Whether training waits between two steps."""
        return self._background.paused

    @property
    def resting(self) -> bool:
        """Whether a function given to `start` has ended, and no step was made since."""
        return self._background.ended

    @property
    def pending_rate(self) -> float | None:
        """The learning rate from the next step on; None if none was set since the last one."""
        return self._rate

    def start(self, train_fn: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Train in a thread, so that the notebook stays live.

        Parameters
        ----------
        train_fn
            The training loop, as it is.
        args, kwargs
            What it is called with.

        Raises
        ------
        RuntimeError
            If one is running already, or the recorder is closed.
        """
        if self._closed:
            raise RuntimeError("the recorder is closed: make another one, Recorder(model)")
        self._starts()
        self._background.start(bound(train_fn, *args, **kwargs), self._ended)

    def pause(self) -> None:
        """Let training in the background wait after the step that it is in.

        Without any this does nothing: a loop in the notebook's own thread is never held.
        """
        self._background.pause()

    def resume(self) -> None:
        """Let training go on."""
        self._background.resume()

    def stop(self) -> None:
        """End training in the background after the step that it is in. What was recorded stays.

        Without any this does nothing: a loop in the notebook's own thread is never ended.
        """
        self._background.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the function given to `start` has ended; whether it has.

        Interrupting the wait stops it, after the step that it is in.

        Raises
        ------
        BaseException
            What the function raised.
        """
        over = self._background.wait(timeout)
        if over:
            self._background.raised()
        return over

    def set_learning_rate(self, rate: float) -> None:
        """Train on with another learning rate, after the step that it is in.

        It is set in every parameter group; a scheduler may set others after it.

        Raises
        ------
        ValueError
            If it is not a positive number.
        """
        number = isinstance(rate, (int, float)) and not isinstance(rate, bool)
        if not number or not 0 < rate < math.inf:
            raise ValueError(f"rate: a positive number, not {rate!r}")
        self._rate = float(rate)

    def _starts(self) -> None:
        """Count its time from now on."""
        raise NotImplementedError

    def _ended(self) -> None:
        """Keep how it ended."""
        raise NotImplementedError

    def _set_rate(self, optimizers: Optimizers) -> None:
        """Set the rate that was asked for since the last step, if there is one."""
        rate, self._rate = self._rate, None
        if rate is not None:
            for optimizer in optimizers.all():
                for group in optimizer.param_groups:
                    group["lr"] = rate
