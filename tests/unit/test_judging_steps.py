"""Curves tell how far they are, and end when they are told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from cnnwidgets.attribution import deletion_curve, insertion_curve
from tests.small import noise

if TYPE_CHECKING:
    from cnnwidgets.network import Network


@pytest.mark.parametrize("curve", [deletion_curve, insertion_curve])
def test_curves_tell_their_steps_and_can_be_ended(curve: Any, net: Network) -> None:
    told: list[tuple[int, int]] = []
    ranked = torch.rand(16, 16)
    whole = curve(net, noise(0), ranked, steps=10, batch=4)

    def step(done: int, total: int) -> None:
        told.append((done, total))

    again = curve(net, noise(0), ranked, steps=10, batch=4, step=step)
    assert told == [(4, 11), (8, 11), (11, 11)]
    torch.testing.assert_close(again.scores, whole.scores)

    def stop(_done: int, _total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        curve(net, noise(0), ranked, step=stop)
