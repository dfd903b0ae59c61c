"""A run in a directory, written as it goes: readable while it is, and after it was killed.

``run.sqlite`` holds curves, tables of layer statistics, findings and notes, in write-ahead mode:
a step that was written is there whatever happens to the process after it, and others may read
meanwhile. What is stored is what `History` holds: when it halves a buffer, the rows are written
anew. ``snapshots/`` has the weights.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from cnnwidgets.training.background import Ending
    from cnnwidgets.training.findings import Finding
    from cnnwidgets.training.halving import HalvingBuffer
    from cnnwidgets.training.history import History

FORMAT = 2
FILE = "run.sqlite"
SNAPSHOTS = "snapshots"

_SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
BEGIN;
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE points (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, step INTEGER, seconds REAL,
  value REAL, count INTEGER, UNIQUE (name, step));
CREATE TABLE keys (place INTEGER PRIMARY KEY, layer TEXT, quantity TEXT);
CREATE TABLE tables (id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER UNIQUE, seconds REAL,
  count INTEGER, numbers BLOB, shares BLOB);
CREATE TABLE findings (id INTEGER PRIMARY KEY, finding TEXT);
CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT);
PRAGMA user_version = {FORMAT};
COMMIT;
"""
_POINT = "INSERT OR REPLACE INTO points (name, step, seconds, value, count) VALUES (?, ?, ?, ?, ?)"
_TABLE = (
    "INSERT OR REPLACE INTO tables (step, seconds, count, numbers, shares) VALUES (?, ?, ?, ?, ?)"
)


class Store:
    """Writes a run.

    Parameters
    ----------
    directory
        Where; it may not exist yet. One that holds a run already is left as it is, and its name
        with ``-2``, ``-3`` … is taken.
    about
        What is known of the run at its beginning: numbers, strings and lists.

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def __init__(self, directory: Path, about: dict[str, Any]) -> None:
        self.directory = _free(directory)
        self._lock = threading.RLock()
        self._keys = self._findings = self._notes = 0
        self._points: dict[str, int] = {}  # of each curve
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            path = self.directory / FILE
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise OSError(
                f"directory: {str(directory)!r} cannot be written ({error}); give another one, or "
                "none to record in memory alone"
            ) from error
        self.tell(**about)

    def tell(self, **about: object) -> None:
        """Write what is known of the run as a whole; it takes the place of what was."""
        rows = [(name, json.dumps(value)) for name, value in about.items()]
        with self._lock:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)
            self._database.execute("COMMIT")

    def save(
        self, history: History, curves: dict[str, bool], *, tables: bool | None = None
    ) -> None:
        """Write what has changed, at once or not at all.

        Parameters
        ----------
        history
            Where it is.
        curves
            Names of the curves with a new point → whether they were halved.
        tables
            Whether the tables were halved; None if there is no new one.
        """
        with self._lock, history.lock:
            self._database.execute("BEGIN")
            try:
                for name, halved in curves.items():
                    self._curve(name, history.curves[name], anew=halved)
                if tables is not None:
                    self._tables(history, anew=tables)
                self._remarks(history.findings, history.notes)
            except BaseException:
                if self._database.in_transaction:  # a full disk has ended it already
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def end(self, history: History, ending: Ending) -> None:
        """Write what is left, and how training ended; a run that goes on has later steps."""
        self.save(history, {})
        self.tell(ended=ending)

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            self._database.close()

    def _curve(self, name: str, curve: HalvingBuffer, *, anew: bool) -> None:
        if anew:
            self._database.execute("DELETE FROM points WHERE name = ?", [name])
            self._other_rows()
        first = 0 if anew else max(0, self._points.get(name, 0) - 1)
        self._points[name] = curve.size
        columns = (curve.steps, curve.seconds, curve.rows[:, 0], curve.counts)
        rows = zip(*(column[first:].tolist() for column in columns), strict=True)
        self._database.executemany(_POINT, [(name, *row) for row in rows])

    def _tables(self, history: History, *, anew: bool) -> None:
        new = list(history.keys.items())[self._keys :]
        self._database.executemany(
            "INSERT INTO keys VALUES (?, ?, ?)", [(place, *key) for key, place in new]
        )
        self._keys += len(new)
        tables = history.tables
        if anew:
            self._database.execute("DELETE FROM tables")
            self._other_rows()
        for i in range(0 if anew else tables.size - 1, tables.size):
            when = int(tables.steps[i]), float(tables.seconds[i]), int(tables.counts[i])
            rows = tables.rows[i], history.shares.rows[i]
            self._database.execute(_TABLE, (*when, *(row.tobytes() for row in rows)))

    def _remarks(self, findings: list[Finding], notes: list[str]) -> None:
        new = [(json.dumps(asdict(one)),) for one in findings[self._findings :]]
        self._database.executemany("INSERT INTO findings (finding) VALUES (?)", new)
        self._database.executemany(
            "INSERT INTO notes (note) VALUES (?)", [(note,) for note in notes[self._notes :]]
        )
        self._findings, self._notes = len(findings), len(notes)

    def _other_rows(self) -> None:
        """Tell readers to begin again."""
        self._database.execute(
            "INSERT INTO about VALUES ('generation', '1') "
            "ON CONFLICT (key) DO UPDATE SET value = value + 1"
        )


def _free(directory: Path) -> Path:
    """Return a directory without a run in it: this one, or its name with a number."""
    candidate, number = directory, 2
    while os.path.lexists(candidate / FILE):
        candidate, number = directory.with_name(f"{directory.name}-{number}"), number + 1
    return candidate
