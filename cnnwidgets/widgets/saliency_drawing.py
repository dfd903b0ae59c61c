"""What a saliency viewer shows, in words and numbers, for its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnwidgets.attribution.reduction import part, reduce
from cnnwidgets.widgets.saliency_figure import Drawn, draw, draw_noise
from cnnwidgets.widgets.saliency_judging import NOISES, SAMPLES, noise_by_samples, similarity
from cnnwidgets.widgets.saliency_methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.widgets.saliency_maps import Explanation, Explanations, Panel
    from cnnwidgets.widgets.saliency_subject import Subject
    from cnnwidgets.widgets.saliency_viewer import SaliencyViewer

_NOT_YET = "not computed yet:\nviewer.run()"


def figure(
    viewer: SaliencyViewer,
    pixels: NDArray[np.uint8],
    made: Explanations,
    name: Callable[[int], str],
) -> Figure:
    """Draw the panels of a viewer; where two classes are shown, their difference too."""
    drawn: list[Drawn] = []
    for panel in viewer.panels():
        one = _drawn(viewer, panel, made, name)
        drawn.append(one)
        if panel.target == viewer.against and not panel.randomised:
            drawn.extend(_difference(drawn[-2], one))
    return draw(pixels, drawn, viewer.percentile, viewer.overlay)


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


def noise_figure(viewer: SaliencyViewer, subject: Subject) -> Figure:
    """Draw SmoothGrad by noise level and number of samples."""
    maps = {
        (row, column): reduce(part(found.float().cpu(), viewer.part), viewer.reduction)
        for row, column, found in noise_by_samples(
            subject, viewer.net, viewer.target, viewer.measure
        )
    }
    return draw_noise(maps, NOISES, SAMPLES, viewer.percentile)
