"""What the widgets share that compute for long: run, stop, wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, Float

from cnnwidgets.widgets.base import Widget
from cnnwidgets.widgets.failures import sentence
from cnnwidgets.widgets.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator


class Running(Widget):
    """A widget whose work runs in the background, in turns with the browser's requests."""

    progress = Float(0.0, read_only=True).tag(sync=True)
    """Share of the work that is done, 0 to 1."""
    running = Bool(read_only=True).tag(sync=True)
    """Whether something is computed."""

    _turns: Turns[Any] | None = None

    def stop(self) -> None:
        """End it after the batch that is running; what there is stays."""
        self._halt()
        if self._turns is not None:
            self._turns.wait()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over; interrupted, stop it.

        Parameters
        ----------
        timeout
            Seconds; as long as it takes by default.

        Returns
        -------
        bool
            Whether it is over.

        Raises
        ------
        Exception
            What it failed with.
        """
        turns = self._turns
        if turns is None:
            return True
        try:
            over = turns.wait(timeout)
        except KeyboardInterrupt:
            turns.stop()
            raise
        if turns.error is not None:
            raise turns.error
        return over

    def close(self) -> None:
        """Stop, free the memory and take the widget off every page."""
        self._halt()
        self._turns = None
        super().close()

    def _begin(self, steps: Iterator[Any]) -> None:
        """Work through steps: `_batch` is told of each, `_over` of the end."""
        self._turns = turns = Turns(self._worker, steps, self._told, self._through)
        with self.hold_sync():
            self._error = None
            self.set_trait("progress", 0.0)
            self.set_trait("running", True)  # noqa: FBT003 - the trait's value
        turns.start()

    def _halt(self) -> None:
        """Let it end, without waiting for it."""
        if self._turns is not None:
            self._turns.stop()

    def _batch(self, found: Any) -> None:  # noqa: ANN401 - the widget's
        """Take what was found."""
        raise NotImplementedError

    def _over(self) -> None:
        """Leave what there is where a reload and an export find it."""
        raise NotImplementedError

    def _told(self, turns: Turns[Any], found: Any) -> None:  # noqa: ANN401
        if turns is self._turns:
            self._batch(found)

    def _through(self, turns: Turns[Any]) -> None:
        if turns is not self._turns:
            return
        with self.hold_sync():
            self._over()
            if turns.error is not None:
                self._failed(turns.error)
                self._error = sentence(turns.error)
            self.set_trait("running", False)  # noqa: FBT003
