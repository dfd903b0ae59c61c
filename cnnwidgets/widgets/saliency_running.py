"""A run of a saliency viewer: one map after another, each after every batch of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnwidgets.widgets.failures import sentence
from cnnwidgets.widgets.requests import RequestError
from cnnwidgets.widgets.saliency_maps import Explanation, Panel
from cnnwidgets.widgets.saliency_methods import METHODS, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cnnwidgets.widgets.saliency_subject import Subject

CHANGED = "the weights changed while this was computed; run it again"


class Run:
    """The maps of some panels, to be iterated over.

    Parameters
    ----------
    subject
        The network and the picture.
    panels
        What to compute.
    settings
        Gives the settings of a method.

    Attributes
    ----------
    share
        Of the work that is done, 0 to 1.
    refused
        The first error of a method that cannot explain this network; the others go on.
    """

    def __init__(
        self,
        subject: Subject,
        panels: Sequence[Panel],
        settings: Callable[[str], dict[str, Any]],
    ) -> None:
        self._subject = subject
        self._asked = [(panel, settings(panel.method)) for panel in panels]
        self.share = 0.0
        self.refused: Exception | None = None

    def __iter__(self) -> Iterator[Explanation]:
        """Yield each panel's map after each batch, or why there is none.

        Raises
        ------
        RequestError
            If the weights change meanwhile.
        """
        count = len(self._asked)
        for place, (panel, settings) in enumerate(self._asked):
            last = Explanation(panel, settings, self._subject.shown.key, self._subject.size)
            try:
                for made in self._stages(last):
                    self._unless_changed(last)
                    last = made
                    self.share = (place + made.done / made.total) / count
                    yield made
            except RequestError:
                raise
            except Exception as error:  # noqa: BLE001 - it is shown in its place
                self._unless_changed(last, error)
                self.refused = self.refused or error
                self.share = (place + 1) / count
                yield last.then(attribution=None, error=sentence(error))

    def _stages(self, first: Explanation) -> Iterator[Explanation]:
        panel, made = first.panel, first
        net = self._subject.network(random=panel.randomised)
        given = {**first.settings, "score": self._subject.score}
        steps = METHODS[panel.method].run(net, self._subject.shown.x, panel.target, given)
        for (attribution, done, total), note in listening(steps):
            made = made.then(
                attribution=attribution, done=done, total=total, note=made.note or note
            )
            yield made

    def _unless_changed(self, made: Explanation, cause: Exception | None = None) -> None:
        if self._subject.changed or made.key != self._subject.shown.key:
            raise RequestError(CHANGED) from cause
