"""What event files tell: scalars, histograms and images, in the old form and the new one.

The messages are those of TensorBoard's ``event.proto``, ``summary.proto`` and ``tensor.proto``.
The old form has a field for each kind of value, the new one a tensor and the name of a plugin,
which stands in the first value of a tag only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from cnnwidgets.training.tensorboard.protobuf import fields, integer, number, numbers, raw, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnwidgets.training.tensorboard.protobuf import Fields

_WIDTH = 3  # of a histogram's tensor: left, right, count
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
_VALUES = {1: 5, 2: 6}  # fields of a tensor for values of these types


class Counted(NamedTuple):
    """A histogram with edges of its own: ``counts[i]`` from ``edges[i]`` to ``edges[i + 1]``."""

    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    mean: float
    square: float


Value: TypeAlias = "float | Counted | bytes"
"""A scalar, a histogram, or an image file."""


class Event(NamedTuple):
    """One value of one tag."""

    step: int
    wall_time: float
    tag: str
    value: Value


def events_of(record: bytes, plugins: dict[str, str]) -> list[Event]:
    """Read one record.

    Parameters
    ----------
    record
        The bytes of an event.
    plugins
        Tag → plugin, as far as known; what the record tells is added.

    Raises
    ------
    ValueError
        If it is no event.
    """
    event = fields(record)
    found = []
    for summary in event.get(5, ()):
        if not isinstance(summary, bytes):
            continue
        for one in fields(summary).get(1, ()):
            if isinstance(one, bytes):
                said = fields(one)
                tag = text(said.get(1))
                if 9 in said:  # noqa: PLR2004 - its metadata
                    plugin = fields(raw(fields(raw(said[9])).get(1)))
                    plugins[tag] = text(plugin.get(1))
                value = _value(said, plugins.get(tag, ""))
                if value is not None:
                    when = integer(event.get(2)), number(event.get(1))
                    found.append(Event(*when, tag, value))
    return found


def _value(said: Fields, plugin: str) -> Value | None:
    if 2 in said:  # noqa: PLR2004 - simple_value
        return number(said[2])
    if 5 in said:  # noqa: PLR2004 - histo
        return _histogram(fields(raw(said[5])))
    if 4 in said:  # noqa: PLR2004 - image
        return raw(fields(raw(said[4])).get(4))
    return _of_tensor(fields(raw(said.get(8))), plugin)


def _of_tensor(tensor: Fields, plugin: str) -> Value | None:
    if plugin == "images":
        strings = [one for one in tensor.get(8, ()) if isinstance(one, bytes)]
        return strings[2] if len(strings) > 2 else None  # noqa: PLR2004 - after width and height
    values = _tensor(tensor)
    if plugin == "scalars" and values.size:
        return float(values[0])
    if plugin == "histograms" and values.size and values.size % _WIDTH == 0:
        left, right, counts = values.reshape(-1, _WIDTH).T
        return _counted(np.append(left, right[-1:]), counts)
    return None


def _histogram(said: Fields) -> Counted:
    limits, counts = numbers(said.get(6)), numbers(said.get(7))
    low, high = number(said.get(1)), number(said.get(2))
    if len(limits) != len(counts) or not low <= high or (np.diff(limits) < 0).any():
        raise ValueError("a histogram whose parts do not fit")
    edges = np.append(low, limits).clip(low, high)
    total = max(number(said.get(3)), 1e-300)
    square = number(said.get(5)) / total
    return Counted(edges, counts, number(said.get(4)) / total, square)


def _counted(edges: NDArray[np.float64], counts: NDArray[np.float64]) -> Counted:
    middles, total = (edges[1:] + edges[:-1]) / 2, max(counts.sum(), 1e-300)
    mean, square = (counts * middles).sum() / total, (counts * middles**2).sum() / total
    return Counted(edges, counts, float(mean), float(square))


def _tensor(said: Fields) -> NDArray[np.float64]:
    kind = integer(said.get(1))
    if content := raw(said.get(4)):
        return np.frombuffer(content, _TYPES.get(kind, "<f4")).astype(np.float64)
    return numbers(said.get(_VALUES.get(kind, 5)), _TYPES.get(kind, "<f4"))
