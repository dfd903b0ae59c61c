"""What a saliency viewer shows, in words and numbers, for its figure and its preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnwidgets.attribution.reduction import part, reduce
from cnnwidgets.widgets.saliency_judging import noise_by_samples, similarity
from cnnwidgets.widgets.saliency_methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.widgets.saliency_maps import Explanation, Explanations, Panel
    from cnnwidgets.widgets.saliency_subject import Subject
    from cnnwidgets.widgets.saliency_viewer import SaliencyViewer

_LEAST = 1e-12  # a range that is none would divide by 0
_NOT_YET = "not computed yet:\nviewer.run()"


class Drawn(NamedTuple):
    """One map to draw: its values [H, W] (None: why not is said), in words, and its unit."""

    title: str
    unit: str
    values: NDArray[np.float32] | None
    said: str
    family: str
    """Maps of one family share a range."""


def limit_of(values: NDArray[np.float32], percentile: float) -> float:
    """Return the percentile of the magnitudes, NaN left out; 1 if there is nothing else."""
    sizes = np.abs(values[np.isfinite(values)]).astype(np.float64)
    return max(float(np.percentile(sizes, percentile)), _LEAST) if sizes.size else 1.0


def limits_of(maps: Sequence[Drawn], percentile: float) -> list[float]:
    """Return which value of each map gets the full colour: the largest of its family."""
    limits: dict[str, float] = {}
    for one in maps:
        if one.values is not None:
            limit = limit_of(one.values, percentile)
            limits[one.family] = max(limit, limits.get(one.family, limit))
    return [limits.get(one.family, 1.0) for one in maps]


def panels_of(
    viewer: SaliencyViewer, made: Explanations, name: Callable[[int], str]
) -> list[Drawn]:
    """List the maps of a viewer; where two classes are shown, their difference too."""
    drawn: list[Drawn] = []
    for panel in viewer.panels():
        one = _drawn(viewer, panel, made, name)
        drawn.append(one)
        if panel.target == viewer.against and not panel.randomised:
            drawn.extend(_difference(drawn[-2], one))
    return drawn


def _drawn(
    viewer: SaliencyViewer, panel: Panel, made: Explanations, name: Callable[[int], str]
) -> Drawn:
    method = METHODS[panel.method]
    title = f"{method.label}: {name(panel.target)}"
    if panel.randomised:
        title = f"{method.label}, random weights"
    unit = method.unit.format(measure=viewer._word(viewer.measure))  # noqa: SLF001 - its other half
    found = made.get(panel)
    if found is None or found.attribution is None:
        said = found.error if found is not None else None
        return Drawn(title, unit, None, said or _NOT_YET, "")
    values = found.shown(viewer.reduction, viewer.part)
    compared = viewer.against is not None and not panel.randomised
    family = panel.method if compared else panel.id
    said = " ".join(_remarks(viewer, found, values, made))
    return Drawn(title, unit, values.numpy(), said, unit if viewer.scale == "unit" else family)


def _remarks(
    viewer: SaliencyViewer, found: Explanation, values: Tensor, made: Explanations
) -> Iterator[str]:
    if found.done < found.total:
        yield f"stopped: {found.done} of {found.total} passes."
    if not viewer.current(found) and found.complete:
        yield "of other settings or weights."
    trained = made.get(found.panel._replace(randomised=False))
    if found.panel.randomised and trained is not None and trained.attribution is not None:
        alike = similarity(trained.shown(viewer.reduction, viewer.part), values)
        yield f"rank correlation with the trained model's: {alike:.2f}"


def _difference(one: Drawn, other: Drawn) -> Iterator[Drawn]:
    if one.values is not None and other.values is not None:
        values = one.values - other.values
        yield Drawn("difference of the two", one.unit, values, "", one.family)


def noise_sheet(viewer: SaliencyViewer, subject: Subject) -> dict[tuple[int, int], Tensor]:
    """Compute SmoothGrad [H, W] by places of noise level and number of samples."""
    return {
        (row, column): reduce(part(found.float().cpu(), viewer.part), viewer.reduction)
        for row, column, found in noise_by_samples(
            subject, viewer.net, viewer.target, viewer.measure
        )
    }
