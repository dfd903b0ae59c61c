"""Patches laid over a picture by hand, one plain pass each: what incremental passes must equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.classes import scores
from cnnwidgets.network import Network

if TYPE_CHECKING:
    from torch import Tensor, nn

Pair = tuple[int, int]


def patched(x: Tensor, fill: Tensor, row: int, column: int, window: Pair) -> Tensor:
    copy = x.clone()
    box = ..., slice(max(0, row), row + window[0]), slice(max(0, column), column + window[1])
    copy[box] = fill.expand_as(x)[box]
    return copy


def plain(net: Network, x: Tensor) -> Tensor:
    with torch.no_grad():
        return scores(net.output(x))[0]


def assert_exact(
    model: nn.Module,
    x: Tensor,
    rows: list[int],
    columns: list[int],
    window: Pair,
    *,
    incremental: bool = True,
) -> PatchedPasses:
    """Patches of noise at each crossing, together, against plain passes one by one."""
    net = Network(model, input_size=tuple(x.shape[1:]))
    fill = filled(net, x, "noise", seed=1)
    passes = PatchedPasses(net, x)
    assert (passes.reason is None) == incremental, passes.reason
    together = passes.patched(fill, rows, columns, window)
    places = [(row, column) for row in rows for column in columns]
    expected = torch.stack(
        [plain(net, patched(x, fill, row, column, window)) for row, column in places]
    )
    torch.testing.assert_close(passes.logits, plain(net, x))
    for found in [passes.full(together), *([passes.incremental(together)] if incremental else [])]:
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4, equal_nan=True)
        assert (found - expected).abs().max() < 1e-4 * expected.abs().max() or not incremental
    return passes
