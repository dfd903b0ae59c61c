"""Training in a thread: paused, resumed and stopped between steps, the notebook staying live."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable


P = ParamSpec("P")


class Stopped(BaseException):
    """Ends a training loop between two steps; no `Exception`, which the loop may catch."""


class Background:
    """Runs a training function, and holds it between steps.

    Attributes
    ----------
    error
        What the function raised; None if it did not.
    ended
        Whether the function has ended, and no step was made since.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.ended = False
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
            except (Stopped, KeyboardInterrupt):
                pass
            except BaseException as error:  # noqa: BLE001 - told by whoever waits
                self.error = error
            finally:
                ended()
                self.ended = True

        if self.running:
            raise RuntimeError("a training function is running already: stop() it first")
        self.error, self.ended, self._stopping = None, False, False
        self._go.set()
        self._thread = threading.Thread(target=work, name="cnnwidgets training", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Wait before the next step."""
        self._go.clear()

    def resume(self) -> None:
        """Go on."""
        self._go.set()

    def stop(self) -> None:
        """End before the next step."""
        self._stopping = True
        self._go.set()

    def between_steps(self) -> bool:
        """Wait while paused; whether it did. Called by whoever trains.

        Raises
        ------
        Stopped
            If it shall end.
        """
        self.ended = False
        waited = self._held = not self._go.is_set()
        self._go.wait()
        self._held = False
        if self._stopping:
            self._stopping = False
            raise Stopped
        return waited

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the function; whether it has ended.

        An interrupt stops it, after the step that it is in. What it raised is raised here.
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
        error, ended = self.error, not thread.is_alive()
        if error is not None and ended:
            self.error = None
            raise error
        return ended


def bound(train: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Callable[[], object]:
    """Return `train` with its arguments."""
    if not callable(train):
        raise TypeError(
            f"train_fn: a function that trains, not {type(train).__name__}; "
            "run.start(train) without brackets behind it"
        )
    return lambda: train(*args, **kwargs)
