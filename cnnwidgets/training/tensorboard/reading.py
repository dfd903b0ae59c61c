"""Reading event files of TensorBoard as a run."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnwidgets.training.bins import EDGES
from cnnwidgets.training.diagnosis import Diagnosis
from cnnwidgets.training.history import History
from cnnwidgets.training.run import Run
from cnnwidgets.training.table import FIELDS, WIDTH, Key, Table
from cnnwidgets.training.tensorboard import records
from cnnwidgets.training.tensorboard.events import Counted, Event, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PATTERN = "*tfevents*"

_LOSSES = {"loss", "train/loss", "loss/train", "train_loss", "training_loss"}
_IMAGES_KEPT = 64


def load_tensorboard(logdir: str | os.PathLike[str]) -> Run:
    """Read a run from event files, such as those of ``torch.utils.tensorboard.SummaryWriter``.

    TensorBoard need not be installed. A file that is torn at its end, because it is still being
    written or its writer was killed, is read up to there.

    Parameters
    ----------
    logdir
        The folder of one run: event files are in it, or in the only folder in it that has any.

    Returns
    -------
    Run
        Scalars are `Run.scalars` by their tags. A histogram of the tag ``conv1/gradients`` is of
        the layer ``conv1`` and the quantity ``gradients``; its counts are shared out among the
        bins of `Run.histograms`. Images are in ``images``: tag → [(step, bytes of the file), …],
        at most 64 of each tag, evenly spread. `Run.findings` are those that scalars show.

    Raises
    ------
    FileNotFoundError
        If there are no event files.
    ValueError
        If there are several runs.
    TypeError
        If it is no path.
    """
    if not isinstance(logdir, (str, os.PathLike)):
        raise TypeError(f"logdir: the path of a folder, not {type(logdir).__name__}")
    folder = _folder(Path(logdir))
    files = sorted(path for path in folder.glob(PATTERN) if path.is_file())
    run = TensorBoardRun(folder.name, History())
    run.read(event for path in files for event in _events(path))
    return run


class TensorBoardRun(Run):
    """A run that was read from event files; see `load_tensorboard`.

    Attributes
    ----------
    images
        Tag → (step, bytes of a PNG or other image file) of each picture, in order.
    """

    images: dict[str, list[tuple[int, bytes]]]

    @property
    def last_step(self) -> int:
        """The last step that is known of; 0 before the first."""
        logged = [pictures[-1][0] for pictures in self.images.values()]
        return max([super().last_step, *logged])

    def read(self, events: Iterator[Event]) -> None:
        """Take in events."""
        self.images = {}
        diagnosis, began = Diagnosis(), None
        tables: defaultdict[int, dict[Key, NDArray[np.float32]]] = defaultdict(dict)
        times: dict[int, float] = {}
        for step, wall_time, tag, value in events:
            began = wall_time if began is None else began
            if isinstance(value, Counted):
                tables[step][_key(tag)] = _row(value)
                times[step] = wall_time - began
            elif isinstance(value, bytes):
                self.images.setdefault(tag, []).append((step, value))
            else:
                self._history.add_scalar(tag, step, wall_time - began, value)
                name = "loss" if tag.lower() in _LOSSES else tag
                self._history.findings += diagnosis.scalars(step, {name: value})
        for step in sorted(tables):
            rows = tables[step]
            table = Table(tuple(rows), np.stack(list(rows.values())))
            self._history.add_table(step, times[step], table)
        for tag, pictures in self.images.items():
            self.images[tag] = pictures[:: -(-len(pictures) // _IMAGES_KEPT)]


def _folder(logdir: Path) -> Path:
    """Return the folder of event files, which is the given one or the only one in it."""
    folders = sorted({path.parent for path in logdir.rglob(PATTERN) if path.is_file()})
    if logdir in folders:
        return logdir
    if not folders:
        raise FileNotFoundError(f"logdir: there are no event files in {str(logdir)!r}")
    if len(folders) > 1:
        names = ", ".join(repr(str(one.relative_to(logdir))) for one in folders[:8])
        raise ValueError(f"logdir: {str(logdir)!r} has several runs, give one of them: {names}")
    return folders[0]


def _events(path: Path) -> Iterator[Event]:
    plugins: dict[str, str] = {}
    with path.open("rb") as file:
        for record in records.read(file):
            try:
                yield from events_of(record, plugins)
            except ValueError:  # noqa: PERF203 - a damaged record: what follows may still be whole
                continue


def _key(tag: str) -> Key:
    layer, slash, quantity = tag.rpartition("/")
    return (layer, quantity) if slash else (tag, "values")


def _row(counted: Counted) -> NDArray[np.float32]:
    """Share the counts out among our bins, evenly within each of theirs."""
    row = np.full(WIDTH, np.nan, np.float32)
    with np.errstate(all="ignore"):  # who knows what the file holds
        total = np.maximum(counted.counts.sum(), 1e-300)
        cumulated = (np.append(0, counted.counts.cumsum()) / total).clip(0, 1)  # but for rounding
        places = np.interp(EDGES, counted.edges, cumulated, left=0, right=1)
        places[0], places[-1] = 0, 1  # what is beyond them is in the outermost
        row[len(FIELDS) :] = np.diff(places)
        square, mean = np.float64(counted.square), np.float64(counted.mean)
        numbers = np.sqrt(square * total), mean, np.sqrt(np.maximum(square - mean**2, 0))
        row[[FIELDS.index(field) for field in ("norm", "mean", "std")]] = numbers
    return row
