"""What passes over patches will need, told by whole numbers alone: nothing is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cnnwidgets.attribution.incremental.axis import reached
from cnnwidgets.attribution.incremental.windows import Place, cover

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnwidgets.attribution.incremental.sliding import Both, Sliding


class Planned(Protocol):
    """What is to be known of a step: see `cnnwidgets.attribution.incremental.program.Step`."""

    reads: tuple[int, ...]
    makes: tuple[int, ...]
    sliding: Sliding | None
    moves: Both
    whole: int

    @property
    def local(self) -> bool:
        """Whether it can be computed within windows."""

    @property
    def weights(self) -> int:
        """How many weights it reads."""


class Forecast:
    """Follows windows through the steps of a program.

    Parameters
    ----------
    steps
        The program.
    sizes
        (H, W) of the maps that its values have, by their index.

    Attributes
    ----------
    costs
        Of each convolution and dense layer, multiply-adds for each place of its maps.
    calls
        How many operations slide over the maps.
    weights
        How many weights there are to read, for every batch.
    """

    def __init__(self, steps: Sequence[Planned], sizes: Mapping[int, Both]) -> None:
        self._steps, self._sizes = steps, sizes
        self._costly = [step for step in steps if step.whole]
        self._whole = [sizes.get(step.makes[0], (1, 1)) for step in self._costly]
        self.costs = [
            step.whole // (height * width)
            for step, (height, width) in zip(self._costly, self._whole, strict=True)
        ]
        self.weights = sum(step.weights for step in steps)
        self.calls = sum(step.sliding is not None for step in steps)

    def extents(self, place: Place) -> list[Both]:
        """Tell how many rows and columns each costly step computes of each patched copy."""
        places: dict[int, Place] = {0: place}
        for step in self._steps:
            found = self._reached(step, places)
            if found is not None:
                places.update(dict.fromkeys(step.makes, found))
        return [
            places[step.makes[0]].size if step.makes[0] in places else whole
            for step, whole in zip(self._costly, self._whole, strict=True)
        ]

    def operations(self, place: Place) -> int:
        """Count the multiply-adds for each patched copy."""
        extents = self.extents(place)
        return sum(
            cost * height * width for cost, (height, width) in zip(self.costs, extents, strict=True)
        )

    def _reached(self, step: Planned, places: dict[int, Place]) -> Place | None:
        """Tell where a step's windows stand; None if it makes whole maps."""
        if not step.local or not all(index in places for index in step.reads):
            return None
        size = self._sizes[step.makes[0]]
        if step.sliding is None:
            given = [places[index] for index in step.reads]
            found = cover(given, size).moved(*step.moves)
        else:
            (down, across), (rows, columns) = step.sliding.axes, places[step.reads[0]]
            found = Place(reached(down, rows, size[0]), reached(across, columns, size[1]))
        return None if found.size == size else found
