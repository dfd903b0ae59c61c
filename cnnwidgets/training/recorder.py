"""Recording an unmodified training loop."""

from __future__ import annotations

import datetime as dt
import logging
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from torch import Tensor

from cnnwidgets.errors import known_keywords
from cnnwidgets.network import Network
from cnnwidgets.shadow import unwrap
from cnnwidgets.training.asked import check, check_total, check_words, optimizers_of
from cnnwidgets.training.diagnosis import diagnosis_of
from cnnwidgets.training.history import History
from cnnwidgets.training.pace import Pace
from cnnwidgets.training.probing import Probe, size_of
from cnnwidgets.training.processes import this_process
from cnnwidgets.training.ranks import Ranks
from cnnwidgets.training.recording import Recording
from cnnwidgets.training.shelves import Files
from cnnwidgets.training.snapshots import BUDGET, Memory, Snapshot, Snapshots
from cnnwidgets.training.steering import Steered
from cnnwidgets.training.storage import SNAPSHOTS, Store
from cnnwidgets.training.watch import Step, Watch

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn
    from torch.optim import Optimizer

    from cnnwidgets.images import Picture
    from cnnwidgets.training.background import Ending
    from cnnwidgets.training.snapshots import Kind

R = TypeVar("R", bound="Recorder")

_log = logging.getLogger(__name__)
_at_work: weakref.WeakSet[Recorder] = weakref.WeakSet()


