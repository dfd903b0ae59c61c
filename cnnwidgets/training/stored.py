"""Reading a run from its directory, also while another process writes it."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnwidgets.training.background import Ending
from cnnwidgets.training.bins import BINS
from cnnwidgets.training.findings import Finding
from cnnwidgets.training.history import History
from cnnwidgets.training.processes import Process
from cnnwidgets.training.run import Run
from cnnwidgets.training.shelves import Files
from cnnwidgets.training.storage import FILE, FORMAT, SNAPSHOTS
from cnnwidgets.training.table import FIELDS, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import nn

    from cnnwidgets.training.snapshots import Kind, Snapshot

RECENT = 30.0
"""Seconds after which a run to which nothing is written is no longer taken to go on, where it
cannot be known whether its process is there."""


def load_run(directory: str | os.PathLike[str], model: nn.Module | None = None) -> Run:
    """Read a run that a `cnnwidgets.Recorder` stored in a directory.

    The run may be going on, in this process or in another one: each look at it shows what has been
    written by then. What a process wrote before it was killed is there, too.

    Parameters
    ----------
    directory
        The directory that was given to the recorder.
    model
        A model of the class that was trained, for `Run.model_at`. It is not changed.

    Raises
    ------
    FileNotFoundError
        If there is no run in the directory.
    TypeError
        If it is no path.
    ValueError
        If it is damaged, or of a newer version of cnnwidgets.
    """
    if not isinstance(directory, (str, os.PathLike)):
        raise TypeError(f"directory: the path of a run's directory, not {type(directory).__name__}")
    return StoredRun(Path(directory), model)


class StoredRun(Run):
    """A run that is read from a directory; see `load_run`."""

    def __init__(self, directory: Path, model: nn.Module | None) -> None:
        path = directory / FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"directory: there is no run in {str(directory)!r}, which would have a {FILE}"
            )
        self.directory = directory
        self._path, self._log = path, path.with_name(f"{FILE}-wal")
        self._lock = threading.RLock()
        self._files = Files(directory / SNAPSHOTS)
        self._seen = dict.fromkeys(("points", "tables", "findings", "notes"), 0)
        self._generation = "0"
        self._ending: Ending | None = None
        self._process: Process | None = None
        self._total: int | None = None
        self._database = self._opened()
        with self._reading():
            about = dict(self._read("SELECT key, value FROM about"))
            name = str(json.loads(about.get("name", '"run"')))
            self._model_name = str(json.loads(about.get("model", '""')))
            if "process" in about:
                host, pid, born = json.loads(about["process"])
                self._process = Process(tuple(host), int(pid), str(born))
        super().__init__(name, History(), model)

    @property
    def model_name(self) -> str:
        """The class of the model; empty where that is not known."""
        return self._model_name

    @property
    def live(self) -> bool:
        """Whether more may come: its end is not known, and its process is there.

        A process on another machine counts as there for half a minute after it wrote something.
        """
        if self._closed or self.ending is not None:
            return False
        alive = self._process.alive if self._process else None
        return self.idle < RECENT if alive is None else alive

    @property
    def process(self) -> Process | None:
        """The process that records, or did; None if an earlier version wrote the run."""
        return self._process

    @property
    def idle(self) -> float:
        """Seconds since it was last written to."""
        newest = 0.0
        for path in (self._path, self._log):
            with suppress(OSError):
                newest = max(newest, path.stat().st_mtime)
        return max(0.0, time.time() - newest)

    @property
    def total(self) -> int | None:
        """Steps that training will have; None if that is not known."""
        self._sync()
        return self._total

    @property
    def ending(self) -> Ending | None:
        """How training ended; None if more may come, or its process was killed."""
        self._sync()
        ending = self._ending
        return None if ending is None or ending.step < self.last_step else ending

    @property
    def classes(self) -> list[str]:
        """Names of the network's classes by index; empty without a probe, or if it has none."""
        return self._files.kept()[1]

    @property
    def pictures(self) -> NDArray[np.uint8] | None:
        """The probe pictures as one sees them, [N, H, W, 1 or 3]; None without a probe."""
        return self._files.kept()[0]

    @property
    def snapshot_kind(self) -> Kind | None:
        """What the last snapshot holds, see `cnnwidgets.training.snapshots`; None without one."""
        steps = self._files.steps
        return self._files.kind(steps[-1]) if steps else None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._sync()
            self._database.close()
            self._closed = True

    def _opened(self) -> sqlite3.Connection:
        try:
            # Read-only also where the log beside it cannot be written: then it is a finished run.
            for how in ("mode=ro", "mode=ro&immutable=1"):
                database = sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?{how}",
                    uri=True,
                    check_same_thread=False,
                    isolation_level=None,
                )
                try:
                    version = database.execute("PRAGMA user_version").fetchone()[0]
                    break
                except sqlite3.OperationalError:
                    database.close()
                    if how != "mode=ro":
                        raise
        except sqlite3.Error as error:
            raise ValueError(f"directory: {str(self._path)!r} is damaged: {error}") from error
        if version != FORMAT:
            database.close()
            raise ValueError(f"directory: {str(self._path)!r} {_why_not(version)}")
        return database

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Say that the file is damaged if what is read of it makes no sense."""
        try:
            yield
        except (sqlite3.Error, TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise ValueError(f"directory: {str(self._path)!r} is damaged: {error}") from error

    def _read(self, command: str, *values: object) -> list[Any]:
        return self._database.execute(command, values).fetchall()

    def _sync(self) -> None:
        """Read what was written since the last time."""
        with self._lock:
            if self._closed:
                return
            with self._reading():
                self._read("BEGIN")
                try:
                    self._catch_up()
                finally:
                    self._read("COMMIT")

    def _catch_up(self) -> None:
        history = self._history
        about = dict(self._read("SELECT key, value FROM about"))
        generation = about.get("generation", "0")
        if "ended" in about:
            self._ending = Ending(*json.loads(about["ended"]))
        self._total = json.loads(about.get("total", "null"))
        if generation != self._generation:
            history.clear()
            self._generation = generation
            self._seen |= {"points": 0, "tables": 0}
        for name, step, seconds, value, count in self._new(
            "points", "name, step, seconds, value, count"
        ):
            history.add_scalar(name, step, seconds, np.nan if value is None else value, count)
        keys = [
            (layer, of)
            for layer, of in self._read("SELECT layer, quantity FROM keys ORDER BY place")
        ]
        for step, seconds, count, numbers, shares in self._new(
            "tables", "step, seconds, count, numbers, shares"
        ):
            fields = np.frombuffer(numbers, np.float32).reshape(-1, len(FIELDS))
            bins = np.frombuffer(shares, np.float16).reshape(-1, BINS)
            values = np.concatenate([fields, bins], 1)
            history.add_table(step, seconds, Table(tuple(keys[: len(values)]), values), count)
        history.findings += [
            Finding(**json.loads(one)) for (one,) in self._new("findings", "finding")
        ]
        history.notes += [note for (note,) in self._new("notes", "note")]

    def _new(self, table: str, columns: str) -> list[Any]:
        """Read the rows of a table that were not read before."""
        command = f"SELECT id, {columns} FROM {table} WHERE id > ? ORDER BY id"  # noqa: S608 - no names of others
        rows = self._read(command, self._seen[table])
        if rows:
            self._seen[table] = rows[-1][0]
        return [row[1:] for row in rows]

    def _snapshot_steps(self) -> list[int]:
        return self._files.steps

    def _snapshot(self, step: int) -> Snapshot:
        return self._files.get(step)

    def _outline(self, step: int) -> Snapshot:
        return self._files.outline(step)


def _why_not(version: int) -> str:
    """Say why a run of another format cannot be read."""
    if not version:
        return "was not written to the end"
    remedy = "pip install --upgrade cnnwidgets" if version > FORMAT else "record it again"
    return f"has format {version}, this version of cnnwidgets reads {FORMAT}: {remedy}"
