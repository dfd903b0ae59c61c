"""What a network says of one picture with patches on it, as its weights are now."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.measures import MEASURES, activation_of, measured
from cnnwidgets.attribution.occlusion import iter_occlusion
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.attribution.probe import Standing, occluded
from cnnwidgets.widgets.looked import Looked
from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from cnnwidgets.attribution.grid import Grid
    from cnnwidgets.attribution.occlusion_map import OcclusionMap
    from cnnwidgets.attribution.probe import Box
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.pictures import Shown

CHANGED = "the weights changed while the sweep ran; run it again"
TOP = 5
"""Likeliest classes of the bare picture that are always shown."""
PATIENCE = 0.2
"""Seconds that timing a few positions may take, about."""
_TIMED = 4
"""Rows and columns of the block of positions that is timed."""


class Patch(NamedTuple):
    """A patch: its first row and column, its edge in pixels, what it shows, and what it is beside.

    `kept` are other patches that show the same: (row, column, window) of each.
    """

    row: int
    column: int
    window: int
    fill: str | float
    kept: tuple[Box, ...] = ()


class Probing(Looked):
    """One picture, with and without patches; `bare` are the logits without.

    Parameters
    ----------
    net, shown
        The network and the picture.
    score, activation
        As for `cnnwidgets.occlusion`.
    """

    _filled: tuple[str | float, Tensor] | None
    _last: tuple[Patch, Tensor] | None

    def __init__(
        self,
        net: Network,
        shown: Shown,
        score: Callable[[Any], Tensor] | None = None,
        activation: str = "auto",
    ) -> None:
        self._given = activation
        super().__init__(net, shown, score)

    @property
    def measures(self) -> tuple[str, ...]:
        """What of a class may be followed; no logit where the outputs are probabilities."""
        ready = self._activation == "none" and len(self.bare) > 1
        return tuple(one for one in MEASURES if not (ready and one == "logit"))

    @property
    def note(self) -> str:
        """What a reader must know of the outputs; empty where there is nothing to say."""
        if not self._passes.averaged:
            return ""
        what = "The network returns maps" if self.score is None else "score returns maps"
        return f"{what}: each is averaged over its positions. To follow something else, give score="

    def filled(self, fill: str | float) -> Tensor:
        """Return what patches show, [1, C, H, W]."""
        with self._lock:
            if self._filled is None or self._filled[0] != fill:
                self._filled = fill, filled(self._net, self.shown.x, fill)
            return self._filled[1]

    def logits(self, patch: Patch) -> Tensor:
        """Return the logits [K] with a patch on the picture, and those beside it."""
        with self._lock:
            if self._last is None or self._last[0] != patch:
                passes, fill, window = self._under(patch)
                dragged = passes.dragged(fill, patch.row, patch.column, window)
                self._last = patch, passes.quickest(dragged)[0].cpu()
            return self._last[1]

    def rows(self, patch: Patch, also: int) -> list[dict[str, Any]]:
        """Say what becomes of the likeliest classes with a patch on the picture.

        Parameters
        ----------
        patch
            The patch.
        also
            A class to list as well.

        Returns
        -------
        list
            Of each class ``index``, ``name``, ``probability``, ``logit``, ``log_odds`` and their
            ``change``, ``logit_change`` and ``log_odds_change`` against the bare picture; None
            where a value is not finite. First the likeliest of the bare picture, then `also`, then
            the likeliest now.
        """
        with self._lock:
            logits = self.logits(patch)
            best = self.bare.argsort(descending=True, stable=True)[:TOP].tolist()
            listed = dict.fromkeys([*best, also, int(logits.argmax())])
            return [self._row(logits, index) for index in listed]

    def _row(self, logits: Tensor, index: int) -> dict[str, Any]:
        row: dict[str, Any] = {"index": index, "name": self.name(index)}
        for measure in MEASURES:
            now, before = (
                float(measured(values, index, measure, self._activation))
                for values in (logits, self.bare)
            )
            name = measure.replace("-", "_")
            change = "change" if measure == "probability" else f"{name}_change"
            row |= {name: finite(now), change: finite(now - before)}
        return row

    def sweep(self, patch: Patch, stride: int, target: int, measure: str) -> Iterator[OcclusionMap]:
        """Return the maps of a sweep of a patch, to be run later; see `cnnwidgets.occlusion`.

        The patches beside it stay. They end in a `RequestError` if the weights change meanwhile.
        """
        fill = self.filled(patch.fill)
        maps = iter_occlusion(
            self._net,
            occluded(self.shown.x, fill, patch.kept),
            target,
            window=patch.window,
            stride=stride,
            fill=fill,
            measure=measure,
            score=self.score,
            activation=self._given,
        )
        return self._unless_changed(maps)

    def _unless_changed(self, maps: Iterator[OcclusionMap]) -> Iterator[OcclusionMap]:
        try:
            yield from maps
        except RuntimeError as error:
            if self.changed:
                raise RequestError(CHANGED) from error
            raise

    def picture(self, patch: Patch) -> Tensor:
        """Return the prepared picture [1, C, H, W] with a patch on it, and those beside it."""
        boxes = (*patch.kept, (patch.row, patch.column, patch.window))
        return occluded(self.shown.x, self.filled(patch.fill), boxes)

    def noticing(self, patch: Patch, check: Callable[[], None]) -> list[dict[str, Any]]:
        """Say how much a patch changes each layer: ‖after − before‖ / ‖before‖.

        `check` is called between the passes.
        """
        bare = self._net.activations(self.shown.x)
        check()
        patched = self._net.activations(self.picture(patch))
        layers = []
        for name, before in bare.items():
            after = patched.get(name)
            if after is None or not before.is_floating_point() or after.shape != before.shape:
                continue
            gap, size = (float(part.double().norm()) for part in (after - before, before))
            layers.append({"name": name, "change": finite(gap / size) if size else None})
        return layers

    def seconds(self, grid: Grid, fill: str | float) -> float:
        """Estimate how long a sweep takes, from the time of a few of its positions."""
        with self._lock:
            count = 1
            self._time(grid, fill, count)  # what is done for the first time takes longer
            taken = self._time(grid, fill, count)
            if taken * _TIMED**2 < PATIENCE / 2:
                count = _TIMED
                self._time(grid, fill, count)
                taken = self._time(grid, fill, count)
            timed = min(len(grid.rows), count) * min(len(grid.columns), count)
            return taken * len(grid.rows) * len(grid.columns) / timed

    def _time(self, grid: Grid, fill: str | float, count: int) -> float:
        patch = Patch(0, 0, grid.window[0], fill)
        start = time.perf_counter()
        self._pass(_middle(grid.rows, count), _middle(grid.columns, count), patch)
        return time.perf_counter() - start

    def _pass(self, rows: list[int], columns: list[int], patch: Patch) -> Tensor:
        passes, fill, window = self._under(patch)
        run = passes.incremental if passes.reason is None else passes.full
        return run(passes.patched(fill, rows, columns, window)).cpu()

    def _under(self, patch: Patch) -> tuple[PatchedPasses, Tensor, tuple[int, int]]:
        """Return passes over the picture with the kept patches, the fill, and the window."""
        fill = self.filled(patch.fill)
        passes = self._standing.under(self._passes, self.shown.x, fill, patch.kept)
        return passes, fill, (patch.window, patch.window)

    def _look(self) -> None:
        self._passes = PatchedPasses(self._net, self.shown.x, self.score)
        self._standing = Standing()
        self.bare = self._passes.logits.cpu()
        made_by, given = self._passes.made_by, self._given
        self._activation = activation_of(self.bare, made_by) if given == "auto" else given
        measured(self.bare, 0, "probability", self._activation)  # raises if there is no such
        self._filled = self._last = None


def finite(value: float) -> float | None:
    """Return a number as JSON has it: None if it is not finite."""
    return value if math.isfinite(value) else None


def _middle(starts: tuple[int, ...], count: int) -> list[int]:
    first = max(0, (len(starts) - count) // 2)
    return list(starts[first : first + count])
