"""The picture that a saliency viewer explains, and what the network says of it now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cnnwidgets.attribution.measures import MEASURES
from cnnwidgets.attribution.randomisation import randomised
from cnnwidgets.attribution.score import Score
from cnnwidgets.classes import first_output, scores
from cnnwidgets.widgets.looked import Looked

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.network import Network

TOP = 5
"""Likeliest classes that are offered first."""
_WINDOWS = 7  # of them cover a side


class Subject(Looked):
    """A picture and the scores of its classes, `bare`.

    Attributes
    ----------
    words
        Measure → what it is called: outputs that are probabilities already are no logits.
    """

    _random: Network | None

    @property
    def predicted(self) -> int:
        """The likeliest class."""
        return int(self.bare.argmax())

    def defaults(self, window: object = None) -> dict[str, Any]:
        """Return where a viewer begins, given the edge of occlusion's patch if one is."""
        least = min(self.size)
        edge = window if isinstance(window, int) else max(1, round(least / _WINDOWS))
        return {
            "window": edge,
            "stride": max(1, edge // 2),
            "target": self.predicted,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return the likeliest classes: ``index``, ``name``, ``probability`` (None: not finite)."""
        best = self.bare.argsort(descending=True, stable=True)[:TOP].tolist()
        if len(self.bare) == 1:
            return [{"index": 0, "name": self.name(0), "probability": None}]
        return [
            {"index": index, "name": self.name(index), "probability": self._probability(index)}
            for index in best
        ]

    def network(self, *, random: bool) -> Network:
        """Return the network, or one of the same form that has learnt nothing."""
        if not random:
            return self._net
        with self._lock:
            if self._random is None:
                self._random = randomised(self._net)
            return self._random

    def _look(self) -> None:
        self._output = self._net.output(self.shown.x)
        if self.score is not None:  # it says what is wrong with what the function returns
            Score(self._net, 0, "logit", self.score).of(self._output)
        self.bare = self._scores()
        self.words = self._words()
        self._random = None

    def _words(self) -> dict[str, str]:
        if self.score is not None:
            return dict.fromkeys(MEASURES, "score")
        words = {name: name for name in MEASURES}
        if self._probability(self.predicted) == float(self.bare.max()):
            words["logit"] = "output (a probability already)"
        return words

    def _scores(self) -> Tensor:
        given = self._output if self.score is None else self.score(self._output)
        return scores(first_output(given))[0].detach().float().cpu()

    def _probability(self, index: int) -> float | None:
        found = Score(self._net, index, "probability", self.score).of(self._output)
        return float(found) if math.isfinite(found) else None
