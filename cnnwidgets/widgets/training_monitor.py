"""TrainingMonitor: what happens in a network while it learns, live or long after."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Float, Int, List, Unicode, default, observe, validate

from cnnwidgets.errors import nearest
from cnnwidgets.training.recorder import Recorder, recorders_of
from cnnwidgets.widgets.base import Widget
from cnnwidgets.widgets.cells import Cell, this_cell
from cnnwidgets.widgets.monitor_answers import MonitorAnswers, in_words, recorded
from cnnwidgets.widgets.monitor_feed import Feed
from cnnwidgets.widgets.monitor_runs import Followed, as_run, plain
from cnnwidgets.widgets.traits import Choice, TraitValueError, worded

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure
    from torch import nn

    from cnnwidgets.network import Network
    from cnnwidgets.training.run import Run
    from cnnwidgets.widgets.requests import Asked

QUANTITIES = ("weights", "gradients", "activations", "biases", "bias gradients")
MOST_SMOOTHING = 0.99
PATIENCE = 1.0
"""Seconds after which a silent page is sent the next news all the same."""
_STEP, _TOTAL = "a step from 0 on", "a number of steps from 1 on, or None"
_WHETHER = "True or False"
_DISPLAYED = "displayed"  # stands for a page that was not heard yet


class TrainingMonitor(MonitorAnswers, Widget):
    """Watch a network learn: curves, histograms, filters, maps, findings; and scrub back.

    Parameters
    ----------
    runs
        One or more: a `cnnwidgets.Recorder` at work or done, what `cnnwidgets.load_run` or
        `cnnwidgets.load_tensorboard` returns, or the directory of a run, which may still be
        written by another process.
    traits
        First values of the public traits.

    Methods
    -------
    figure()
        Draw the curves and the chosen layer's histogram with matplotlib.
    to_html(path)
        Write an offline page in which the runs can be scrubbed.
    close()
        Let go of the runs and take the widget off every page; recording goes on.
    retire()
        Close it as soon as no page shows it.

    Raises
    ------
    TypeError
        If a keyword is unknown, or something given is no run.
    FileNotFoundError, ValueError
        If there is no run in a directory, or a setting makes no sense.

    Examples
    --------
    >>> with cw.Recorder(model) as run:
    ...     monitor = cw.TrainingMonitor(run)
    ...     train(model)
    """

    _bundle = "training_monitor"

    step = worded(Int(0), _STEP).tag(sync=True)
    """The step that is looked at, from 0 on; the nearest that was recorded is shown."""
    pinned = worded(Int(None, allow_none=True), f"{_STEP}, or None").tag(sync=True)
    """A step to compare it with, or None."""
    follow = worded(Bool(default_value=True), _WHETHER).tag(sync=True)
    """Whether to stay at the newest step; to set `step` ends it."""
    run = worded(Int(0), "the number of a run, from 0 on").tag(sync=True)
    """Which run's layers and snapshots are looked at, counted from 0."""
    layer = worded(Unicode(""), "the name of a layer").tag(sync=True)
    """The layer that is looked at; ``""`` until one was recorded."""
    quantity = Choice(QUANTITIES, "weights").tag(sync=True)
    """"weights", "gradients", "activations", "biases" or "bias gradients" of it."""
    smoothing = worded(Float(0.6), f"0 to {MOST_SMOOTHING}").tag(sync=True)
    """Weight of what was before in the curves' running mean, 0 to 0.99."""
    log_y = worded(Bool(default_value=False), _WHETHER).tag(sync=True)
    """Whether the curves have a logarithmic axis."""
    x = Choice(("step", "epoch", "seconds"), "step").tag(sync=True)
    """What the curves are drawn over; "epoch" if one was logged by that name."""
    total = worded(Int(None, allow_none=True), _TOTAL).tag(sync=True)
    """Steps that a run will have, to tell the remaining time; None: what each run itself says."""

    _runs: List[dict[str, Any]] = List().tag(sync=True)

    def __init__(
        self,
        *runs: Run | str | os.PathLike[str],
        **traits: Any,  # noqa: ANN401 - checked by the base class
    ) -> None:
        self._check_keywords(traits)
        self._followed: Sequence[Followed] = _followed(runs)
        self._newest: int | None = None
        self._retired = False
        self._moving = threading.RLock()
        try:
            super().__init__(None, **traits)
        except BaseException:
            self._let_go()
            raise
        stream = self.stream("news", PATIENCE)
        self._feed = Feed(self._followed, stream, self._tell)
        self._feed.start()

    def __repr__(self) -> str:
        names = ", ".join(plain(one.run.name) for one in self._followed)
        return f"{type(self).__name__}({names})"

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs, as given; none after `close`."""
        return tuple(one.run for one in self._followed)

    def figure(self) -> Figure:
        """Draw the curves of all runs, and the chosen layer's histogram at the chosen step.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from cnnwidgets.widgets.monitor_figure import Look, draw  # noqa: PLC0415 - matplotlib is slow

        names = ("layer", "quantity", "step", "pinned", "smoothing", "log_y", "x")
        return draw(self.runs, Look(**{name: getattr(self, name) for name in names}))

    def recorded(self) -> Iterator[Asked]:
        """Yield the requests that an exported page should answer: curves, then maps."""
        chosen = self._chosen()
        return recorded(sorted(self._followed, key=lambda one: one is not chosen), self.layer)

    def retire(self) -> None:
        """Close it as soon as no page shows it."""
        self._retired = True
        if not self._pages:
            self.close()

    def close(self) -> None:
        """Let go of the runs and take the widget off every page; recording goes on."""
        if "_feed" in self.__dict__:
            self._feed.close()
        super().close()
        self._let_go()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take traits from the browser; meanwhile the newest step is not gone to."""
        with self._moving:
            super().set_state(sync_data)

    def in_words(self, asked: Sequence[Asked]) -> str:
        """Say of which layers these requests ask for maps."""
        return in_words(asked)

    @default("_runs")
    def _default_runs(self) -> list[dict[str, Any]]:
        return [one.told(self.total) for one in self._followed]

    @default("layer")
    def _default_layer(self) -> str:
        return self._chosen().first_layer(self.quantity)

    @default("step")
    def _default_step(self) -> int:
        self._newest = self._chosen().newest()
        return self._newest

    @validate("step", "pinned")
    def _check_step(self, proposal: Any) -> int | None:  # noqa: ANN401 - traitlets' Bunch
        value: int | None = proposal.value
        if value is not None and value < 0:
            raise TraitValueError(f"{proposal.trait.name}: {_STEP}, not {value}")
        return value

    @validate("layer", "run", "smoothing", "total")
    def _check(self, proposal: Any) -> Any:  # noqa: ANN401 - traitlets' Bunch
        name, value = proposal.trait.name, proposal.value
        if name == "layer":
            known = _names(self._chosen())
            if value and known and value not in known:
                raise TraitValueError(f"layer: {value!r} was not recorded; {nearest(value, known)}")
        elif name == "run" and not 0 <= value < len(self._followed):
            last = len(self._followed) - 1
            raise TraitValueError(f"run: there is no run {value}; choose 0 to {last}")
        elif name == "smoothing" and not 0 <= value <= MOST_SMOOTHING:
            raise TraitValueError(f"smoothing: 0 to {MOST_SMOOTHING}, not {value}")
        elif name == "total" and value is not None and value < 1:
            raise TraitValueError(f"total: {_TOTAL}, not {value}")
        return value

    @observe("step")
    def _stay(self, change: Any) -> None:  # noqa: ANN401 - traitlets' Bunch
        """Stay at a step that was set."""
        if change.new != self._newest:
            self.follow = False

    @observe("run")
    def _other_run(self, _change: Any) -> None:  # noqa: ANN401 - traitlets' Bunch
        """Look at a layer that the run has."""
        self._choose_layer()
        self._go_on()

    @observe("follow")
    def _go_on(self, _change: Any = None) -> None:  # noqa: ANN401 - traitlets' Bunch
        """Go to the newest step if it is followed."""
        if not self.follow:
            return
        with self._moving:
            if self.follow and self._followed:  # nobody went elsewhere meanwhile
                self._newest = self._chosen().newest()
                self.step = self._newest

    def _chosen(self) -> Followed:
        if not self._followed:
            raise RuntimeError("the monitor is closed: make another one, TrainingMonitor(run)")
        return self._followed[min(self.run, len(self._followed) - 1)]

    def _choose_layer(self) -> None:
        layers = self._chosen().layers()
        if layers and self.layer not in layers:
            self.layer = self._chosen().first_layer(self.quantity)

    def _tell(self) -> None:
        """Bring up to date what the pages are told of the runs; the feed calls it, too."""
        if not self._followed:
            return
        self._runs = self._default_runs()
        self._choose_layer()
        self._go_on()

    @contextmanager
    def _recording(self) -> Iterator[None]:
        self._tell()
        yield

    def _receive(self, content: Any, buffers: Sequence[memoryview]) -> None:  # noqa: ANN401
        """Hear a page: from now on it is told what is new."""
        if "_feed" in self.__dict__:
            self._feed.heard = time.monotonic()
            self.stream("news").leave(_DISPLAYED)
        super()._receive(content, buffers)

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Send news from now on, even if no page can speak: ipykernel 6 hears none in a cell."""
        if not self._pages and self._followed:
            self.stream("news").join(_DISPLAYED)
        return super()._repr_mimebundle_(**kwargs)

    def _unwatched(self) -> None:
        if self._retired:
            self.close()

    def _let_go(self) -> None:
        followed, self._followed = self._followed, ()
        for one in followed:
            one.close()


