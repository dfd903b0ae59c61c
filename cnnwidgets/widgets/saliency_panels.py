"""What a saliency viewer shows, in words and numbers, for its figure and its preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cnnwidgets.attribution.reduction import part, reduce
from cnnwidgets.widgets.saliency_judging import likeness, noise_by_samples
from cnnwidgets.widgets.saliency_methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.widgets.saliency_maps import Explanation, Explanations, Panel
    from cnnwidgets.widgets.saliency_subject import Subject
    from cnnwidgets.widgets.saliency_viewer import SaliencyViewer

_LEAST = 1e-12  # a range that is none would divide by 0
_SIGNS = {
    "absolute": "absolute values",
    "positive": "positive part only",
    "negative": "negative part only",
}
_NOT_YET = "not computed yet:\nviewer.run()"


class Drawn(NamedTuple):
    """One map to draw: its values [H, W] (None: why not is said), in words, and its unit."""

    method: str
    title: str
    unit: str
    values: NDArray[np.float32] | None
    said: str
    family: str
    """Maps of one family share a range."""
    how: str = ""
    """What was made of the channels and signs."""


def places(maps: Sequence[Drawn], most: int) -> list[tuple[int, int]]:
    """Return the row and column of each map beside the picture, which is at (0, 0).

    A row for each method if some have several maps; else `most` in a row, one after another.
    """
    rows = {name: row for row, name in enumerate(dict.fromkeys(one.method for one in maps))}
    if len(rows) == len(maps):
        return [divmod(place, most) for place in range(1, len(maps) + 1)]
    columns = dict.fromkeys(rows, 0)
    found = []
    for one in maps:
        columns[one.method] += 1
        found.append((rows[one.method], columns[one.method]))
    return found


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
            drawn.extend(_difference(viewer, panel, made, name))
    return drawn


def _drawn(
    viewer: SaliencyViewer, panel: Panel, made: Explanations, name: Callable[[int], str]
) -> Drawn:
    method = METHODS[panel.method]
    title = f"{method.label}: {name(panel.target)}"
    if panel.randomised:
        title = f"{method.label}, random weights"
    unit = _unit(viewer, panel)
    found = made.get(panel)
    if found is None or found.attribution is None:
        said = found.error if found is not None else None
        return Drawn(panel.method, title, unit, None, said or _NOT_YET, "")
    values = found.shown(viewer.reduction, viewer.part)
    said = " ".join(_remarks(viewer, found, made))
    how = words_of(viewer.reduction, viewer.part, flat=found.flat)
    return Drawn(panel.method, title, unit, values.numpy(), said, _family(viewer, panel, unit), how)


def _unit(viewer: SaliencyViewer, panel: Panel) -> str:
    word, settings = viewer._word(viewer.measure), viewer._settings(panel.method)  # noqa: SLF001 - its other half
    return METHODS[panel.method].unit_of(word, settings)


def _family(viewer: SaliencyViewer, panel: Panel, unit: str) -> str:
    if viewer.scale == "unit":
        return unit
    compared = viewer.against is not None and not panel.randomised
    return panel.method if compared else panel.id


def words_of(reduction: str, signs: str, *, flat: bool) -> str:
    """Say what was made of the channels and signs, to follow the unit."""
    channels = "" if flat else f", channels: {reduction}"
    return channels + ("" if signs == "all" else f", {_SIGNS[signs]}")


def _remarks(viewer: SaliencyViewer, found: Explanation, made: Explanations) -> Iterator[str]:
    if found.done < found.total:
        yield f"stopped: {found.done} of {found.total} passes."
    if not viewer.current(found) and found.complete:
        yield "of other settings or weights."
    trained = made.get(found.panel._replace(randomised=False))
    if found.panel.randomised and trained is not None and trained.attribution is not None:
        sizes, signed = likeness(trained, found)
        words = f"sizes {sizes:.2f}" + ("" if signed is None else f", signed {signed:.2f}")
        yield f"rank correlation with the trained model's: {words}"


def _difference(
    viewer: SaliencyViewer, panel: Panel, made: Explanations, name: Callable[[int], str]
) -> Iterator[Drawn]:
    """Yield the target's signed values less the other class's, whatever the looks are."""
    one, other = made.get(panel._replace(target=viewer.target)), made.get(panel)
    if one is None or one.attribution is None or other is None or other.attribution is None:
        return
    how = signed_reduction(viewer.reduction)
    values = (one.shown(how, "all") - other.shown(how, "all")).numpy()
    unit = _unit(viewer, panel)
    yield Drawn(
        panel.method,
        f"{METHODS[panel.method].label}: {name(viewer.target)} − {name(panel.target)}",
        unit,
        values,
        "",
        _family(viewer, panel, unit),
        words_of(how, "all", flat=one.flat),
    )


def signed_reduction(reduction: str) -> str:
    """Return how channels are reduced where signs must not be lost."""
    return reduction if reduction in {"sum", "mean"} else "sum"


def noise_sheet(viewer: SaliencyViewer, subject: Subject) -> dict[tuple[int, int], Tensor]:
    """Compute SmoothGrad [H, W] by places of noise level and number of samples."""
    return {
        (row, column): reduce(part(found.float().cpu(), viewer.part), viewer.reduction)
        for row, column, found in noise_by_samples(
            subject, viewer.net, viewer.target, viewer.measure
        )
    }