class Recorder(Steered):
    """Records what happens to a network while it is trained, whatever the loop.

    Losses and learning rates are recorded at every step, the norm of the gradient too where steps
    are not very short; histograms, norms, dead units … of every layer's weights, gradients and
    activations, and now and then the weights themselves, as often as all of it makes steps no more
    than 3 % longer: half is spent in the recorder, as `overhead` measures it, the rest is what it
    does to the caches. Where steps take a few milliseconds, losses alone may take all of it: the
    layers then get a sixth of that beside it, and 30 of 1,000 steps are recorded.
    Training is, bit for bit, what it would be without it. Nothing in here raises into the loop:
    after an error of its own it lets go of the model, keeps what it has, and says so in `notes`
    and in the log. It ends with the ``with`` block, by `close`, or when the model is gone; another
    recorder of the same model does not end it, which `notes` says.

    Parameters
    ----------
    model
        The model, or a `cnnwidgets.Network` of it.
    name
        To tell runs apart; by default the model's class and the time.
    optimizer
        The optimizer, or several of them, in which case a step is over when each has stepped. By
        default every one that holds parameters of the model is found when it steps.
    every
        Record layers each so many steps; ``"auto"``: as often as 3 % longer steps allow.
    probe
        One image, a list of them, or a prepared batch [N, C, H, W], to see the network's feature
        maps, gradients and predictions of at every snapshot.
    snapshots
        Most snapshots of the weights that are kept; 0 for none.
    directory
        Where to store the run as it goes, for `cnnwidgets.load_run`; None: in memory alone.
    loss
        ``"auto"``: what ``backward`` is called on, summed over a step; None: what `log` is told.
    total
        Steps that training will have, to tell the time that is left; may be set later.
    snapshot_bytes
        Room for snapshots; 256 MB by default. Where it is too little they hold less, see `notes`.
    half
        Snapshots in half precision, without the optimizers' states.
    ranks
        In distributed training: 0, the first process records; ``"all"``: every one measures, and
        the first one stores the mean.

    Attributes
    ----------
    directory
        Where the run is stored; None if it is not.

    Raises
    ------
    ValueError, TypeError, OSError
        If something given cannot be used; once recording, nothing is raised.

    Examples
    --------
    >>> with Recorder(model) as run:
    ...     train(model)
    >>> run.findings
    []
    """

    @known_keywords
    def __init__(
        self,
        model: nn.Module | Network,
        name: str | None = None,
        *,
        optimizer: Optimizer | Iterable[Optimizer] | None = None,
        every: int | Literal["auto"] = "auto",
        probe: Picture | Sequence[Picture] | None = None,
        snapshots: int = 64,
        directory: str | os.PathLike[str] | None = None,
        loss: Literal["auto"] | None = "auto",
        total: int | None = None,
        snapshot_bytes: int = BUDGET,
        half: bool = False,
        ranks: Literal["all"] | int = 0,
    ) -> None:
        check(every=every, snapshots=snapshots, snapshot_bytes=snapshot_bytes, loss=loss)
        check_total(total)
        check_words(name, directory)
        net = model if isinstance(model, Network) else Network(model, input_size=size_of(probe))
        self._given, self._bare = net.model, unwrap(net.model)
        bare = self._bare
        began = dt.datetime.now().astimezone()
        super().__init__(name or f"{type(bare).__name__} {began:%H:%M:%S}", History(), bare)
        ranks_here = Ranks(ranks)
        store = None
        if directory is not None and ranks_here.first:
            about = {"name": self.name, "model": type(bare).__name__, "began": began.isoformat()}
            store = Store(Path(directory), {**about, "total": total, "process": this_process()})
            weakref.finalize(self, store.close)
        self.directory = store.directory if store else None
        self._shelf = Files(store.directory / SNAPSHOTS) if store else Memory()
        self._probe = None if probe is None else Probe(net, probe)
        if store is not None and self._probe is not None:
            with suppress(OSError):  # the run is worth more than its pictures
                Files(store.directory / SNAPSHOTS).keep(self._probe.pictures, self._probe.classes)
        self._total = total
        self._recording = Recording(
            history=self._history,
            pace=Pace(every),
            ranks=ranks_here,
            diagnosis=diagnosis_of(bare),
            store=store,
            snapshots=Snapshots(
                snapshots if ranks_here.first else 0,
                budget=snapshot_bytes,
                half=half,
                shelf=self._shelf,
            ),
            probe=self._probe,
        )
        self._watch = Watch(
            bare,
            optimizers_of(optimizer),
            find_loss=loss == "auto",
            on_step=self._stepped,
            between=self._between,
            guard=self._guard,
        )
        self._attach()

    def __enter__(self: R) -> R:  # noqa: PYI019 - Self is of Python 3.11
        self._starts()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.wait()
            else:
                self._background.end(error)
        finally:
            self.close()

    @property
    def error(self) -> BaseException | None:
        """What training failed with, or what went wrong inside the recorder; None if nothing."""
        return self._background.error or self._recording.error

    @property
    def ending(self) -> Ending | None:
        """How training ended; None while more may come."""
        over = self._closed or self._background.ended
        return self._background.ending(self._recording.step) if over else None

    @property
    def live(self) -> bool:
        """Whether it records."""
        return not self._closed

    @property
    def classes(self) -> list[str]:
        """Names of the network's classes by index; empty without a probe, or if it has none."""
        return [] if self._probe is None else list(self._probe.classes)

    @property
    def pictures(self) -> NDArray[np.uint8] | None:
        """The probe pictures as one sees them, [N, H, W, 1 or 3]; None without a probe."""
        return None if self._probe is None else self._probe.pictures

    @property
    def snapshot_kind(self) -> Kind | None:
        """What the last snapshot holds, see `cnnwidgets.training.snapshots`; None without one."""
        return self._recording.snapshots.kind

    @property
    def idle(self) -> float:
        """Seconds since the last step; 0 before the first, while it is paused and after the end."""
        still = self._closed or self.resting or self.paused or not self._recording.step
        return 0.0 if still else self._recording.pace.idle

    @property
    def total(self) -> int | None:
        """Steps that training will have; None if that is not known. It may be set."""
        return self._total

    @total.setter
    def total(self, steps: int | None) -> None:
        check_total(steps)
        self._total = steps
        self._recording.guard(lambda: self._recording.tell(total=steps))

    @property
    def overhead(self) -> float:
        """The share of the time since the beginning that was spent in the recorder."""
        pace = self._recording.pace
        return pace.spent / max(pace.elapsed, 1e-9)

    def log(self, **scalars: float | Tensor) -> None:
        """Record what only the loop knows, at the step that was last.

        Parameters
        ----------
        scalars
            Numbers by name: ``run.log(val_loss=0.3, accuracy=0.9)``. One that is no number is left
            out, which the log says. ``loss`` is taken in place of what ``backward`` is called on
            if the recorder was made with ``loss=None``.
        """
        if not self._recording.step and not scalars.keys().isdisjoint(self._history.curves):
            self._recording.note("log: no step of an optimizer was seen yet, all is put at step 0")
        numbers: dict[str, float] = {}
        for name, value in scalars.items():
            try:
                numbers[name] = float(value.detach() if isinstance(value, Tensor) else value)
            except (TypeError, ValueError, RuntimeError):  # noqa: PERF203
                self._recording.note(f"log: {name} is no number but {type(value).__name__}")
                _log.warning("run.log: %s is no number but %s", name, type(value).__name__)
        self._recording.guard(lambda: self._recording.log(numbers))

    def close(self) -> None:
        """Let go of the model, its optimizers and torch. What was recorded stays."""
        if self._closed:
            return
        if self.running:
            self.stop()
            self._background.wait()
        recording = self._recording
        recording.guard(self._watch.finish)
        self._watch.detach()
        self._ended()
        recording.guard(recording.flush)
        recording.close()
        self._closed = True
        _at_work.discard(self)

    def _starts(self) -> None:
        self._recording.pace.start()

    def _guard(self, work: Callable[[], None]) -> None:
        """Guard what hooks do; by it the model holds its recorder, while torch holds none."""
        self._recording.guard(work)

    def _attach(self) -> None:
        recording = self._recording
        if not recording.ranks.recording:
            recording.note("this is not the first process: it records nothing")
            return
        if type(self._given).__name__ == "OptimizedModule":
            recording.note("the model is compiled: what its layers put out is not seen")
        for other in recorders_of(self._bare):
            recording.note(
                f"the model is recorded by {other.name!r} as well, each takes its own share of the "
                "time: close() ends one"
            )
        _at_work.add(self)
        if recording.snapshots.due(0):
            recording.guard(lambda: recording.snapshot(self._bare, []))
        recording.guard(lambda: self._watch.attach(self._given))
        recording.guard(self._watch.arm)

    def _stepped(self, step: Step) -> None:
        """Take in a step; called by whoever trains."""
        recording = self._recording
        recording.scalars(step.scalars, step.samples)
        if step.measured is not None:
            recording.full(step.measured)
            if recording.takes_snapshot():
                recording.snapshot(self._bare, self._watch.optimizers.all())
        self._watch.thrifty = recording.pace.over
        if recording.arms():
            self._watch.arm()

    def _between(self) -> None:
        """Change the rate, wait, or end; called by whoever trains, between two steps."""
        recording = self._recording
        if recording.error is not None and recording.ranks.gathering:
            recording.stand_in()
        self._set_rate(self._watch.optimizers)
        if self._background.between_steps():
            recording.pace.pause()

    def _ended(self) -> None:
        """Keep the weights of the end."""
        recording = self._recording
        taken = recording.snapshots.steps
        if taken and taken[-1] != recording.step:
            recording.guard(lambda: recording.snapshot(self._bare, self._watch.optimizers.all()))
        recording.end(self._background.ending(recording.step))

    def _sync(self) -> None:
        if not self._closed:
            self._recording.guard(self._recording.flush)

    def _snapshot_steps(self) -> list[int]:
        return self._recording.snapshots.steps

    def _snapshot(self, step: int) -> Snapshot:
        return self._recording.snapshots.get(step)


def recorders_of(model: nn.Module | Network) -> list[Recorder]:
    """Return the recorders that are at work on a model."""
    bare = unwrap(model.model if isinstance(model, Network) else model)
    return [one for one in _at_work if one.model is bare]
