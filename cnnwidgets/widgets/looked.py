"""A picture that a network was shown, looked at again once its weights have changed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from cnnwidgets.widgets.pictures import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from torch import Tensor

    from cnnwidgets.network import Network


class Looked:
    """A network and a picture, as its weights are now.

    Parameters
    ----------
    net
        The network.
    shown
        The picture.
    score
        From what the network returns to the numbers that are followed, for one that is no
        classifier.

    Attributes
    ----------
    shown
        The picture; it has another key after every change of the weights.
    bare
        [K], what the network says of it.
    """

    bare: Tensor

    def __init__(
        self, net: Network, shown: Shown, score: Callable[[Any], Tensor] | None = None
    ) -> None:
        self._net = net
        self._lock = threading.RLock()
        self.score = score
        self.shown = shown
        self._version = self._now()
        self._look()

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the picture."""
        return self.shown.x.shape[2], self.shown.x.shape[3]

    @property
    def changed(self) -> bool:
        """Whether the weights are no longer those that were looked at."""
        return self._now() != self._version

    def name(self, index: int) -> str:
        """Return the name of a class, or of a number that `score` returns."""
        if self.score is None:
            return self._net.class_name(index)
        return "score" if len(self.bare) == 1 else f"score {index}"

    def renew(self) -> bool:
        """Look again if the weights have changed; return whether they had."""
        with self._lock:
            version = self._now()
            if version == self._version:
                return False
            self.shown = Shown(self.shown.x, self.shown.name)
            self._look()
            self._version = version
            return True

    def _look(self) -> None:
        """Find `bare`, and forget what was found with other weights."""
        raise NotImplementedError

    def _now(self) -> Hashable:
        return self._net.graph, self._net.weights_version()
