"""Training in a thread: paused, resumed and stopped between steps, the notebook staying live."""

from __future__ import annotations

import logging
import threading
import traceback
from typing import TYPE_CHECKING, NamedTuple, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
P = ParamSpec("P")


class Stopped(BaseException):
    """Ends a training loop between two steps; no `Exception`, which the loop may catch."""


class Ending(NamedTuple):
    """How training ended.

    Attributes
    ----------
    step
        The last one.
    stopped
        Whether it was stopped, by `Recorder.stop` or an interrupt.
    error
        What it failed with, in one line; None if it did not.
    """

    step: int
    stopped: bool
    error: str | None


class Background:
    """Runs a training function, and holds it between steps.

    Attributes
    ----------
    error
        What ended training; None if nothing did.
    stopped
        Whether it was told to end.
    ended
        Whether the function has ended. A step that is made later resets all of them.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.stopped = self.ended = False
        self._untold: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._go = threading.Event()
        self._go.set()
        self._stopping = self._held = False

    @property
    def running(self) -> bool:
        """Whether the function is at work, or paused."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def paused(self) -> bool:
        """Whether a step is over and the next one waits."""
        return self._held

    def start(self, train: Callable[[], object], ended: Callable[[], None]) -> None:
        """Run `train` in a thread, then `ended`."""

        def work() -> None:
            try:
                train()
            except BaseException as error:  # noqa: BLE001 - told by whoever waits
                self.end(error)
                if self.error is not None:
                    self._untold = error
                    _log.error("training in the background has failed", exc_info=error)
            finally:
                ended()
                self.ended = True

        if self.running:
            raise RuntimeError("a training function is running already: stop() it first")
        self._reset()
        self._untold, self._stopping = None, False
        self._go.set()
        self._thread = threading.Thread(target=work, name="cnnwidgets training", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Wait before the next step; nothing if nothing runs."""
        if self._at_work():
            self._go.clear()

    def resume(self) -> None:
        """Go on."""
        self._go.set()

    def stop(self) -> None:
        """End before the next step; nothing if nothing runs."""
        if self._at_work():
            self._stopping = True
            self._go.set()

    def end(self, error: BaseException) -> None:
        """Remember what has ended training, in the background or not."""
        self.stopped = isinstance(error, (Stopped, KeyboardInterrupt))
        self.error = None if self.stopped else error

    def ending(self, step: int) -> Ending:
        """Return how training ended, at this step."""
        error = self.error
        lines = [] if error is None else traceback.format_exception_only(error)[-1].splitlines()
        return Ending(step, self.stopped, lines[0] if lines else None)

    def between_steps(self) -> bool:
        """Wait while paused; whether it did. Called by whoever trains, held only in the background.

        Raises
        ------
        Stopped
            If it shall end.
        """
        if threading.current_thread() is not self._thread:
            if self.ended:
                self._reset()
            return False
        waited = self._held = not self._go.is_set()
        self._go.wait()
        self._held = False
        if self._stopping:
            self._stopping = False
            raise Stopped
        return waited

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the function; whether it has ended.

        An interrupt stops it, after the step that it is in.
        """
        thread = self._thread
        if thread is None:
            return True
        if thread is not threading.current_thread():
            try:
                thread.join(timeout)
            except KeyboardInterrupt:
                self.stop()
                thread.join()
        return not thread.is_alive()

    def raised(self) -> None:
        """Raise what the function raised, once."""
        error, self._untold = self._untold, None
        if error is not None:
            raise error

    def _at_work(self) -> bool:
        if not self.running:
            _log.warning("nothing runs in the background: run.start(train_fn) trains there")
        return self.running

    def _reset(self) -> None:
        self.error, self.stopped, self.ended = None, False, False


def bound(train: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Callable[[], object]:
    """Return `train` with its arguments."""
    if not callable(train):
        raise TypeError(
            f"train_fn: a function that trains, not {type(train).__name__}; "
            "run.start(train) without brackets behind it"
        )
    return lambda: train(*args, **kwargs)
