"""A patch that is moved by hand: what the network says with it, fast enough to drag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.asked import covering, whole_pixels
from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.network import Network, as_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from torch import Tensor, nn

    from cnnwidgets.attribution.fills import Fill
    from cnnwidgets.images import Picture

    Box = tuple[int, int, int]
    """A patch: its first row and column, its edge in pixels."""


def occluded(x: Tensor, fill: Tensor, boxes: Iterable[Box]) -> Tensor:
    """Return a picture [1, C, H, W] with patches on it; what is over the edge is cut off."""
    covered = x.clone()
    for row, column, edge in boxes:
        down, across = (slice(max(0, at), max(0, at + edge)) for at in (row, column))
        covered[..., down, across] = fill[..., down, across]
    return covered


class Standing:
    """Patches that stay where they are while another is moved: keeps the passes under them."""

    def __init__(self) -> None:
        self._last: tuple[PatchedPasses, Tensor, tuple[Box, ...], PatchedPasses] | None = None

    def under(
        self, bare: PatchedPasses, x: Tensor, fill: Tensor, boxes: tuple[Box, ...]
    ) -> PatchedPasses:
        """Return the passes over `x` with patches, given those over `x` itself."""
        if not boxes:
            return bare
        last = self._last
        if last is None or last[0] is not bare or last[1] is not fill or last[2] != boxes:
            last = self._last = bare, fill, boxes, bare.over(occluded(x, fill, boxes))
        return last[3]


class OcclusionProbe:
    """Answers what a network says of a picture with a patch on it.

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
        self._standing = Standing()

    @property
    def logits(self) -> Tensor:
        """[K], without a patch."""
        return self._present().logits

    @property
    def method(self) -> str:
        """``"incremental"``, or ``"full"`` where only whole passes are possible.

        A patch that changes nearly everything is passed whole in any case: that is quicker then.
        """
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
        *,
        also: Sequence[Box] = (),
    ) -> Tensor:
        """Return the logits [K] with a patch, and others beside it.

        Parameters
        ----------
        row, column
            Its first pixel. What is over the edge is cut off.
        window
            Its size in pixels of the network's input, one number or (rows, columns).
        fill
            What it shows, as for `cnnwidgets.occlusion`.
        also
            (row, column, window) of other patches that show the same. As long as they stay where
            they are, moving the first costs no more than without them.

        Raises
        ------
        ValueError
            If it covers nothing of the picture, or an argument makes no sense.
        """
        passes = self._present()
        extent = whole_pixels("window", window, passes.size)
        covering("row, column", row, column, extent, passes.size)
        for top, left, edge in also:
            covering("also", top, left, whole_pixels("also", edge, passes.size), passes.size)
        shown = self._filled(fill)
        passes = self._standing.under(passes, self._x, shown, tuple(also))
        return passes.quickest(passes.dragged(shown, row, column, extent))[0]

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
