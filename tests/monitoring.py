"""What tests of the training monitor share: runs, and a page that holds what it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import cnnwidgets as cw
from cnnwidgets.training.bins import BINS
from cnnwidgets.training.table import FIELDS
from tests.training import batch, small, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cnnwidgets.training.run import Run
    from tests.kernel import Message

NAMES = ["top left", "<b>top</b> right", "bottom $left$", "bottom right"]


def recorded(steps: int = 6, rate: float = 0.05, **keywords: Any) -> cw.Recorder:
    """A run that is over, of a network for the pictures of `tests.training`, with three of them."""
    model = small()
    net = cw.Network(model, classes=NAMES, input_size=(1, 10, 10))
    given: dict[str, Any] = {"every": 1, "probe": batch(99, 3)[0], **keywords}
    with cw.Recorder(net, **given) as run:
        train(model, torch.optim.SGD(model.parameters(), rate, momentum=0.9), steps)
    return run


class Held:
    """What a page holds of one run, by the rules that it was told."""

    def __init__(self) -> None:
        self.seq = -1
        self.curves: dict[str, NDArray[Any]] = {}
        self.rows = np.empty((2, 0))
        self.fields: NDArray[Any] = np.empty((0, 0, 8))
        self.codes: NDArray[Any] = np.empty((0, 0, BINS))

    def begin(self, reply: Message) -> Held:
        """Take everything."""
        value = reply.value
        curves = [{**curve, "from": 0} for curve in value["curves"]]
        return self._take({**value, "reset": True, "curves": curves, "rows_from": 0}, reply.tensors)

    def hear(self, value: dict[str, Any], tensors: Sequence[NDArray[Any]]) -> bool:
        """Take news; whether they continue what is held."""
        if not value["reset"] and value["seq"] <= self.seq:
            return True
        if not value["reset"] and value["seq"] != self.seq + 1:
            return False
        self._take(value, tensors)
        return True

    def _take(self, value: dict[str, Any], tensors: Sequence[NDArray[Any]]) -> Held:
        if value["reset"]:
            self.__init__()  # type: ignore[misc]
        self.seq = value["seq"]
        *points, rows, fields, codes = tensors
        for curve, new in zip(value["curves"], points, strict=True):
            assert new.shape == (3, curve["points"])
            old = self.curves.get(curve["name"], np.empty((3, 0)))
            assert curve["from"] <= old.shape[1], "a gap"
            self.curves[curve["name"]] = np.concatenate([old[:, : curve["from"]], new], 1)
        first = value["rows_from"]
        assert first <= self.rows.shape[1], "a gap"
        empty = self.fields.shape[1] != fields.shape[1]
        assert not (empty and first), "other layers, and no reset"
        self.rows = np.concatenate([self.rows[:, :first], rows], 1)
        self.fields = fields if empty else np.concatenate([self.fields[:first], fields])
        self.codes = codes if empty else np.concatenate([self.codes[:first], codes])
        return self

    def same_as(self, run: Run, keys: Sequence[Sequence[str]]) -> None:
        """Compare with what the run itself says."""
        assert self.curves.keys() == run.scalars.keys()
        for name, curve in run.scalars.items():
            told = np.stack([curve.steps, curve.values, curve.seconds])
            np.testing.assert_allclose(self.curves[name], told, rtol=1e-6)
        np.testing.assert_allclose(self.rows, np.stack([run.steps, run.seconds]), rtol=1e-6)
        for i, (layer, quantity) in enumerate(keys):
            found = run.statistics(layer, quantity)
            for j, field in enumerate(FIELDS):
                np.testing.assert_array_equal(self.fields[:, i, j], getattr(found, field))
            shares = run.histograms(layer, quantity).shares
            codes = self.codes[:, i].astype(float)
            np.testing.assert_array_equal(codes == 255, np.isnan(shares))
            np.testing.assert_allclose(
                np.where(codes == 255, np.nan, codes) / 254, np.sqrt(shares), atol=0.5001 / 254
            )
