"""What a picture is for, in words and as an objective: a unit, a class, or anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from cnnwidgets.ascent.asked import objective_of
from cnnwidgets.ascent.objectives import Objective, Sum
from cnnwidgets.ascent.outputs import Class, Function
from cnnwidgets.ascent.units import Channel, Direction, Diversity, Neuron
from cnnwidgets.classes import first_output
from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnwidgets.ascent.asked import Asked
    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network

CLASS = "class:"
CUSTOM = "custom"
_TOKENS = 2  # axes [T, D]
_MAPS = 3  # axes [C, H, W]
_PLACE = 3  # numbers: channel, row, column


class Subject(NamedTuple):
    """What a picture is for.

    Attributes
    ----------
    text
        "layer:channel", "layer:channel:row:column", "class:name", or words of its own.
    objective
        What climbs.
    layer, channel, unit, target
        What it consists of; None where it does not.
    """

    text: str
    objective: Objective
    layer: str | None = None
    channel: int | None = None
    unit: tuple[int, int] | None = None
    target: int | None = None

    @property
    def label(self) -> str:
        """What it is called where it is one of several."""
        return self.text.removeprefix(CLASS) if self.target is not None else self.text

    @property
    def measure(self) -> str | None:
        """What of the class is to rise; None if it is none."""
        if self.target is None or not isinstance(self.objective, Class):
            return None
        return self.objective.measure

    @property
    def quantity(self) -> str:
        """What its score is."""
        if self.layer is None:
            return self.measure or "score"
        return "mean activation" if self.unit is None else "activation"

    @property
    def parts(self) -> dict[str, Any]:
        """What it consists of, by the names of the traits."""
        return {name: getattr(self, name) for name in ("layer", "channel", "unit", "target")}


def subject_of(net: Network, classes: Sequence[str], asked: Asked, measure: str) -> Subject:
    """Return what is meant.

    Parameters
    ----------
    net
        The network.
    classes
        Names of its classes; none for a network that is no classifier.
    asked
        As for `cnnwidgets.ascend`; also ``"class:name"``, ``"class:index"`` and
        ``"layer:channel:row:column"``.
    measure
        What of a class is to rise, where `asked` is text.

    Raises
    ------
    TypeError, ValueError
        If there is no such class, layer or channel; the message names the nearest.
    """
    if isinstance(asked, str) and asked.startswith(CLASS):
        return of_class(classes, asked.removeprefix(CLASS), measure)
    if isinstance(asked, str) and asked in classes and asked not in net.graph:
        raise ValueError(f'objective: {asked!r} is a class; give "{CLASS}{asked}"')
    objective = _neuron(net, asked) or objective_of(net, asked)
    match objective:
        case Class() if classes:
            return of_class(classes, objective.target, objective.measure)
        case Channel(layer=layer, channel=channel):
            count = channels_of(net.layer(layer))
            if isinstance(asked, str) and channel >= count:
                raise ValueError(
                    f"objective: {asked!r}; layer {layer!r} has {count} channels, 0 to {count - 1}"
                )
            return of_unit(net, layer, channel)
        case Neuron(layer=layer, channel=channel, row=int(row), column=int(column)):
            return of_unit(net, layer, channel, (row, column))
    return Subject(_words(objective), objective)


def of_unit(net: Network, layer: str, channel: int, unit: tuple[int, int] | None = None) -> Subject:
    """Return a channel of a layer, or one unit of it."""
    count = channels_of(net.layer(layer))
    if not 0 <= channel < count:
        raise ValueError(
            f"channel: {channel}; layer {layer!r} has {count} channels, 0 to {count - 1}"
        )
    text = ":".join(map(str, (layer, channel, *(unit or ()))))
    objective = Neuron(layer, channel, *unit) if unit else Channel(layer, channel)
    return Subject(text, objective, layer, channel, unit)


def check_place(net: Network, subject: Subject) -> None:
    """Raise unless a unit lies in its layer's map, as it is at the network's size."""
    if subject.layer is None or subject.unit is None:
        return
    shape = net.layer(subject.layer).output_shape or ()
    if len(shape) != _MAPS:
        raise ValueError(
            f"unit: {subject.unit}; layer {subject.layer!r} has no rows and columns; leave it out"
        )
    for name, at, count in zip(("row", "column"), subject.unit, shape[1:], strict=True):
        if not 0 <= at < count:
            raise ValueError(
                f"{name}: {at}; layer {subject.layer!r} has {count} {name}s, 0 to {count - 1}"
            )


def of_class(classes: Sequence[str], target: int | str, measure: str) -> Subject:
    """Return a class, given by name or index."""
    index = _index(classes, target)
    first = classes.index(classes[index]) == index  # else its name means another one
    text = f"{CLASS}{classes[index] if first else index}"
    return Subject(text, Class(index, measure), target=index)


def class_names(net: Network) -> list[str]:
    """Return the names of all classes; none if the network is no classifier at its usual size."""
    try:
        logits = first_output(net.output(net.batch(torch.zeros(1, *net.input_shape))))
        net.classes.ranking(logits, 1)
    except Exception:  # noqa: BLE001 - a layer can be asked for although the model fails after it
        return []
    return [net.class_name(index) for index in range(logits.shape[1])]


def channels_of(layer: Layer) -> int:
    """Return how many channels a layer has that can be asked for; of tokens their length."""
    shape = layer.output_shape or ()
    if not shape or layer.error is not None:
        return 0
    return shape[1] if len(shape) == _TOKENS else shape[0]


def _sides(layer: Layer) -> list[int] | None:
    """Return rows and columns of a layer's maps; None if it has none."""
    shape = layer.output_shape or ()
    return list(shape[1:]) if len(shape) == _MAPS else None


