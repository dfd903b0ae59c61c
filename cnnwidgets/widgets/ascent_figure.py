"""The pictures of an ascent, their scores and gradient norms as a matplotlib figure."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from cnnwidgets.widgets.ascent_frames import shown
from cnnwidgets.widgets.ascent_page import within
from cnnwidgets.widgets.colors import MARKS
from cnnwidgets.widgets.drawing import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cnnwidgets.widgets.ascent_climb import Climb
    from cnnwidgets.widgets.ascent_page import Story

_SIDE = 2.4  # inches
_MOST_ROW = 4
_LEAST_WIDTH = 6.0  # inches
_FIELD: dict[str, Any] = {
    "fill": False,
    "edgecolor": "white",
    "linewidth": 1,
    "path_effects": [withStroke(linewidth=3, foreground="black")],
}
"""How the border of what a neuron sees is drawn."""


def draw(story: Story, step: int | None) -> Figure:
    """Draw the pictures of a step, or the newest, over the curves of all steps.

    Parameters
    ----------
    story
        What climbs.
    step
        The step; the kept one that is nearest is drawn.
    """
    kept = story.kept(step)
    count = len(story.labels(0)) if kept is not None else 1
    columns = min(count, _MOST_ROW)
    rows = -(-count // columns)
    width = max(_LEAST_WIDTH, _SIDE * columns)
    figure = Figure(figsize=(width, (_SIDE + 0.4) * rows + 2.4), layout="constrained")
    if story.climb is None or kept is None:
        figure.suptitle(plain(f"{story.title()}: not run yet"))
        return figure
    above, below = figure.subfigures(
        2, 1, squeeze=False, height_ratios=[(_SIDE + 0.4) * rows, 2.4]
    ).flat
    above.suptitle(plain(f"{story.title(kept)}, step {kept}"), fontsize=10)
    axes = above.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for index, axis in zip(range(count), axes.flat, strict=False):
        _picture(axis, story, story.climb, kept, index)
    _curves(below.subplots(1, 2), story, story.climb, kept)
    return figure


def _picture(axis: Axes, story: Story, climb: Climb, step: int, index: int) -> None:
    picture = shown(climb.frames[step])[index]
    grey = picture.shape[2] == 1
    axis.imshow(picture.squeeze(2) if grey else picture, cmap="gray", vmin=0, vmax=255)
    if field := climb.fields[index]:
        left, top, right, bottom = within(field, picture)
        axis.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, **_FIELD))
    one, said = climb.measured[step][index], climb.says(step)[index]
    words = [story.labels(step)[index], f"score {one.score:.4g}"]
    words += [f"{said[0].name} {said[0].probability:.1%}"] if said else []
    if climb.first[index] is not None:
        words.append(f"the answer first at step {climb.first[index]}")
    note = climb.notes[index]
    words += [note.words] if note and note.step <= step else []
    axis.set_title(plain("\n".join(words)), fontsize=7, wrap=True)


def _curves(axes: list[Axes], story: Story, climb: Climb, step: int) -> None:
    scores, norms, _ = climb.numbers(0, len(climb.measured))
    labels, colours = story.labels(step), cycle(MARKS)
    for line, norm, label, first, colour in zip(
        scores.T, norms.T, labels, climb.first, colours, strict=False
    ):
        axes[0].plot(line, label=plain(label), color=colour, linewidth=1)
        axes[1].plot(norm, color=colour, linewidth=1)
        if first is not None:
            axes[0].plot(first, line[first], "o", color=colour, markersize=4)
    for axis, name in zip(axes, (story.subject.quantity, "gradient norm"), strict=True):
        axis.axvline(step, color="grey", linewidth=0.5)
        axis.set_xlabel("step", fontsize=8)
        axis.set_ylabel(name, fontsize=8)
        axis.tick_params(labelsize=7)
    if len(labels) > 1:
        axes[1].figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=6
        )
