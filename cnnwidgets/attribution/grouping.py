"""Which places of the patch are tried together: those whose windows are about as large.

All windows of a batch get the size of the largest. Near the edge of the maps windows are cut off,
and behind strides one place changes a row more than the next; among their like they cost less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch

from cnnwidgets.attribution.incremental.windows import Place

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.attribution.incremental.forecast import Forecast

Groups: TypeAlias = list[list[int]]

CALL = 20_000_000
"""Multiply-adds that take about as long as one more batch does in each operation that slides:
handing it over, and preparing the operation for windows of another size."""
WEIGHT = 40
"""Multiply-adds that take about as long as reading a weight from memory once more."""


def alike(forecast: Forecast, place: Place) -> tuple[Groups, Groups]:
    """Group the rows and the columns of a place.

    Parameters
    ----------
    forecast
        Tells how large windows are.
    place
        Where patches stand.

    Returns
    -------
    rows, columns
        Indices, in groups.
    """
    rows, columns = place
    middle = Place(rows.at([len(rows.starts) // 2]), columns.at([len(columns.starts) // 2]))
    down = [middle._replace(rows=rows.at([index])) for index in range(len(rows.starts))]
    across = [middle._replace(columns=columns.at([index])) for index in range(len(columns.starts))]
    costs = torch.tensor(forecast.costs, dtype=torch.double)
    heights, widths = (
        torch.tensor([forecast.extents(one) for one in line]).view(len(line), -1, 2).double()
        for line in (down, across)
    )
    heights, widths = heights[..., 0], widths[..., 1]
    batch = CALL * forecast.calls + WEIGHT * forecast.weights
    by_row = _groups(heights, costs * widths.sum(0), batch)
    by_column = _groups(widths, costs * heights.sum(0), batch * len(by_row))
    return by_row, by_column


def _groups(lengths: Tensor, costs: Tensor, each: float) -> Groups:
    """Cut lines [N, steps], sorted by cost, where that is cheapest.

    A group costs, for each line in it, the largest lengths in it; and `each` once.
    """
    order = (lengths @ costs).argsort(stable=True)
    lengths = lengths[order]
    count = len(order)
    cheapest = [(0.0, 0)]  # of the first so many lines: the cost, and where the last group starts
    spans = [
        (lengths[start:].cummax(0).values @ costs * torch.arange(1, count - start + 1)).tolist()
        for start in range(count)
    ]
    for end in range(1, count + 1):
        cheapest.append(
            min(
                (cheapest[start][0] + spans[start][end - start - 1] + each, start)
                for start in range(end)
            )
        )
    groups: Groups = []
    while count:
        start = cheapest[count][1]
        groups.append(sorted(order[start:count].tolist()))
        count = start
    return groups[::-1]