def field_of(net: Network, subject: Subject) -> list[float] | None:
    """Return top, left, height and width of what a neuron sees, in pixels; None if it is none."""
    field = net.layer(subject.layer).receptive_field if subject.layer is not None else None
    if field is None or subject.unit is None:
        return None
    corner = [
        start + jump * at
        for start, jump, at in zip(field.start, field.jump, subject.unit, strict=True)
    ]
    return [*corner, *field.size]


def described(net: Network) -> list[dict[str, Any]]:
    """Return the layers that can be asked for, in execution order, as the browser lists them."""
    return [
        {
            "name": layer.name,
            "kind": layer.kind,
            "channels": channels_of(layer),
            "maps": _sides(layer),
            "jump": min(layer.receptive_field.jump) if layer.receptive_field else None,
        }
        for layer in net.layers
        if channels_of(layer)
    ]


def _neuron(net: Network, asked: Asked) -> Neuron | None:
    """Read "layer:channel:row:column"."""
    if not isinstance(asked, str):
        return None
    layer, *numbers = asked.rsplit(":", _PLACE)
    if len(numbers) < _PLACE or layer not in net.graph or not "".join(numbers).isdecimal():
        return None
    return Neuron(layer, *map(int, numbers))


def _index(classes: Sequence[str], target: int | str) -> int:
    if not classes:
        raise ValueError(
            f"objective: there is no class {target!r}, the network is no classifier; choose a "
            'unit, "layer:channel"'
        )
    if isinstance(target, str) and target in classes:
        return classes.index(target)
    if isinstance(target, str) and not target.isdecimal():
        raise ValueError(f"objective: no class is named {target!r}; {nearest(target, classes)}")
    if not 0 <= int(target) < len(classes):
        raise ValueError(f"objective: there is no class {target}; choose 0 to {len(classes) - 1}")
    return int(target)


def _words(objective: Objective) -> str:
    """Say what an objective is that consists of more than a unit or a class."""
    match objective:
        case Sum(terms=terms):
            return " + ".join(f"{weight:g} × {_words(part)}" for weight, part in terms)
        case Class(target=target, measure=measure):
            return f"{measure} of {target}"
        case Channel(layer=layer, channel=channel) | Neuron(layer=layer, channel=channel):
            return f"{layer}:{channel}"
        case Direction(layer=layer) | Diversity(layer=layer):
            return f"{type(objective).__name__.lower()} in {layer}"
        case Function(function=function):
            name = getattr(function, "__name__", CUSTOM)
            return CUSTOM if name == "<lambda>" else name
    return CUSTOM