_watched: weakref.WeakSet[Watched] = weakref.WeakSet()


class Watched(Recorder):
    """A recorder whose monitor is shown; see `watch`.

    Attributes
    ----------
    monitor
        Its monitor. Closing the recorder leaves it open.
    """

    monitor: TrainingMonitor
    cell: Cell | None
    """The cell that made it."""


def watch(
    model: nn.Module | Network,
    name: str | None = None,
    **keywords: Any,  # noqa: ANN401 - of any type
) -> Watched:
    """Record a training loop and show it live, in one line.

    What `watch` has begun on the same model before ends, and what the same cell of a notebook has
    begun when it was run before: it may be run again as often as one likes. The earlier run can
    still be looked at; training that it had in the background stops after the step that it is in.
    The monitor that stood below the cell is closed, unless it is shown elsewhere, too.

    Parameters
    ----------
    model
        The model, or a `cnnwidgets.Network` of it.
    name
        To tell runs apart; by default the model's class and the time.
    keywords
        As for `cnnwidgets.Recorder`, or first values of a `TrainingMonitor`'s traits.

    Returns
    -------
    Recorder
        Use it as a context manager around the loop, or close it after the loop. Its ``monitor`` is
        the widget, which is displayed if this is a notebook, and stays when the recorder is closed.

    Raises
    ------
    TypeError, ValueError, OSError
        As `cnnwidgets.Recorder` does, and `TrainingMonitor`.

    Examples
    --------
    >>> with cw.watch(model) as run:
    ...     train(model)
    """
    public = {name for name in TrainingMonitor.class_trait_names() if not name.startswith("_")}
    known = [*list(signature(Recorder).parameters)[1:], *sorted(public)]
    for keyword in keywords:
        if keyword not in known:
            raise TypeError(f"watch: there is no keyword {keyword!r}; {nearest(keyword, known)}")
    own = signature(Recorder).parameters
    traits = {name: keywords.pop(name) for name in keywords.keys() - own if name in public}
    cell = this_cell()
    _end_earlier(model, cell)
    recorder = Watched(model, name, **keywords)
    recorder.cell = cell
    try:
        recorder.monitor = TrainingMonitor(recorder, **traits)
    except BaseException:
        recorder.close()
        raise
    _watched.add(recorder)
    _display(recorder.monitor)
    return recorder


