"""Objectives inside a network: a channel, one unit of it, a direction, unlikeness."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from cnnwidgets.ascent.objectives import Bound, Objective, Seen

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.network import Network

_TOKENS = 3  # [N, T, D]


@dataclass(frozen=True)
class Channel(Objective):
    """The mean of a channel over all its places: what texture it looks for.

    Olah, Mordvintsev & Schubert, "Feature Visualization" (Distill 2017), "channel".

    Parameters
    ----------
    layer
        Name of a layer.
    channel
        Which of its maps, counted from 0; the unit of a dense layer; of tokens [T, D] which of
        the D numbers.
    """

    layer: str
    channel: int

    @property
    def layers(self) -> frozenset[str]:
        """The layer."""
        return frozenset({self.layer})

    def bind(self, net: Network, first: Seen) -> Bound:  # noqa: ARG002 - as all objectives
        """Check that there is such a channel."""
        channels = channels_first(first.layers[self.layer])
        index = _index("channel", self.channel, channels.shape[1], f"layer {self.layer!r}")

        def score(seen: Seen) -> Tensor:
            chosen = channels_first(seen.layers[self.layer]).select(1, index)
            return chosen.float().reshape(seen.count, -1).mean(1)

        return score


@dataclass(frozen=True)
class Neuron(Objective):
    """One unit of a channel, at one place: what it looks for there.

    Erhan et al., "Visualizing Higher-Layer Features of a Deep Network" (2009), section 3.

    Parameters
    ----------
    layer, channel
        As for `Channel`.
    row, column
        Its place; by default the middle of the map. Of tokens, `column` has to be left out and
        `row` is the token; of a dense layer both.
    """

    layer: str
    channel: int
    row: int | None = None
    column: int | None = None

    @property
    def layers(self) -> frozenset[str]:
        """The layer."""
        return frozenset({self.layer})

    def bind(self, net: Network, first: Seen) -> Bound:  # noqa: ARG002
        """Check that there is such a unit."""
        where = f"layer {self.layer!r}"
        channels = channels_first(first.layers[self.layer])
        index = _index("channel", self.channel, channels.shape[1], where)
        sizes = channels.shape[2:]
        given = {"row": self.row, "column": self.column}
        place = [
            size // 2 if wanted is None else _index(name, wanted, size, where, f"{name}s")
            for size, (name, wanted) in zip(sizes, given.items(), strict=False)
        ]
        for name, wanted in list(given.items())[len(sizes) :]:
            if wanted is not None:
                raise ValueError(f"{name}: {wanted!r}; {where} has no {name}s, leave it out")
        at: tuple[slice | int, ...] = (slice(None), index, *place)

        def score(seen: Seen) -> Tensor:
            unit = channels_first(seen.layers[self.layer])[at]
            return unit.float().reshape(seen.count, -1).mean(1)

        return score

    def room(self, net: Network) -> float:
        """Return a quarter of the distance to what its neighbour sees."""
        field = net.layer(self.layer).receptive_field
        return math.inf if field is None else min(field.jump) / 4


@dataclass(frozen=True, eq=False)
class Direction(Objective):
    """How far a layer's activations go in one direction: the mean over all places.

    Olah, Mordvintsev & Schubert, "Feature Visualization" (Distill 2017), "interaction between
    neurons": units are no more special than what lies between them.

    Parameters
    ----------
    layer
        Name of a layer.
    vector
        One number per channel; its length does not count.
    """

    layer: str
    vector: Tensor = field(repr=False)

    @property
    def layers(self) -> frozenset[str]:
        """The layer."""
        return frozenset({self.layer})

    def bind(self, net: Network, first: Seen) -> Bound:
        """Check that it has one number for each channel, and is not zero."""
        count = channels_first(first.layers[self.layer]).shape[1]
        vector = torch.as_tensor(self.vector, dtype=torch.float32).detach().flatten()
        length = float(vector.norm())
        if len(vector) != count or not 0 < length < float("inf"):
            raise ValueError(
                f"vector: {len(vector)} numbers of length {length:g}; layer {self.layer!r} has "
                f"{count} channels: give a finite number for each, not all of them 0"
            )
        unit = (vector / length).to(net.device)

        def score(seen: Seen) -> Tensor:
            channels = channels_first(seen.layers[self.layer]).float()
            return channels.flatten(2).mean(2) @ unit if channels.ndim > 2 else channels @ unit  # noqa: PLR2004

        return score


@dataclass(frozen=True)
class Diversity(Objective):
    """How unlike the pictures of one batch are to a layer: minus the cosine of their Gram matrices.

    Olah, Mordvintsev & Schubert, "Feature Visualization" (Distill 2017), "diversity", after the
    style of Gatys, Ecker & Bethge (2015). Add it to an objective, for several seeds.

    Parameters
    ----------
    layer
        Name of a layer with maps.
    """

    layer: str

    @property
    def layers(self) -> frozenset[str]:
        """The layer."""
        return frozenset({self.layer})

    def bind(self, net: Network, first: Seen) -> Bound:  # noqa: ARG002
        """Check that the layer has places to compare."""
        if first.layers[self.layer].ndim <= 2:  # noqa: PLR2004 - [N, K]
            raise ValueError(f"layer {self.layer!r} has no rows and columns for Diversity")

        def score(seen: Seen) -> Tensor:
            if seen.count == 1:
                raise ValueError("Diversity compares the pictures of a batch; give several seeds")
            channels = channels_first(seen.layers[self.layer]).float().flatten(2)
            grams = (channels @ channels.transpose(1, 2)).flatten(1)
            grams = torch.nn.functional.normalize(grams, dim=1)
            like = grams @ grams.T
            return (like.diagonal() - like.sum(1)) / (seen.count - 1)

        return score


def channels_first(output: Tensor) -> Tensor:
    """Return a layer's output with its channels on axis 1; of tokens [N, T, D] they are last."""
    return output.transpose(1, 2) if output.ndim == _TOKENS else output


def _index(name: str, given: object, count: int, where: str, what: str = "channels") -> int:
    try:
        index = operator.index(given)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: {given!r}; give a whole number") from None
    if isinstance(given, bool) or not 0 <= index < count:
        raise ValueError(f"{name}: {given!r}; {where} has {count} {what}, 0 to {count - 1}")
    return index
