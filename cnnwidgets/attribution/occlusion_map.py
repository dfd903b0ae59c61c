"""What a sweep found: a score for each place of the patch, and the same for each pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.grid import Grid
from cnnwidgets.attribution.measures import measured

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.attribution.grid import Layout


@dataclass(frozen=True, eq=False, repr=False)
class OcclusionMap:
    """What a network says of a picture with a patch at each of some places.

    The places are a grid [rows, columns], or those that were asked for, [P].

    Attributes
    ----------
    logits
        [places…, K], with the patch there. The maps of one sweep share this tensor while it fills:
        only where `known` is true does it belong to this map.
    known
        [places…]: which were tried.
    base
        [K], the logits without a patch.
    layout
        Where the patches stood.
    shape
        (C, H, W) of the picture.
    target
        Index of the class that is followed.
    measure
        ``"probability"``, ``"logit"`` or ``"log-odds"`` of it.
    activation
        What makes probabilities of the logits: ``"softmax"``, ``"sigmoid"`` or ``"none"``.
    method
        ``"incremental"`` or ``"full"``: exact; or ``"draft"``.
    reason
        Why it is not the method that was asked for; None if it is.
    operations, full_operations
        Multiply-adds of convolutions and dense layers that were computed, and that full
        passes would have needed; 0 where only full passes were possible.
    exact
        [places…, K], of a draft: the exact logits at some places, NaN at the others. None where
        all are exact.
    """

    logits: Tensor
    known: Tensor
    base: Tensor
    layout: Layout
    shape: tuple[int, int, int]
    target: int
    measure: str
    activation: str
    method: str
    reason: str | None
    operations: int
    full_operations: int
    exact: Tensor | None = None

    def __repr__(self) -> str:
        tried = f"{int(self.known.sum())} of {self.known.numel()} places"
        method = self.method if self.exact is None else f"{self.method}, error {self.error:.2g}"
        return f"OcclusionMap({self.measure} of class {self.target}, {tried}, {method})"

    @property
    def grid(self) -> Grid:
        """The rows and columns of the places."""
        if not isinstance(self.layout, Grid):
            raise TypeError("the places of this map were listed: they are no grid")
        return self.layout

    @property
    def scores(self) -> Tensor:
        """[places…]: the measure with the patch there; NaN where it was not tried yet."""
        found = measured(self.logits, self.target, self.measure, self.activation)
        return found.where(self.known, torch.nan)

    @property
    def baseline(self) -> float:
        """The measure without a patch."""
        return float(measured(self.base, self.target, self.measure, self.activation))

    @property
    def error(self) -> float:
        """How far a draft's scores are from the exact ones, at most, where both are known.

        0 for a map that is exact.
        """
        if self.exact is None:
            return 0.0
        exact = measured(self.exact, self.target, self.measure, self.activation)
        apart = (self.scores - exact).abs()
        return float(apart[~apart.isnan()].max())

    @property
    def drop(self) -> Tensor:
        """[places…]: how much lower the measure is with the patch there."""
        return self.baseline - self.scores

    @property
    def positions(self) -> Tensor:
        """[places…, 2]: first row and column of each patch, in pixels."""
        return self.layout.positions

    @property
    def complete(self) -> bool:
        """Whether every place was tried."""
        return bool(self.known.all())

    def following(self, target: int, measure: str | None = None) -> OcclusionMap:
        """Return the same sweep's map of another class or measure; nothing is computed again."""
        return replace(self, target=target, measure=measure or self.measure)

    def attribution(self) -> Tensor:
        """Return what each pixel adds to the measure, [C, H, W], as Captum's `Occlusion` does.

        The mean drop over the patches that covered the pixel; 0 where none did.
        """
        return self._mean(self.drop).nan_to_num(0.0).expand(self.shape)

    def heatmap(self) -> Tensor:
        """Return the mean score of the patches that covered a pixel, [H, W].

        NaN where none did: of these pixels nothing is known.
        """
        return self._mean(self.scores)

    def _mean(self, values: Tensor) -> Tensor:
        height, width = self.shape[1:]
        tops, lefts = self.positions[self.known].unbind(-1)
        bottoms = (tops + self.layout.window[0]).clamp(0, height)
        rights = (lefts + self.layout.window[1]).clamp(0, width)
        tops, lefts = tops.clamp(0, height), lefts.clamp(0, width)
        found = values[self.known].double()
        # A patch adds at its first corner and takes away behind the others; sums along both axes
        # then give each pixel what the patches over it add.
        corners = torch.zeros(2, height + 1, width + 1, dtype=torch.float64)
        for rows, columns, sign in (
            (tops, lefts, 1),
            (tops, rights, -1),
            (bottoms, lefts, -1),
            (bottoms, rights, 1),
        ):
            corners[0].index_put_((rows, columns), sign * found, accumulate=True)
            corners[1].index_put_(
                (rows, columns), torch.tensor(float(sign)).double(), accumulate=True
            )
        total, count = corners.cumsum(1).cumsum(2)[:, :height, :width].unbind()
        return total.div(count).where(count > 0, torch.nan).float()
