"""What a layer browser's pages ask: first of all, and of an exported page, most useful first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnwidgets.widgets.layer_views import RGB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cnnwidgets.layers import Layer
    from cnnwidgets.widgets.requests import Asked

CHUNK = 64
"""Maps and filters that the front-end asks for at a time."""
_SPATIAL = 2  # least axes of maps or tokens


def at_first(layer: Layer, view: str, keys: Mapping[str, int]) -> Iterator[Asked]:
    """Yield the requests that a page makes as soon as it shows "maps" or "mean" of a layer.

    Parameters
    ----------
    layer
        The layer shown.
    view
        What is shown of it.
    keys
        Slot to key of its picture.
    """
    if view not in {"maps", "mean"}:
        return
    for slot, key in keys.items():
        args = {"slot": slot, "key": key, "layer": layer.name, "of": "activations"}
        for name, wanted in _glance(args, layer):
            if name in {"layer", "vector", view} and not wanted.get("first"):
                yield name, wanted


def recorded(
    layers: Sequence[Layer], keys: Mapping[str, int], target: int | None
) -> Iterator[Asked]:
    """Yield requests as the front-end makes them.

    What every layer shows at a glance, the filters, the exact values of the first layer, the
    gradients at a glance, and then the exact values of the other layers.

    Parameters
    ----------
    layers
        The most interesting first.
    keys
        Slot to key of its picture.
    target
        Class of the gradients; None for a network without classes.
    """
    asked = [
        ({"slot": slot, "key": key, "layer": layer.name, "of": "activations"}, layer)
        for layer in layers
        for slot, key in keys.items()
    ]
    for args, layer in asked:
        yield from _glance(args, layer)
    for layer in layers:
        yield from _filters(layer)
    exact = [
        ("map", {**args, "channel": channel})
        for args, layer in asked
        for channel in range(_channels(layer))
    ]
    first = layers[0].name if layers else ""
    yield from (one for one in exact if one[1]["layer"] == first)
    if target is not None:
        for args, layer in asked:
            yield from _glance({**args, "of": "gradients", "target": target}, layer)
    yield from (one for one in exact if one[1]["layer"] != first)


def in_words(asked: Iterable[Asked]) -> str:
    """Say of how many layers these requests ask for what, most useful first."""
    layers: dict[str, set[str]] = {}
    for name, args in asked:
        part = "gradients" if args.get("of") == "gradients" else _PARTS.get(name, "maps")
        layers.setdefault(part, set()).add(args["layer"])
    counts = {part: f"{len(names)} layer{'s' * (len(names) > 1)}" for part, names in layers.items()}
    return ", ".join(f"{part} of {count}" for part, count in counts.items())


_PARTS = {"filters": "filters", "map": "enlarged maps"}


def _channels(layer: Layer) -> int:
    shape = layer.output_shape or ()
    return shape[0] if len(shape) >= _SPATIAL else 0


def _glance(args: dict[str, Any], layer: Layer) -> Iterator[Asked]:
    yield "layer", args
    count = _channels(layer)
    if not count:
        yield "vector", args
        return
    for first in range(0, count, CHUNK):
        yield "maps", {**args, "first": first, "last": min(first + CHUNK, count)}
    yield "mean", args


def _filters(layer: Layer) -> Iterator[Asked]:
    shape = layer.filters
    if shape is None:
        return
    for which in ("rgb", "sum") if shape[1] == RGB else ("sum",):
        for first in range(0, shape[0], CHUNK):
            last = min(first + CHUNK, shape[0])
            yield "filters", {"layer": layer.name, "input": which, "first": first, "last": last}
