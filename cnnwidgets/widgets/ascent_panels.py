"""What pictures climb beside each other: more and less of one, seeds, smoothness, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnwidgets.widgets.ascent_subject import channels_of, of_class, of_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnwidgets.ascent.objectives import Objective
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.ascent_subject import Subject

COMPARISONS = ("none", "sad", "seeds", "tv", "channels")
STEP = 4.0
"""From one weight of the sweep to the next."""


@dataclass(frozen=True)
class Panel:
    """One picture of several that climb as one batch.

    Attributes
    ----------
    subject
        What it is for.
    seed
        Of its noise and moves.
    sign
        −1 if it goes the other way than `direction` says.
    smoothing
        Times the weight of the total variation.
    """

    subject: Subject
    seed: int
    sign: int = 1
    smoothing: float = 1.0

    @property
    def objective(self) -> Objective:
        """What climbs."""
        return self.subject.objective if self.sign > 0 else -self.subject.objective


def panels_of(  # noqa: PLR0917 - internal
    net: Network, classes: Sequence[str], subject: Subject, compare: str, count: int, seed: int
) -> list[Panel]:
    """Return what is shown side by side.

    Parameters
    ----------
    net, classes
        The network, and the names of its classes.
    subject
        What the first picture is for.
    compare
        One of `COMPARISONS`.
    count
        How many there are to be, at most, of seeds, weights or channels.
    seed
        Of the first.

    Raises
    ------
    ValueError
        If the subject has no channels beside it.
    """
    if compare == "sad":
        return [Panel(subject, seed), Panel(subject, seed, sign=-1)]
    if compare == "seeds":
        return [Panel(subject, seed + index) for index in range(count)]
    if compare == "tv":
        weights = [0.0, *(STEP ** (index - 1) for index in range(count - 1))]
        return [Panel(subject, seed, smoothing=weight) for weight in weights]
    if compare == "channels":
        return [Panel(one, seed) for one in _neighbours(net, classes, subject, count)]
    return [Panel(subject, seed)]


AUTOMATIC = "automatic"
"""Ends what pictures are called whose weight of the total variation follows the unit."""


def told_of(
    panels: Sequence[Panel], labels: Sequence[str], fields: Sequence[list[float] | None]
) -> list[dict[str, Any]]:
    """Return what the browser is told of them: what each was made for, whatever is chosen since."""
    return [
        {
            "id": index,
            "label": label,
            "objective": panel.subject.text,
            "measure": panel.subject.measure,
            "smoothing": panel.smoothing,
            "field": field,
        }
        for index, (label, panel, field) in enumerate(zip(labels, panels, fields, strict=True))
    ]


def labels_of(panels: Sequence[Panel], direction: int, tv: float | None) -> list[str]:
    """Return what they are called.

    Parameters
    ----------
    panels
        All that climb.
    direction, tv
        As they are set at a step.
    """
    labels = [_label(panel, direction) for panel in panels]
    if len({panel.seed for panel in panels}) > 1:
        labels = [f"seed {panel.seed}" for panel in panels]
    if len({panel.smoothing for panel in panels}) > 1:
        labels = [_weight(panel.smoothing, tv) for panel in panels]
    return labels


def _label(panel: Panel, direction: int) -> str:
    less = panel.sign * direction < 0
    return f"less of {panel.subject.label}" if less else panel.subject.label


def _weight(times: float, tv: float | None) -> str:
    if tv is not None or not times:
        return f"TV {times * (tv or 0):.3g}"
    return f"TV {'¼' if times < 1 else f'{times:g}'} × {AUTOMATIC}"


def _neighbours(
    net: Network, classes: Sequence[str], subject: Subject, count: int
) -> list[Subject]:
    """Return the channels of its layer, or the classes, from it on, or up to the last."""
    if subject.layer is not None and subject.channel is not None:
        layer, unit = subject.layer, subject.unit
        there = _window(subject.channel, count, channels_of(net.layer(layer)))
        return [of_unit(net, layer, index, unit) for index in there]
    if subject.target is not None:
        there = _window(subject.target, count, len(classes))
        return [of_class(classes, index, subject.measure or "") for index in there]
    raise ValueError(
        f"compare: {subject.text!r} is no unit of a layer, so that there are no channels beside "
        'it; choose "seeds", or another objective'
    )


def _window(first: int, count: int, total: int) -> range:
    first = max(0, min(first, total - count))
    return range(first, min(first + count, total))
