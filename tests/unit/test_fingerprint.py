"""A write to any value is noticed, unless it goes behind autograd's back to a large tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.fingerprint import WHOLE, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable


def fingerprint(tensors: Iterable[Tensor]) -> Hashable:
    """Fingerprint tensors as a network does that has, and as one that has not seen them yet."""
    tensors = list(tensors)
    again = LOOK.of(tensors)
    assert again == Fingerprint().of(tensors)
    return again


LOOK = Fingerprint()
DTYPES = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_value_written_through_data(dtype: torch.dtype) -> None:
    tensor = torch.zeros(3, 5, 7, dtype=dtype)
    before = fingerprint([tensor])
    assert fingerprint([tensor]) == before
    tensor.data[2, 3, 5] = 1
    assert fingerprint([tensor]) != before


EDITS: dict[str, Callable[[Tensor], Any]] = {
    "one weight": lambda data: data[3, 2, 1, 1].fill_(9.0),
    "two filters change places": lambda data: data.copy_(data[[0, 2, 1, *range(3, len(data))]]),
    "one among NaN": lambda data: data[0, 1, 1, 1].fill_(1.0),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_edits_of_a_convolution(name: str, layout: torch.memory_format) -> None:
    conv = nn.Conv2d(16, 8, 3).to(memory_format=layout)  # type: ignore[call-overload]
    conv.weight.data[0] = float("nan")
    before = fingerprint(conv.parameters())
    EDITS[name](conv.weight.data)
    assert fingerprint(conv.parameters()) != before


def test_large_tensors_are_read_here_and_there() -> None:
    large, limit = torch.zeros(WHOLE + 1), torch.zeros(WHOLE)
    for tensor, noticed in ((limit, True), (large, False)):
        before = fingerprint([tensor])
        tensor.data[1] = 1
        assert (fingerprint([tensor]) != before) is noticed
    before = fingerprint([large])
    large[1] = 2  # counted by autograd
    assert fingerprint([large]) != before
    before = fingerprint([large])
    large.data.mul_(0).add_(1)
    assert fingerprint([large]) != before


@pytest.mark.parametrize(
    "tensor",
    [
        torch.empty(0),
        torch.tensor(3),
        torch.zeros(1).expand(100_000),
        torch.zeros(8, 8).t()[1:, 2:],
        torch.zeros(4, 4).to_sparse(),
        torch.zeros(4, 4, device="meta"),
    ],
    ids=lambda tensor: f"{tensor.layout} {tuple(tensor.shape)} {tensor.device}",
)
def test_any_tensor(tensor: Tensor) -> None:
    assert fingerprint([tensor]) == fingerprint([tensor])
    assert hash(fingerprint([tensor]))


def test_memory_that_moves_is_looked_for_again() -> None:
    weight = nn.Parameter(torch.zeros(4, 4))
    before = fingerprint([weight])
    weight.data = torch.ones(4, 4)
    assert fingerprint([weight]) != before
    before = fingerprint([weight])
    weight.data[3, 3] = 5
    assert fingerprint([weight]) != before
    before = fingerprint([weight])
    weight.data = weight.data[:2]
    assert fingerprint([weight]) != before
