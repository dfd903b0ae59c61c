"""The pictures that a layer browser shows, with their passes and predictions."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnnwidgets.classes import Prediction, scores
from cnnwidgets.widgets.failures import sentence
from cnnwidgets.widgets.passes import Passes
from cnnwidgets.widgets.pictures import Shown
from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from cnnwidgets.capture import Capture, Step
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.moments import Moments

SLOTS = ("a", "b")
RENEW_SECONDS = 1.0
"""While the model trains, what is shown is a snapshot that is taken anew no more often."""
_CLOSED = "the widget is closed; make another"


class Slots:
    """The shown picture ``a`` and, if two are compared, ``b``.

    What is known of a picture belongs to one state of the model; `renew` takes it anew
    when that has changed.

    Parameters
    ----------
    moments
        The network, as it is and as it was.
    at
        The step of training to show; None for now.

    Attributes
    ----------
    net
        The network that is shown.
    """

    def __init__(self, moments: Moments, at: int | None = None) -> None:
        self.moments = moments
        self.net = moments.at(at)
        self._lock = threading.RLock()
        self._shown: dict[str, Shown] = {}
        self._rankings: dict[str, list[Prediction] | str] = {}
        self._version: Hashable = None
        self._renewed = float("-inf")
        self._closed = False
        self._held = False
        self.passes = Passes(self.net)
        self.outputs = 0
        """How many class scores the network gives for picture a; 0 if none."""

    def __getitem__(self, slot: str) -> Shown:
        if self._closed:
            raise RequestError(_CLOSED)
        if slot not in self._shown:
            raise RequestError("the picture has changed: it is no longer shown")
        return self._shown[slot]

    @property
    def names(self) -> tuple[str, ...]:
        """The slots that show a picture."""
        return tuple(slot for slot in SLOTS if slot in self._shown)

    @property
    def keys(self) -> dict[str, int]:
        """Slot to key of the picture that it shows."""
        return {slot: self[slot].key for slot in self.names}

    @property
    def predicted(self) -> int | None:
        """The likeliest class of picture a; None if there are no classes."""
        best = self.ranking("a")
        return best[0].index if best else None

    def ranking(self, slot: str) -> list[Prediction]:
        """Return the five likeliest classes of a picture; empty if there are none."""
        ranked = self._rankings.get(slot, "")
        return [] if isinstance(ranked, str) else ranked

    def put(self, slot: str, shown: Shown, layer: str | None, *, step: Step | None = None) -> None:
        """Show a picture, whatever becomes of its pass.

        `step` is called after each layer of the pass; if it raises, what was shown stays.

        Raises
        ------
        ValueError
            If it has another shape than the network's input.
        """
        if tuple(shown.x.shape[1:]) != self.net.input_shape:
            got, takes = list(shown.x.shape[1:]), list(self.net.input_shape)
            raise ValueError(
                f"image: {got} where the network takes {takes}; "
                f"resize it, or make the Network with input_size={tuple(got[1:])}"
            )
        with self._lock:
            if self._closed:
                raise RequestError(_CLOSED)
            version = self._look()
            self._place(slot, shown, layer, step)
            if len(self._shown) == 1:  # nothing is shown that may be older
                self._version = version

    def take(self, slot: str) -> None:
        """Show nothing in a slot any more."""
        with self._lock:
            old = self._shown.pop(slot, None)
            self._rankings.pop(slot, None)
            if old is not None:
                self.passes.drop(old.key)

    def renew(
        self,
        layer: str | None,
        at: int | None = None,
        *,
        at_once: bool = False,
        step: Step | None = None,
    ) -> bool:
        """Pass every picture again if the model has changed; return whether it was done.

        While it keeps changing this happens once a second, unless `at_once`. `step` is called
        after each layer; if it raises, the next call begins again. `at` is the step of training
        to show, at once too; None for the model of now.
        """
        with self._lock:
            # Held by this thread, as others wait: there is no need to look.
            if self._held or self._closed:
                return False
            self._turn_to(self.moments.at(at))
        version = self._look()
        with self._lock:
            of_now = self.net is self.moments.net
            recent = of_now and time.monotonic() - self._renewed < RENEW_SECONDS
            if self._held or version == self._version or (recent and not at_once):
                return False
            for slot, shown in list(self._shown.items()):
                again = Shown(shown.x, shown.name, shown.choice, shown.doubt)
                self._place(slot, again, layer, step)
            self._version, self._renewed = version, time.monotonic()
            return True

    @contextmanager
    def held(self, layer: str | None, at: int | None = None) -> Iterator[None]:
        """Look once more at the model of now or of a step, then let nothing change what is shown.

        Other threads that would change it wait.
        """
        with self._lock:
            if self._closed:
                raise RequestError(_CLOSED)
            self.renew(layer, at, at_once=True)
            self._held = True
            try:
                yield
            finally:
                self._held = False

    def _turn_to(self, net: Network) -> None:
        if net is not self.net:
            self.net = self.passes.net = net
            self._renewed = float("-inf")

    def _look(self) -> Hashable:
        """Return what is another one as soon as the modules or the weights changed."""
        return self.net.graph, self.net.weights_version()

    def traits(self) -> dict[str, Any]:
        """Return what the browser is told: ``_pictures`` and ``_predictions``."""
        with self._lock:
            names = self.names
            return {
                "_pictures": {
                    slot: self[slot].trait(self.net) if slot in names else None for slot in SLOTS
                },
                "_predictions": {
                    slot: _told(self._rankings[slot], self[slot].doubt) if slot in names else None
                    for slot in SLOTS
                },
            }

    def close(self) -> None:
        """Free everything."""
        with self._lock:
            self._closed = True
            self._shown.clear()
            self._rankings.clear()
            self.passes.clear()
            self.moments.run = None

    def _place(self, slot: str, shown: Shown, layer: str | None, step: Step | None) -> None:
        old = self._shown.get(slot)
        captured = self.passes.add(shown.key, shown.x, layer, step)
        if old is not None:
            self.passes.drop(old.key)
        self._shown[slot] = shown
        self._rankings[slot] = self._rank(captured)
        if slot == "a":
            ranked = not isinstance(self._rankings[slot], str)
            self.outputs = scores(captured.output).shape[1] if ranked else 0

    def _rank(self, captured: Capture) -> list[Prediction] | str:
        """Return the top five, or why there are none."""
        if captured.failure is not None:
            return f"No prediction, the model failed: {sentence(captured.failure.error)}"
        try:
            ranked = self.net.ranking(captured.output)
        except ValueError as error:
            return sentence(error)
        if not all(math.isfinite(one.probability) for one in ranked):
            return "No prediction: the network's output holds values that are not finite."
        return ranked


def _told(ranked: list[Prediction] | str, doubt: str) -> dict[str, Any]:
    doubt = f"{doubt[:1].upper()}{doubt[1:]}." if doubt else ""
    if isinstance(ranked, str):
        return {"rows": None, "note": f"{ranked.rstrip('.')}. {doubt}" if doubt else ranked}
    return {"rows": [_row(one) for one in ranked], "note": doubt or None}


def _row(one: Prediction) -> dict[str, Any]:
    return {**one._asdict(), "logit": one.logit if math.isfinite(one.logit) else None}
