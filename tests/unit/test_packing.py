"""Weights are laid out for oneDNN no more often than it computes with them differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.attribution.incremental import convolution
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.network import Network
from tests.architectures import vgg16

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, bool]]:
    """Weights as they are laid out, and whether that is for several pictures at once."""
    if not convolution._packs():
        pytest.skip("this torch lays out no weights")
    found: list[tuple[Tensor, bool]] = []
    pack: Callable[..., Tensor] = convolution._pack

    def noted(weight: Tensor, *options: Any) -> Tensor:
        found.append((weight, options[-1][0] > 1))
        return pack(weight, *options)

    monkeypatch.setattr(convolution, "_pack", noted)
    return found


def test_each_weight_is_packed_once_for_one_picture_and_once_for_several(
    packed: list[tuple[Tensor, bool]],
) -> None:
    model, x = vgg16()
    passes = PatchedPasses(Network(model, input_size=32), x)
    fill = torch.zeros_like(x)
    alone = sum(isinstance(module, nn.Conv2d) for module in model.modules())
    passes.incremental(passes.dragged(fill, 3, 20, (6, 6)))
    passes.whole(x)
    assert [several for _, several in packed] == alone * [False]
    passes.incremental(passes.patched(fill, [3, 20], [4, 9], (6, 6)))
    passes.whole(torch.cat([x, x]))
    assert len({(id(weight), several) for weight, several in packed}) == len(packed) == 2 * alone
