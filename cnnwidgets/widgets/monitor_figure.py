"""What a training monitor shows as a matplotlib figure: curves, and a layer's histogram."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cnnwidgets.training.bins import EDGES, HIGHEST, LOWEST, OCTAVES, PARTS, SIDE
from cnnwidgets.widgets.colors import RUNS
from cnnwidgets.widgets.drawing import plain, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cnnwidgets.training.history import Curve
    from cnnwidgets.training.run import Run

_SIZE = (10.0, 4.4)  # inches
_WIDTHS = (1.5, 1.0)
_MOST_CHARTS, _MOST_LINES = 3, 8
_FEWEST_OCTAVES = 6
_LETTERS, _TITLE, _SENTENCE = 28, 60, 120
_MOST_FOUND = 3
_CLOCKS = {"step": "step", "epoch": "epoch", "seconds": "seconds since the run began"}
_FIRST = ("loss", "accuracy", "acc")
_LAST = ("learning_rate", "gradient_norm", "samples_per_second")
_SPLITS = {"train", "training", "val", "valid", "validation", "eval", "test"}
_POWERS = range(-6, 3)
_MANY_OCTAVES = 24  # above which every third power of ten has a tick
_FEW = 0.02
"""Share of the values in octaves next to zero that become one bin, at most; as in the browser."""


@dataclass(frozen=True)
class Look:
    """How it is looked at.

    Attributes
    ----------
    layer, quantity
        What the histogram is of.
    step, pinned
        The nearest recorded step is shown, and another one behind it unless that is None.
    smoothing, log_y, x
        Of the curves.
    """

    layer: str
    quantity: str
    step: int
    pinned: int | None
    smoothing: float
    log_y: bool
    x: str


class _Line(NamedTuple):
    label: str
    color: str
    dashed: bool
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def draw(runs: Sequence[Run], look: Look) -> Figure:
    """Draw the curves of all runs at the left, a layer's histogram of each at the right."""
    charts = _charts(runs, look.x)
    figure = Figure(figsize=_SIZE, layout="constrained")
    if not charts and not look.layer:
        _say(figure.add_subplot(), "nothing is recorded yet")
        return figure
    grid = figure.add_gridspec(max(1, len(charts)), 2, width_ratios=_WIDTHS)
    above: Axes | None = None
    for row, (title, lines) in enumerate(charts.items()):
        axes = above = figure.add_subplot(grid[row, 0], sharex=above)
        _draw_curves(axes, title, lines, look)
        axes.tick_params(labelbottom=row == len(charts) - 1)
    if above is not None:
        smoothed = f" (smoothed by {look.smoothing:g}; faint: as measured)"
        above.set_xlabel(_CLOCKS[look.x] + (smoothed if look.smoothing else ""), fontsize=8)
    if look.layer:
        _draw_histograms(figure.add_subplot(grid[:, 1]), runs, look)
    figure.supxlabel("\n".join(_found(runs)), fontsize=8)
    return figure


def _found(runs: Sequence[Run]) -> list[str]:
    """Say the first of each kind of errors and warnings."""
    found: dict[tuple[str, str], str] = {}
    for run in runs:
        for one in run.findings:
            if one.severity != "mark":
                where = f", {one.layer}" if one.layer else ""
                said = f"{run.name}, step {one.step:,}{where}: {one.kind}"
                found.setdefault((run.name, one.kind), _plain(shorten(said, _SENTENCE)))
    return list(found.values())[:_MOST_FOUND]


