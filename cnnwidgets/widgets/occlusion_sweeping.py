"""A sweep in the background, a few batches at a time, so that other requests come between."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.widgets.occlusion_probing import TOP, finite
from cnnwidgets.widgets.wire import pack
from cnnwidgets.widgets.worker import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnwidgets.attribution.occlusion_map import OcclusionMap
    from cnnwidgets.widgets.occlusion_probing import Probing
    from cnnwidgets.widgets.worker import Worker

TURN = 0.05
"""Seconds after which other requests get their turn."""
SNAPSHOT_BYTES = 4_000_000
"""Of all scores that the browser is sent; fewer classes, if the grid is large."""
RIVALS = 3
"""Classes, besides the likeliest of the bare picture, that win with the patch somewhere."""


class Sweeping:
    """Runs a sweep on a network's worker.

    Parameters
    ----------
    worker
        The worker.
    maps
        The sweep: the map after each batch.
    told
        Called after each batch; what it raises ends the sweep.
    over
        Called once, when it is over.

    Attributes
    ----------
    map
        The last map; None before the first.
    whole
        Whether every position was tried.
    error
        What it failed with; None if it did not.
    """

    def __init__(
        self,
        worker: Worker,
        maps: Iterator[OcclusionMap],
        told: Callable[[Sweeping, OcclusionMap], None],
        over: Callable[[Sweeping], None],
    ) -> None:
        self._worker = worker
        self._maps = maps
        self._told = told
        self._over = over
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._thread = 0
        self.map: OcclusionMap | None = None
        self.whole = False
        self.error: BaseException | None = None
        self.started = time.monotonic()

    def start(self) -> None:
        """Queue the next turn."""
        self._worker.submit(Job(run=self._turn, cancelled=lambda: None))

    def stop(self) -> None:
        """Let it end after the batch that is running."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over, unless it waits for us; return whether it is."""
        ours = threading.get_ident() == self._thread
        return self._ended.wait(0 if ours else timeout)

    def _turn(self, _job: Job) -> None:
        self._thread = threading.get_ident()
        until = time.monotonic() + TURN
        try:
            while not self._stop.is_set():
                found = next(self._maps, None)
                if found is None:
                    self.whole = True
                    break
                self._told(self, found)
                self.map = found
                if time.monotonic() > until:
                    self.start()
                    return
        except BaseException as error:  # noqa: BLE001 - it is shown where the user looks
            self.error = error
        try:
            self._over(self)
        finally:
            self._ended.set()


def snapshot(found: OcclusionMap, target: int, probing: Probing) -> tuple[dict[str, Any], bytes]:
    """Return what the browser needs to show a sweep without the kernel.

    Parameters
    ----------
    found
        The sweep so far.
    target
        A class that must be in it.
    probing
        What it is a sweep of.

    Returns
    -------
    value : dict
        ``rows`` and ``columns`` of the patches, how many are ``done``, ``classes`` with the
        measures without the patch and, as ``bare``, without those kept beside it either, and
        how the sweep was computed.
    scores : bytes
        Packed [2, classes, rows, columns]: logit and log-odds, of which the probability follows.
    """
    room = max(1, SNAPSHOT_BYTES // (8 * len(found.grid.rows) * len(found.grid.columns)))
    classes = _classes(found, target)[:room]
    bare = replace(found, base=probing.bare)
    scores = torch.stack(
        [
            torch.stack([found.following(index, measure).scores for index in classes])
            for measure in ("logit", "log-odds")
        ]
    )
    value = {
        "window": found.grid.window[0],
        "rows": list(found.grid.rows),
        "columns": list(found.grid.columns),
        "done": int(found.known.sum()),
        "classes": [
            {
                "index": index,
                "name": probing.name(index),
                **_measures(found, index),
                "bare": _measures(bare, index),
            }
            for index in classes
        ],
        "method": found.method,
        "reason": found.reason,
        "share": finite(found.operations / max(1, found.full_operations)),
    }
    return value, pack(scores, "float32")


def _measures(found: OcclusionMap, index: int) -> dict[str, float | None]:
    logit, odds = (found.following(index, name).baseline for name in ("logit", "log-odds"))
    return {"logit": finite(logit), "log_odds": finite(odds)}


def _classes(found: OcclusionMap, target: int) -> list[int]:
    best = found.base.argsort(descending=True, stable=True)[:TOP].tolist()
    wins = found.logits[found.known].argmax(-1).bincount(minlength=len(found.base))
    rivals = wins.argsort(descending=True, stable=True)[: RIVALS + TOP].tolist()
    rivals = [index for index in rivals if wins[index] and index not in best][:RIVALS]
    return list(dict.fromkeys([target, *best, *rivals]))
