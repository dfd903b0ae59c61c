"""Convolution arithmetic against torch itself."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.arithmetic import Receipt, conv_parameters, output_size, receipt

pairs = st.tuples


def test_golden_sizes() -> None:
    """The small CIFAR-10 network, unpadded: 32 to 5."""
    sizes, size = [], 32
    for kernel, stride in [(3, 1), (3, 1), (2, 2), (3, 1), (3, 1), (2, 2)]:
        size = output_size(size, kernel, stride)
        sizes.append(size)
    assert sizes == [30, 28, 14, 12, 10, 5]
    assert output_size(224, 7, stride=2, padding=3) == 112
    assert output_size((480, 640), 3, (2, 1), "valid", (1, 2)) == (239, 636)
    assert output_size(7, (3, 2)) == (5, 6)  # type: ignore[call-overload]
    assert output_size(9, 4, padding="same", dilation=3) == 9
    assert output_size(np.int64(9), 3) == 7
    assert output_size(torch.Size([5, 6]), [2, 3]) == (4, 4)


@given(
    size=pairs(st.integers(1, 20), st.integers(1, 20)),
    kernel=pairs(st.integers(1, 5), st.integers(1, 5)),
    stride=pairs(st.integers(1, 4), st.integers(1, 4)),
    padding=pairs(st.integers(0, 2), st.integers(0, 2)),
    dilation=pairs(st.integers(1, 3), st.integers(1, 3)),
    ceil_mode=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_output_size_is_torchs(  # noqa: PLR0917 - a property of all of them
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    ceil_mode: bool,  # noqa: FBT001
) -> None:
    x = torch.zeros(1, 1, *size)

    def agrees(real: Any, *, ceil_mode: bool) -> None:
        try:
            expected = real().shape[2:]
        except RuntimeError:
            with pytest.raises(ValueError, match=r"more than the .* of the padded input"):
                output_size(size, kernel, stride, padding, dilation, ceil_mode)
        else:
            assert output_size(size, kernel, stride, padding, dilation, ceil_mode) == expected

    agrees(lambda: F.conv2d(x, torch.zeros(1, 1, *kernel), None, stride, padding, dilation),
           ceil_mode=False)  # fmt: skip
    assume(all(2 * p <= k for p, k in zip(padding, kernel, strict=True)))  # torch's rule of pools
    agrees(lambda: F.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode),
           ceil_mode=ceil_mode)  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 3), ValueError, "size: 0 is below 1"),
        ((8, 0), ValueError, "kernel: 0 is below 1"),
        ((8, 3, 0), ValueError, "stride: 0 is below 1"),
        ((8, 3, 1, -1), ValueError, "padding: -1 is below 0"),
        ((8, 3, 1, 0, 0), ValueError, "dilation: 0 is below 1"),
        ((8, 2.5), TypeError, "kernel: 2.5 is not an integer"),
        ((8, "3"), TypeError, "kernel: '3' is not an integer"),
        (((8, 8, 8), 3), ValueError, r"size: \(8, 8, 8\) is neither an integer nor a pair"),
        ((8, 3, 2, "same"), ValueError, "padding: 'same' needs stride 1, not 2"),
        ((8, 3, 1, "full"), ValueError, "padding: 'full' is unknown"),
        ((4, 3, 1, 0, 2), ValueError, "kernel: 3 covers 5 pixels, more than the 4 of the padded"),
    ],
)
def test_output_size_errors(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        output_size(*arguments)


@pytest.mark.parametrize(
    ("arguments", "options", "count"),
    [
        ((3, 64, 3), {}, 1_792),  # VGG16 conv1_1
        ((512, 512, (3, 3)), {}, 2_359_808),  # VGG16 conv5_3
        ((32, 64, (1, 5)), {"bias": False, "groups": 4}, 2_560),
    ],
)
def test_conv_parameters(arguments: Any, options: Any, count: int) -> None:
    assert conv_parameters(*arguments, **options) == count
    built = nn.Conv2d(*arguments, **options)
    assert sum(parameter.numel() for parameter in built.parameters()) == count


@pytest.mark.parametrize(
    ("arguments", "groups", "message"),
    [
        ((3, 4, 3), 2, "groups: 2 does not divide in_channels = 3"),
        ((4, 3, 3), 2, "groups: 2 does not divide out_channels = 3"),
        ((0, 3, 3), 1, "in_channels: 0 is below 1"),
        ((3, 3, 0), 1, "kernel: 0 is below 1"),
        ((3, 3, 1), 0, "groups: 0 is below 1"),
    ],
)
def test_conv_parameters_errors(arguments: Any, groups: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conv_parameters(*arguments, groups=groups)


def run(bill: Receipt, conv: nn.Conv2d, x: Tensor) -> float:
    """Run the code of a receipt as a user would."""
    names: dict[str, Any] = {"conv": conv, "x": x}
    exec(bill.code(), names)  # noqa: S102 - that it runs is what is tested
    return float(names["result"])


def assert_adds_up(conv: nn.Conv2d, x: Tensor, at: tuple[int, int, int], real: float) -> Receipt:
    bill = receipt(conv, x, *at)
    scale = max(float(bill.products.abs().sum()) + abs(bill.bias), 1e-30)
    assert abs(bill.result - real) <= 1e-5 * scale
    assert bill.result == pytest.approx(run(bill, conv, x), rel=1e-12, abs=1e-12 * scale)
    assert torch.equal(bill.products, bill.patch * bill.weights)
    assert torch.equal(bill.sums, bill.products.sum((1, 2)))
    assert bill.result == float(bill.sums.sum()) + bill.bias
    return bill


@st.composite
def convolutions(draw: st.DrawFn) -> nn.Conv2d:
    groups = draw(st.sampled_from([1, 2, 3]))
    modes: list[Literal["zeros", "reflect", "replicate", "circular"]]
    modes = ["zeros", "reflect", "replicate", "circular"]
    same = draw(st.booleans())
    kernel = draw(pairs(st.integers(1, 4), st.integers(1, 4)))
    torch.manual_seed(draw(st.integers(0, 99)))
    return nn.Conv2d(
        groups * draw(st.integers(1, 2)),
        groups * draw(st.integers(1, 3)),
        kernel,
        stride=1 if same else draw(pairs(st.integers(1, 3), st.integers(1, 3))),
        padding="same" if same else draw(pairs(st.integers(0, 3), st.integers(0, 3))),
        dilation=draw(pairs(st.integers(1, 2), st.integers(1, 2))),
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=draw(st.sampled_from(modes)),
    )


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@settings(max_examples=150, deadline=None)
@given(convolutions(), st.integers(4, 9), st.integers(4, 9), st.data())
def test_receipts_equal_torch(conv: nn.Conv2d, height: int, width: int, data: Any) -> None:
    x = torch.randn(1, conv.in_channels, height, width)
    try:
        y = conv(x).detach()
    except RuntimeError:  # padded by more than there is to reflect
        reject()
    at = tuple(data.draw(st.integers(0, n - 1)) for n in y.shape[1:])
    bill = assert_adds_up(conv, x, at, float(y[0][at]))
    for row, r in enumerate(bill.rows):
        for column, c in enumerate(bill.columns):
            inside = 0 <= r < height and 0 <= c < width
            assert bill.inside[row, column] == inside
            read = bill.patch[:, row, column]
            if inside:
                assert torch.equal(read, x[0, bill.input_channels, r, c].double())
            elif conv.padding_mode == "zeros":
                assert not read.any()


def test_a_receipt_read_by_hand() -> None:
    """A corner of a padded, strided, dilated, grouped convolution."""
    conv = nn.Conv2d(4, 2, (2, 3), stride=2, padding=1, dilation=2, groups=2)
    x = torch.arange(4 * 6 * 6.0).reshape(4, 6, 6)
    bill = receipt(conv, x, 1, 0, 0)
    assert bill.input_channels == range(2, 4)
    assert (bill.rows, bill.columns) == ((-1, 1), (-1, 1, 3))
    assert bill.inside.tolist() == [[False] * 3, [False, True, True]]
    assert bill.patch[0].tolist() == [[0, 0, 0], [0, 79, 81]]
    assert bill.patch.shape == bill.weights.shape == bill.products.shape == (2, 2, 3)
    assert (bill.channel, bill.row, bill.column) == (1, 0, 0)
    assert receipt(conv, x[None], 1, 0, 0).result == bill.result


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype: torch.dtype) -> None:
    """Accumulated in float64 from what the convolution holds, not from what it computes with."""
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 2, 3, padding=1).to(dtype)
    x = torch.randn(1, 3, 5, 5, dtype=dtype)
    exact = F.conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=1)  # type: ignore[union-attr]
    bill = assert_adds_up(conv, x, (1, 2, 3), exact[0, 1, 2, 3].item())
    assert bill.products.dtype == torch.float64


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_not_finite_and_untouched(dtype: torch.dtype) -> None:
    conv = nn.Conv2d(1, 1, 3, padding=1, dtype=dtype)
    x = torch.ones(1, 1, 5, 5, requires_grad=True, dtype=dtype)
    with torch.no_grad():
        x[0, 0, 0, 0] = float("nan")
        x[0, 0, 4, 4] = float("inf")
    before = x.detach().clone()
    assert np.isnan(receipt(conv, x, 0, 0, 0).result)
    assert np.isinf(receipt(conv, x, 0, 4, 4).result)
    assert np.isfinite(receipt(conv, x, 0, 2, 2).result)
    bill = receipt(conv, x, 0, 1, 1)
    bill.patch.zero_()
    bill.weights.zero_()
    assert torch.equal(x.detach().nan_to_num(7), before.nan_to_num(7))
    assert conv.weight.abs().sum() > 0
    assert not any(t.requires_grad for t in (bill.patch, bill.weights, bill.products, bill.sums))


@pytest.mark.parametrize(
    ("conv", "x", "at", "error", "message"),
    [
        (nn.Conv1d(1, 1, 1), torch.rand(1, 1, 4), (0, 0, 0), TypeError, "not for Conv1d"),
        (nn.Conv3d(1, 1, 1), torch.rand(1, 1, 4, 4, 4), (0, 0, 0), TypeError, "not for Conv3d"),
        (nn.ConvTranspose2d(1, 1, 1), torch.rand(1, 1, 4, 4), (0, 0, 0), TypeError,
         "not for ConvTranspose2d"),
        (nn.Linear(4, 4), torch.rand(1, 1, 4, 4), (0, 0, 0), TypeError, "not for Linear"),
        (nn.Conv2d(3, 1, 1), torch.rand(1, 1, 4, 4), (0, 0, 0), ValueError,
         r"x: shape [1, 1, 4, 4], but the convolution takes [3, H, W]"),
        (nn.Conv2d(1, 1, 1), torch.rand(2, 1, 4, 4), (0, 0, 0), ValueError, "x: shape [2, 1"),
        (nn.Conv2d(1, 1, 1), torch.ones(1, 4, 4).byte(), (0, 0, 0), TypeError, "x: torch.uint8"),
        (nn.Conv2d(1, 2, 1), torch.rand(1, 4, 4), (2, 0, 0), ValueError, "channel: 2 is beyond"),
        (nn.Conv2d(1, 2, 3), torch.rand(1, 4, 6), (0, 2, 0), ValueError,
         "row: 2 is beyond the output, which has 2 of them"),
        (nn.Conv2d(1, 2, 3), torch.rand(1, 4, 6), (0, 0, 4), ValueError, "column: 4 is beyond"),
        (nn.Conv2d(1, 2, 3), torch.rand(1, 4, 6), (0, -1, 0), ValueError, "row: -1 is below 0"),
        (nn.Conv2d(1, 2, 3), torch.rand(1, 4, 6), (0, 0.5, 0), TypeError, "row: 0.5 is not"),
        (nn.Conv2d(1, 2, 3), torch.rand(1, 2, 2), (0, 0, 0), ValueError, "kernel: 3 covers 3"),
        (nn.LazyConv2d(2, 3), torch.rand(1, 2, 2), (0, 0, 0), ValueError, "not initialised"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_receipt_errors(
    conv: Any, x: Tensor, at: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        receipt(conv, x, *at)
