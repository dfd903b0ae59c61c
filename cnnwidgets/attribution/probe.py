"""One patch that is moved by hand: what the network says with it, fast enough to drag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.asked import covering, whole_pixels
from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.network import Network, as_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from torch import Tensor, nn

    from cnnwidgets.attribution.fills import Fill
    from cnnwidgets.images import Picture


class OcclusionProbe:
    """Answers what a network says of a picture with one patch on it.

    Parameters
    ----------
    net
        A `cnnwidgets.Network` or a bare module; it is not changed. When its weights change, the
        next answer is of the new ones.
    image
        As for `Network.prepare`.
    score
        For a network that is no classifier, as for `cnnwidgets.occlusion`.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> probe = cw.OcclusionProbe(net, images[0])
    >>> probe.at(10, 10, window=8).softmax(0).argmax()
    tensor(9)
    """

    def __init__(
        self,
        net: Network | nn.Module,
        image: Picture,
        *,
        score: Callable[[Any], Tensor] | None = None,
    ) -> None:
        self._net = as_network(net, image)
        self._x = self._net.prepare(image)
        self._score = score
        self._fills: dict[object, Tensor] = {}
        self._passes = PatchedPasses(self._net, self._x, score)

    @property
    def logits(self) -> Tensor:
        """[K], without a patch."""
        return self._present().logits

    @property
    def method(self) -> str:
        """``"incremental"``, or ``"full"`` where only whole passes are possible."""
        return "incremental" if self.reason is None else "full"

    @property
    def reason(self) -> str | None:
        """Why only whole passes are possible; None if incremental ones are."""
        return self._passes.reason

    def at(
        self,
        row: int,
        column: int,
        window: int | tuple[int, int] = 32,
        fill: Fill = "mean",
    ) -> Tensor:
        """Return the logits [K] with a patch.

        Parameters
        ----------
        row, column
            Its first pixel. What is over the edge is cut off.
        window
            Its size in pixels of the network's input, one number or (rows, columns).
        fill
            What it shows, as for `cnnwidgets.occlusion`.

        Raises
        ------
        ValueError
            If it covers nothing of the picture, or an argument makes no sense.
        """
        passes = self._present()
        extent = whole_pixels("window", window, passes.size)
        covering("row, column", row, column, extent, passes.size)
        patched = passes.patched(self._filled(fill), [row], [column], extent)
        run = passes.incremental if passes.reason is None else passes.full
        return run(patched)[0]

    def _present(self) -> PatchedPasses:
        """Return the passes of the network as it is now."""
        if self._passes.outdated:
            self._passes = PatchedPasses(self._net, self._x, self._score)
        return self._passes

    def _filled(self, fill: Fill) -> Tensor:
        """Make what the patch shows, once for each fill that has a name."""
        if isinstance(fill, torch.Tensor):
            return filled(self._net, self._x, fill)
        if fill not in self._fills:
            self._fills[fill] = filled(self._net, self._x, fill)
        return self._fills[fill]