def _end_earlier(model: nn.Module | Network, cell: Cell | None) -> None:
    """End what watches the model, and what the cell has begun when it was run before."""
    at_work = recorders_of(model)
    for earlier in list(_watched):
        again = cell is not None and cell.repeats(earlier.cell)
        if again or earlier in at_work:
            earlier.close()
        if again:
            earlier.monitor.retire()


def _display(monitor: TrainingMonitor) -> None:
    """Show it where there is a notebook to show it in."""
    notebook = sys.modules.get("IPython")
    if notebook is not None and notebook.get_ipython() is not None:
        notebook.display.display(monitor)


def _followed(given: Sequence[object]) -> list[Followed]:
    if not given:
        raise TypeError("runs: give one or more: TrainingMonitor(run), or cnnwidgets.watch(model)")
    followed: list[Followed] = []
    try:
        for index, one in enumerate(given):
            run, owned = as_run(one)
            followed.append(Followed(run, str(index), owned=owned))
    except BaseException:
        for earlier in followed:
            earlier.close()
        raise
    return followed


def _names(one: Followed) -> list[str]:
    """Return the names that a layer of a run may have; none if that is not known yet."""
    model = one.run.model
    modules = [] if model is None else [name for name, _ in model.named_modules() if name]
    return one.layers() or modules
