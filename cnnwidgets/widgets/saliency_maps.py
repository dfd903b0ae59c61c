"""The maps that a saliency viewer has made: one for each method, class and model."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from torch.nn import functional

from cnnwidgets.attribution.reduction import part, reduce
from cnnwidgets.widgets.saliency_methods import METHODS
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

FRAMES = 24
"""Stages of a map that are kept to be played."""
HISTORY_BYTES = 12_000_000
"""Of one map's stages."""
HELD_BYTES = 256_000_000
"""Of all maps; those that are not shown go first."""
EXACT_BYTES = 4_000_000
"""Larger maps travel to the browser as one byte a value."""
_VERSIONS = itertools.count(1)
_FLAT = 2  # axes


class Panel(NamedTuple):
    """What one map explains: a method, a class, and the model or one that has learnt nothing."""

    method: str
    target: int
    randomised: bool = False

    @property
    def id(self) -> str:
        """Its name on the wire."""
        return f"{self.method}:{self.target}:{'random' if self.randomised else 'trained'}"


@dataclass(frozen=True, eq=False)
class Explanation:
    """One map, as it is or on its way.

    Attributes
    ----------
    panel
        What it explains.
    settings
        Trait → value that it was made with.
    key
        Of the picture and the weights.
    size
        (H, W) of the picture.
    attribution
        What the method's function returns: [C, H, W], or [h, w] of Grad-CAM and occlusion; None
        before the first pass, or if it failed.
    done, total
        Passes so far, and passes in all.
    note
        What was warned of.
    error
        Why there is none.
    version
        Another one for every map and every stage of it.
    """

    panel: Panel
    settings: dict[str, Any]
    key: int
    size: tuple[int, int]
    attribution: Tensor | None = None
    done: int = 0
    total: int = 1
    note: str = ""
    error: str | None = None
    version: int = field(default_factory=lambda: next(_VERSIONS))

    def __repr__(self) -> str:
        method, target, random = self.panel
        of = f"class {target}{', randomised model' if random else ''}"
        return f"Explanation({method} of {of}, {self.done} of {self.total} passes)"

    def then(self, **changes: Any) -> Explanation:  # noqa: ANN401 - values of the attributes
        """Return the next stage of it."""
        return replace(self, version=next(_VERSIONS), **changes)

    @property
    def complete(self) -> bool:
        """Whether no pass is left to be made."""
        return self.error is None and self.done >= self.total

    @property
    def flat(self) -> bool:
        """Whether it has one value for all channels, as Grad-CAM and occlusion have."""
        return self.attribution is not None and self.attribution.ndim == _FLAT

    def pixels(self) -> Tensor:
        """Return it at the picture's size, float32 [C, H, W]; a coarser map is interpolated."""
        if self.attribution is None:
            raise ValueError(self.error or "there is no map yet")
        values = self.attribution.detach().float().cpu()
        if self.flat:
            values = values[None]
        if values.shape[1:] != self.size:
            values = functional.interpolate(values[None], self.size, mode="bilinear")[0]
        return values

    def shown(self, reduction: str, signs: str) -> Tensor:
        """Return one value per pixel, [H, W]: the channels' parts of these signs, reduced.

        A map without channels is not reduced: it keeps its sign.
        """
        values = part(self.pixels(), signs)
        return values[0] if self.flat else reduce(values, reduction)

    def packed(self) -> bytes:
        """Return `pixels` for the browser."""
        values = self.pixels()
        exact = values.element_size() * values.numel() <= EXACT_BYTES
        return pack(values, "float32" if exact else "quantised")


class Explanations:
    """What was made so far, with the stages of what was summed up."""

    def __init__(self) -> None:
        self._made: dict[str, Explanation] = {}
        self._stages: dict[str, list[tuple[int, bytes]]] = {}

    def __iter__(self) -> Iterator[Explanation]:
        return iter(list(self._made.values()))  # a copy: another thread adds meanwhile

    def get(self, panel: Panel) -> Explanation | None:
        """Return a panel's map; None if there is none."""
        return self._made.get(panel.id)

    def named(self, identity: str) -> Explanation | None:
        """Return the map of this name."""
        return self._made.get(identity)

    def stages(self, identity: str) -> list[tuple[int, bytes]]:
        """Return (passes, packed map) of the stages that were kept, oldest first."""
        return list(self._stages.get(identity, []))

    def put(self, made: Explanation) -> bytes | None:
        """Keep a map, or the next stage of it; return the stage, packed, if it is on its way."""
        identity = made.panel.id
        before = self._made.get(identity)
        if before is None or made.done <= before.done or made.settings != before.settings:
            self._stages.pop(identity, None)
        self._made.pop(identity, None)  # the newest last
        self._made[identity] = made
        if made.attribution is None or made.total == 1:
            return None
        stage = pack(made.pixels(), "quantised")
        self._keep(identity, made.done, stage)
        return stage

    def trim(self, shown: Iterable[Panel]) -> None:
        """Forget the oldest maps that are not shown, if all together are too large."""
        needed = {panel.id for panel in shown}
        for identity in list(self._made):
            if self._held() <= HELD_BYTES:
                return
            if identity not in needed:
                del self._made[identity]
                self._stages.pop(identity, None)

    def clear(self) -> None:
        """Free everything."""
        self._made.clear()
        self._stages.clear()

    def _keep(self, identity: str, done: int, stage: bytes) -> None:
        """Keep a stage; of too many, those remain that lie most evenly."""
        stages = self._stages.setdefault(identity, [])
        stages.append((done, stage))
        most = max(2, min(FRAMES, HISTORY_BYTES // len(stage)))
        if len(stages) > most:
            del stages[_most_crowded([count for count, _ in stages])]

    def _held(self) -> int:
        tensors = [one.attribution for one in self._made.values() if one.attribution is not None]
        return sum(t.numel() * t.element_size() for t in tensors) + sum(
            len(stage) for stages in self._stages.values() for _, stage in stages
        )


def _most_crowded(counts: list[int]) -> int:
    """Return which inner number leaves the smallest gap when it goes."""
    gaps = {at: counts[at + 1] - counts[at - 1] for at in range(1, len(counts) - 1)}
    return min(gaps, key=gaps.__getitem__)


def described(
    made: Explanation, name: str, measure: str, *, active: bool, stages: int
) -> dict[str, Any]:
    """Return what the browser is told of a map, besides its values."""
    method = METHODS[made.panel.method]
    return {
        "id": made.panel.id,
        "method": made.panel.method,
        "target": made.panel.target,
        "name": name,
        "randomised": made.panel.randomised,
        "unit": method.unit_of(measure, made.settings),
        "signed": method.signed,
        "flat": made.flat,
        "settings": made.settings,
        "key": made.key,
        "version": made.version,
        "done": made.done,
        "total": made.total,
        "note": made.note,
        "error": made.error,
        "active": active,
        "stages": stages,
    }
