"""What the browser is told of a sweep: scores that are measured once, as the places come in."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.widgets.occlusion_probing import TOP, finite
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.attribution.occlusion_map import OcclusionMap
    from cnnwidgets.widgets.occlusion_probing import Probing

SNAPSHOT_BYTES = 4_000_000
"""Of all scores that the browser is sent; fewer classes, if the grid is large."""
RIVALS = 3
"""Classes, besides the likeliest of the bare picture, that win with the patch somewhere."""
_MEASURES = ("logit", "log-odds")


class Tally:
    """The scores of one sweep, by class.

    A thousand classes at forty thousand places take seconds to measure: each place is measured
    once, when it is new.

    Parameters
    ----------
    probing
        What it is a sweep of.
    """

    def __init__(self, probing: Probing) -> None:
        self._name, self._bare = probing.name, probing.bare
        self._lock = threading.Lock()
        self._scores: dict[int, tuple[Tensor, Tensor]] = {}
        self._wins: tuple[Tensor, Tensor] | None = None

    def snapshot(self, found: OcclusionMap, target: int) -> tuple[dict[str, Any], bytes]:
        """Return what the browser needs to show a sweep without the kernel.

        Parameters
        ----------
        found
            The sweep so far.
        target
            A class that must be in it.

        Returns
        -------
        value : dict
            ``rows`` and ``columns`` of the patches, how many are ``done``, ``classes`` with the
            measures without the patch and, as ``bare``, without those kept beside it either, and
            how the sweep was computed.
        scores : bytes
            Packed [2, classes, rows, columns]: logit and log-odds, of which the probability
            follows.
        """
        grid = found.grid
        room = max(1, SNAPSHOT_BYTES // (8 * len(grid.rows) * len(grid.columns)))
        with self._lock:
            classes = self._classes(found, target)[:room]
            scores = torch.stack([self._of(found, index) for index in classes], 1)
        value = {
            "window": grid.window[0],
            "rows": list(grid.rows),
            "columns": list(grid.columns),
            "done": int(found.known.sum()),
            "classes": [self._told(found, index) for index in classes],
            "method": found.method,
            "reason": found.reason,
            "share": finite(found.operations / max(1, found.full_operations)),
        }
        return value, pack(scores, "float32")

    def _of(self, found: OcclusionMap, index: int) -> Tensor:
        """Return a class's measures [2, rows, columns], NaN where nothing was tried."""
        if index not in self._scores:
            plane = torch.full((len(_MEASURES), *found.known.shape), torch.nan)
            self._scores[index] = plane, torch.zeros_like(found.known)
        plane, measured = self._scores[index]
        new = _fresh(found, measured)
        for at, measure in enumerate(_MEASURES):
            plane[at, found.known & ~measured] = new.following(index, measure).scores.float()
        self._scores[index] = plane, found.known
        return plane

    def _classes(self, found: OcclusionMap, target: int) -> list[int]:
        if self._wins is None:
            self._wins = torch.zeros(len(found.base), dtype=torch.long), found.known & False
        wins, counted = self._wins
        winners = _fresh(found, counted).logits.argmax(-1)
        wins = wins + winners.bincount(minlength=len(wins))
        self._wins = wins, found.known
        best = self._bare.argsort(descending=True, stable=True)[:TOP].tolist()
        rivals = wins.argsort(descending=True, stable=True)[: RIVALS + TOP].tolist()
        rivals = [index for index in rivals if wins[index] and index not in best][:RIVALS]
        return list(dict.fromkeys([target, *best, *rivals]))

    def _told(self, found: OcclusionMap, index: int) -> dict[str, Any]:
        bare = replace(found, base=self._bare)
        measures = {"index": index, "name": self._name(index), **_baselines(found, index)}
        return {**measures, "bare": _baselines(bare, index)}


def _fresh(found: OcclusionMap, old: Tensor) -> OcclusionMap:
    """Return the places [P] of a sweep that are known by now."""
    new = found.known & ~old
    return replace(found, logits=found.logits[new], known=found.known[new])


def _baselines(found: OcclusionMap, index: int) -> dict[str, float | None]:
    logit, odds = (found.following(index, name).baseline for name in _MEASURES)
    return {"logit": finite(logit), "log_odds": finite(odds)}