def smooth(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Return the exponential moving average, each mean divided by the sum of its weights.

    As TensorBoard's: what is not finite stays, and counts for nothing.
    """
    means: NDArray[np.float64] = values.copy()
    mean = total = 0.0
    for i in np.flatnonzero(np.isfinite(values)).tolist():
        mean = weight * mean + (1 - weight) * values[i]
        total = weight * total + (1 - weight)
        means[i] = mean / total
    return means


def _charts(runs: Sequence[Run], clock: str) -> dict[str, list[_Line]]:
    """Return what is measured → the lines of all runs, the most telling first."""
    charts: dict[str, list[_Line]] = {}
    for color, run in zip(_colors(), runs, strict=False):
        curves = run.scalars
        for name, curve in curves.items():
            if name != "epoch":
                title, split = _measured(name)
                label = " · ".join(filter(None, [run.name if len(runs) > 1 else "", split]))
                dashed = bool(split) and not split.startswith("train")
                x = _times(curve, curves, clock)
                line = _Line(label or title, color, dashed, x, _drawable(curve.values))
                charts.setdefault(title, []).append(line)
    return dict(sorted(charts.items(), key=lambda item: _rank(item[0]))[:_MOST_CHARTS])


def _drawable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave a gap for what no axis has room for, as the browser does."""
    return np.where(np.abs(values) < np.finfo(np.float32).max, values, np.nan)


def _measured(name: str) -> tuple[str, str]:
    """Part a name into what is measured, and of which data: ``val_loss`` → loss, val."""
    words = name.replace("/", "_").split("_")
    split = next((word for word in words if word.lower() in _SPLITS), "")
    return "_".join(word for word in words if word != split) or name, split


def _rank(title: str) -> int:
    if title.lower() in _FIRST:
        return _FIRST.index(title.lower()) - len(_FIRST)
    return _LAST.index(title) + 1 if title in _LAST else 0


def _times(curve: Curve, curves: Mapping[str, Curve], clock: str) -> NDArray[np.float64]:
    if clock == "seconds":
        return curve.seconds
    if clock == "epoch" and "epoch" in curves:
        epoch = curves["epoch"]
        places: NDArray[np.float64] = np.interp(curve.steps, epoch.steps, epoch.values)
        return places
    return curve.steps.astype(float)


def _draw_curves(axes: Axes, title: str, lines: Sequence[_Line], look: Look) -> None:
    exact = title == "learning_rate" or not look.smoothing
    for line in lines[:_MOST_LINES]:
        how: dict[str, Any] = {"color": line.color, "linestyle": "--" if line.dashed else "-"}
        if not exact:
            axes.plot(line.x, line.y, linewidth=0.8, alpha=0.25, **how)
        shown = line.y if exact else smooth(line.y, look.smoothing)
        axes.plot(line.x, shown, linewidth=1.4, label=_short(line.label), **how)
    if look.log_y:
        axes.set_yscale("log", nonpositive="mask")
    unit = " (samples/s)" if title == "samples_per_second" else ""
    axes.set_ylabel(_short(title.replace("_", " ")) + unit, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.25)
    if len(lines) > 1:
        axes.legend(fontsize=7)


def _draw_histograms(axes: Axes, runs: Sequence[Run], look: Look) -> None:
    """Draw the shares of the bins by their widths in octaves; all runs have the same bins."""
    rows = [
        (color, run, *row)
        for color, run in zip(_colors(), runs, strict=False)
        for row in _rows(run, look)
    ]
    inner = _inner([shares for _, _, _, shares, _ in rows])
    edges = _edges(inner)
    used = np.zeros(len(edges) - 1, bool)
    for color, run, step, shares, behind in rows:
        name = f"{run.name}, " if len(runs) > 1 else ""
        style: dict[str, Any] = {"color": color, "label": _short(f"{name}step {step:,}")}
        style |= {"linestyle": ":"} if behind else {"fill": True, "alpha": 0.45}
        folded = _fold(shares, inner)
        axes.stairs(folded / np.diff(edges), edges, **style)
        used |= folded > 0
    heading = textwrap.wrap(f"{shorten(look.layer, _TITLE)}: {look.quantity}", 40)
    axes.set_title(_plain("\n".join(heading)), fontsize=9)
    if not used.any():
        _say(axes, "not measured")
        return
    _scale(axes, edges[:-1][used][0], edges[1:][used][-1], inner)
    axes.legend(fontsize=7)


def _scale(axes: Axes, low: float, high: float, inner: int) -> None:
    """Show the bins between two places, with ticks at powers of ten."""
    pad, end = max(1.0, (_FEWEST_OCTAVES - (high - low)) / 2), _place(EDGES[-1], inner)
    powers = _POWERS[2::3] if high - low > _MANY_OCTAVES else _POWERS
    sizes = [10.0**power for power in powers if 10.0**power >= 2.0 ** (LOWEST + inner)]
    ticks = [*(-size for size in reversed(sizes)), 0.0, *sizes]
    axes.set_xticks([_place(tick, inner) for tick in ticks], [f"{tick:g}" for tick in ticks])
    axes.set_xlim(max(-end, low - pad), min(end, high + pad))  # ticks have widened it
    axes.set_xlabel("value (logarithmic, about zero linear)", fontsize=8)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.set_ylabel("density (share per octave)", fontsize=8)
    axes.tick_params(labelsize=7)


def _inner(rows: Sequence[NDArray[np.float32]]) -> int:
    """Count the octaves of either sign next to zero that hold next to nothing in every row."""
    sizes = [row[SIDE - 1 :: -1] + row[SIDE + 1 :] for row in rows]
    few = [np.cumsum(both)[PARTS - 1 :: PARTS] <= _FEW for both in sizes]
    return min((min(int(found.sum()), OCTAVES - 1) for found in few), default=0)


def _fold(shares: NDArray[np.float32], inner: int) -> NDArray[np.float32]:
    """Add the bins of those octaves to the one about zero."""
    low, high = SIDE - PARTS * inner, SIDE + PARTS * inner + 1
    return np.concatenate([shares[:low], [shares[low:high].sum()], shares[high:]])


def _edges(inner: int) -> NDArray[np.float64]:
    """Return the places of the edges of the bins that are left, rising."""
    positive = EDGES[SIDE + 1 + PARTS * inner :]
    places = np.array([_place(value, inner) for value in positive.tolist()])
    return np.concatenate([-places[::-1], places])


def _rows(run: Run, look: Look) -> Iterator[tuple[int, NDArray[np.float32], bool]]:
    """Yield (step, shares [249], whether it is the pinned one) of what was measured."""
    try:
        found = run.histograms(look.layer, look.quantity)
    except ValueError:  # a run of another model, or before its first step
        return
    for step, behind in ((look.pinned, True), (look.step, False)):
        if step is not None and len(found.steps):
            row = int(np.abs(found.steps - step).argmin())
            if not np.isnan(found.shares[row]).any():
                yield int(found.steps[row]), found.shares[row], behind


def _place(value: float, inner: int) -> float:
    """Return where a value that is not folded is: in octaves, and half of one about zero."""
    if value == 0:
        return 0.0
    octaves = float(np.clip(np.log2(abs(value)), LOWEST + inner, HIGHEST)) - LOWEST - inner
    return float(np.copysign(0.5 + octaves, value))


def _colors() -> Iterator[str]:
    while True:
        yield from RUNS


def _say(axes: Axes, text: str) -> None:
    axes.axis("off")
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", fontsize=9)


def _short(text: str) -> str:
    return _plain(shorten(text, _LETTERS))


def _plain(text: str) -> str:
    """Keep a legend's entry from being left out, too."""
    return plain(text).lstrip("_") or "…"
