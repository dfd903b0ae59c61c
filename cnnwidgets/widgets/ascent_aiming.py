"""What a gradient ascent viewer climbs: as text, and as the layer, channel, unit or class of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Int, TraitType, Tuple, Unicode, observe, validate

from cnnwidgets.attribution.measures import MEASURES
from cnnwidgets.widgets.ascent_checks import refusing
from cnnwidgets.widgets.ascent_panels import COMPARISONS, panels_of
from cnnwidgets.widgets.ascent_subject import (
    Subject,
    channels_of,
    check_place,
    of_class,
    of_unit,
    subject_of,
)
from cnnwidgets.widgets.base import Widget
from cnnwidgets.widgets.traits import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnwidgets.widgets.ascent_panels import Panel

PARTS = ("layer", "channel", "unit", "target")
"""Traits that say what the objective consists of."""
NOTHING = dict.fromkeys(PARTS)
"""These of an objective that is neither a unit nor a class."""


class Aiming(Widget):
    """A widget with an objective, and with traits that say what it consists of."""

    _keeps: ClassVar[frozenset[str]] = frozenset(PARTS)

    objective: TraitType[Any, Any] = TraitType("").tag(sync=True)
    """What is to rise, as for the class; read, it is text."""
    layer = Unicode(None, allow_none=True).tag(sync=True)
    """Layer of the unit that is climbed; None for a class."""
    channel = Int(None, allow_none=True).tag(sync=True)
    """Its channel."""
    unit = Tuple(Int(), Int(), default_value=None, allow_none=True).tag(sync=True)
    """Its (row, column); None for the mean of the channel."""
    target = Int(None, allow_none=True).tag(sync=True)
    """Index of the class that is climbed; None for a unit."""
    measure = Choice(MEASURES, "log-odds").tag(sync=True)
    """What of a class is to rise: "log-odds", "logit" or "probability"; see `cnnwidgets.Class`."""
    compare = Choice(COMPARISONS, "none").tag(sync=True)
    """What climbs beside it: "none", "sad" (the opposite), "seeds", "tv" or "channels".

    "tv" are weights of the total variation: 0, ¼, 1, 4 … times `tv`.
    """
    count = Int(6).tag(sync=True)
    """How many seeds, weights or channels, 2 to 16."""

    _classes: Any
    seed: Any
    size: Any
    _subject: Subject
    _proposed: Subject
    _elsewhere: Sequence[Any] = ()
    """Widgets that this is linked with."""
    _eager = False
    """Whether the next objective is climbed although nothing was before."""
    _made = False
    """Whether the constructor has set what goes together."""
    _aligning = False

    def _restart(self, *, at_once: bool = False) -> None:
        raise NotImplementedError

    def _beside(self, subject: Subject, compare: str) -> list[Panel]:
        return panels_of(self.net, self._classes, subject, compare, self.count, self.seed)

    @validate("compare")
    def _check_compare(self, proposal: Any) -> str:  # noqa: ANN401
        with refusing():
            self._beside(self._subject, proposal.value)
        return str(proposal.value)

    @validate("objective")
    def _check_objective(self, proposal: Any) -> str:  # noqa: ANN401 - traitlets' Bunch
        given = proposal.value
        if isinstance(given, str) and given == self._subject.text:
            return given
        with refusing():
            subject = self._placed(subject_of(self.net, self._classes, given, self.measure))
            self._beside(subject, self.compare)
        self._proposed = subject
        if subject.measure is not None:
            self.measure = subject.measure
        if subject.text == self._subject.text and subject.parts == NOTHING:
            self._subject = subject  # another function, say: the trait does not change
            self._restart(at_once=True)
        return subject.text

    @validate(*PARTS)
    def _check_part(self, proposal: Any) -> Any:  # noqa: ANN401
        name, value = proposal.trait.name, proposal.value
        if self._made and not self._aligning:
            with refusing("layer" if name == "layer" else ""):
                self._placed(self._with(name, value))
        return value

    def _aim(self, text: str) -> None:
        """Take another objective over, and say what it consists of."""
        if self._proposed.text != text:  # what was proposed was refused with another trait
            self._proposed = subject_of(self.net, self._classes, text, self.measure)
        self._subject, self._aligning = self._proposed, True
        try:
            for name, value in self._subject.parts.items():
                setattr(self, name, value)
        finally:
            self._aligning = False

    @observe(*PARTS)
    def _consist(self, change: Any) -> None:  # noqa: ANN401
        if self._made and not self._aligning:
            self._eager = self._place(change.name, change.new) is not None
            self.objective = self._with(change.name, change.new).text
            self._eager = False

    def _meet(self, others: Iterable[object]) -> None:
        """Remember where units are chosen."""
        self._elsewhere = [*self._elsewhere, *others]

    def _placed(self, subject: Subject) -> Subject:
        """Check where a unit lies; at another size that shows when it climbs."""
        if self.size is None:
            check_place(self.net, subject)
        return subject

    def _place(self, name: str, value: Any) -> tuple[str, int] | None:  # noqa: ANN401
        """Return the layer and channel that are shown where a value was chosen, if it was there."""
        for other in self._elsewhere if name != "target" else ():
            if getattr(other, name, None) == value and hasattr(other, "channel"):
                return other.layer, other.channel
        return None

    def _with(self, name: str, value: Any) -> Subject:  # noqa: ANN401
        """Return what it is for with another layer, channel, unit or class."""
        now = self._subject
        if name == "target":
            if now.target is None or value is None:
                raise ValueError(
                    f"target: {value!r}, but {now.text!r} is no class; set objective to one, such "
                    'as "class:0"'
                )
            return of_class(self._classes, value, self.measure)
        if name == "layer" and value is not None:
            count = channels_of(self.net.layer(value))
            channel = place[1] if (place := self._place(name, value)) else now.channel
            return of_unit(self.net, value, min(channel or 0, max(count - 1, 0)))
        layer, channel = self._place(name, value) or (now.layer, now.channel)
        if layer is None or channel is None or (name == "channel" and value is None):
            raise ValueError(
                f"{name}: {value!r}, but {now.text!r} is no unit; set objective to one, such as "
                '"layer:channel"'
            )
        if name == "unit":
            return of_unit(self.net, layer, channel, value)
        return of_unit(self.net, layer, value, now.unit if layer == now.layer else None)
