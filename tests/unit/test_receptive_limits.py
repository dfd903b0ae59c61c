"""Receptive fields of what is not local, and the closed formulas of what is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from cnnwidgets.receptive import Axis, Field
from tests.architectures import ARCHITECTURES
from tests.perturbation import Apply, assert_exact, assert_safe, conv, positive, traced

WHOLE: dict[str, nn.Module] = {
    "squeeze and excite": Apply(
        lambda x, gate: x * gate(x.mean((2, 3)))[:, :, None, None], nn.Linear(2, 2)
    ),
    "group norm": nn.GroupNorm(1, 2),
    "instance norm": nn.InstanceNorm2d(2),
    "batch statistics": nn.BatchNorm2d(2, track_running_stats=False),
    "batch statistics in F": Apply(lambda x: F.batch_norm(x, None, None, training=True)),
    "softmax of everything": Apply(lambda x: x.flatten(1).softmax(1).view_as(x)),
    "Fourier": Apply(lambda x: torch.fft.fft2(x).abs()),
    "matmul": Apply(lambda x: x @ x.mT),
    "grid_sample": Apply(lambda x: F.grid_sample(x, x.movedim(1, -1), align_corners=False)),
    "dynamic weights": Apply(lambda x: F.conv2d(x, x.repeat(2, 1, 1, 1), padding=2)),
    "tokens and back": Apply(
        lambda x, a: a(x.flatten(2).mT).mT.reshape(x.shape), nn.TransformerEncoderLayer(2, 1, 4, 0)
    ),
    "unknown to torch": Apply(lambda x: torch.from_numpy(x.numpy()[:, :, ::-1].copy())),
    "two layouts": Apply(lambda x: x + x.transpose(2, 3).permute(0, 2, 1, 3).reshape(x.shape)),
    "written into": Apply(lambda x: x.clone().index_fill_(2, torch.tensor([0]), 1.0)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_not_local_sees_the_whole_picture(name: str) -> None:
    model = nn.Sequential(conv(2), WHOLE[name], conv(3, padding=1))
    *_, (call, field) = traced(positive(model), torch.rand(1, 2, 7, 7).double()).values()
    assert field is not None
    assert field.axes == (-2, -1)
    assert field.fits(call.output.shape)
    for axis in (field.rows, field.columns):
        assert (axis.bounds == [0, 7]).all()
        assert (axis.size, axis.jump, axis.start) == (7, 0, 0)


class Overridden(nn.Conv2d):
    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
        return super()._conv_forward(x.flip(2), weight, bias)


ROWS_BY_CHANNEL = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7], [0, 7, 1, 2, 3, 4, 5, 6]])

CAREFUL: dict[str, nn.Module] = {
    "overridden convolution": Overridden(2, 2, 3),
    "written in place": Apply(lambda x: _written(x.clone())),
    "chunks of space": Apply(lambda x: x.chunk(2, dim=2)[1] * 1),
    "uneven chunks of space": Apply(lambda x: [part * 1 for part in x.split(3, 3)][-1]),
    "pooled last piece": Apply(lambda x: F.adaptive_avg_pool2d(x.split(3, 3)[-1], 2)),
    "rows are channels": Apply(lambda x: _turned(F.adaptive_avg_pool2d(x, 2))),
    "rows by channel": Apply(lambda x: x[:, torch.arange(2)[:, None], ROWS_BY_CHANNEL]),
    "gather": Apply(lambda x: x.gather(2, x.argsort(dim=2))),
    "cumsum": Apply(lambda x: x.cumsum(2)),
    "unfold": Apply(lambda x: x.unfold(2, 3, 1).sum(-1)),
    "outer": Apply(lambda x: x.mean(2, keepdim=True) * x.mean(3, keepdim=True)),
    "columns only": Apply(lambda x: x.sum(2).unsqueeze(2) + x),
    "windows": Apply(lambda x: x.reshape(len(x), 2, 2, 4, 2, 4).amax((3, 5))),
    "stack": Apply(lambda x: torch.stack([x, x.flip(2)]).sum(0)),
    "einsum": Apply(lambda x: torch.einsum("nchw,nkhw->nckw", x, x)),
    "sideways": Apply(lambda x: F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 2)).permute(0, 3, 1, 2)),
    "one pixel": Apply(lambda x: x[:, :, :1, :1].permute(0, 2, 3, 1).permute(0, 3, 1, 2) + x),
    "nothing left": Apply(lambda x: torch.cat([x[:, :, 9:], x], 2)),
}


def _turned(x: Tensor) -> Tensor:
    return x + x.permute(0, 2, 3, 1)


def _written(x: Tensor) -> Tensor:
    x[:, :, 2:] = x[:, :, :-2].flip(3)
    x[:, :1].add_(x[:, 1:].flip(2))
    return x


@pytest.mark.parametrize("name", CAREFUL)
def test_what_has_no_rule_is_never_too_small(name: str) -> None:
    assert_safe(positive(nn.Sequential(conv(1), CAREFUL[name], conv(2))), (8, 8))


LOCAL = {"vgg16", "resnet18", "dense_block", "inception_block", "unet"}


@pytest.mark.parametrize("name", sorted(set(ARCHITECTURES) - {"first_cnn"}))  # as VGG16, but wide
def test_architectures(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    _, channels, height, width = x.shape
    if name in LOCAL:
        assert_exact(positive(model), (height, width), channels)
    else:
        assert_safe(model.double(), (height, width), channels)


def test_no_rows_and_columns_no_field() -> None:
    lstm = Apply(lambda x, rnn: rnn(x.flatten(2))[0][:, -1], nn.LSTM(36, 3, batch_first=True))
    model = nn.Sequential(conv(3), lstm, nn.Linear(3, 2), nn.Softmax(dim=1))
    fields = traced(positive(model), torch.rand(1, 2, 8, 8).double())
    assert [field is not None for _, field in fields.values()] == [True] + 5 * [False]


def test_a_vector_is_no_map() -> None:
    """Whatever the batch size: one pooled pixel flattened has no rows, only features."""
    model = nn.Sequential(
        conv(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Unflatten(1, (2, 1, 1))
    )
    fields = [field for _, field in traced(model, torch.rand(1, 2, 8, 8)).values()]
    assert [field is None for field in fields] == [False, False, True, False]
    assert fields[-1] is not None
    assert fields[-1].rows.bounds.tolist() == [[0, 8]]


def test_a_hook_that_changes_the_shape() -> None:
    model = conv(3)
    model.register_forward_hook(lambda _, __, output: output[:, :, 1:])
    *_, (_, field) = traced(model, torch.rand(1, 2, 8, 8)).values()
    assert field is not None
    assert field.rows.bounds.tolist() == 5 * [[0, 8]]


def test_channels_last_stays_exact() -> None:
    """A ConvNeXt block: its layers between the permutations are no maps, but keep their fields."""

    def block(x: Tensor, depthwise: nn.Module, norm: nn.Module, dense: nn.Module) -> Tensor:
        return x + F.gelu(dense(norm(depthwise(x).permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)

    model = Apply(block, conv(7, padding=3, groups=2), nn.LayerNorm(2), nn.Linear(2, 2))
    fields = traced(positive(model), torch.rand(1, 2, 9, 12).double())
    axes = [field.axes for _, field in fields.values() if field]
    assert axes == [(-2, -1), *4 * [(-3, -2)], (-2, -1), (-2, -1)]
    assert_exact(model, (9, 12), by=0.4)


def vgg16() -> nn.Module:
    layers: list[nn.Module] = []
    for convolutions in (2, 2, 3, 3, 3):
        layers += [conv(3, padding=1) for _ in range(convolutions)] + [nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


def resnet18() -> nn.Module:
    def block(stride: int) -> nn.Module:
        return Apply(
            lambda x, a, b, skip: F.relu(b(F.relu(a(x))) + skip(x)),
            conv(3, stride, padding=1),
            conv(3, padding=1),
            conv(1, stride) if stride > 1 else nn.Identity(),
        )

    stem = conv(7, 2, padding=3), nn.MaxPool2d(3, 2, 1)
    return nn.Sequential(*stem, *(block(stride) for stride in (1, 1, 2, 1, 2, 1, 2, 1)))


@pytest.mark.parametrize(("model", "size"), [(vgg16(), 212), (resnet18(), 435)])
def test_known_networks(model: nn.Module, size: int) -> None:
    """VGG-16 sees 212 pixels (Araujo et al. 2019); ResNet-18, by the same formulas, 435."""
    *_, (_, field) = traced(model, torch.rand(1, 2, 224, 224)).values()
    assert field is not None
    for axis in (field.rows, field.columns):
        assert (axis.size, axis.jump, axis.units) == (size, 32, 7)
        start = axis.start + axis.jump * np.arange(7)
        np.testing.assert_array_equal(
            axis.bounds, np.stack([start, start + size], axis=1).clip(0, 224)
        )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)),
        min_size=1,
        max_size=5,
    )
)
def test_formulas_of_chains(chain: list[tuple[int, int, int, int]]) -> None:
    """The recurrences of Araujo et al. 2019, layer by layer."""
    size, jump, start = 1, 1, 0
    net = nn.Sequential()
    for kernel, stride, padding, dilation in chain:
        net.append(conv(kernel, stride, padding, dilation))
        size += (kernel - 1) * dilation * jump
        start -= padding * jump
        jump *= stride
    length = size + jump
    *_, (_, field) = traced(net, torch.rand(1, 2, length, length)).values()
    assert field is not None
    assert (field.rows.size, field.rows.jump, field.rows.start) == (size, jump, start)


@pytest.mark.parametrize(
    ("model", "formula"),
    [
        (nn.Sequential(conv(3, 2), nn.Upsample(scale_factor=2)), (3, 1, 0)),
        (nn.Sequential(conv(3, 2), nn.Upsample(scale_factor=2, mode="bilinear")), (5, 1, 0)),
        (nn.Sequential(conv(3, 2), nn.ConvTranspose2d(2, 2, 2, 2)), (3, 1, 0)),
        (nn.Sequential(conv(3, 2), nn.ConvTranspose2d(2, 2, 3, 2, 1)), (5, 1, 0)),
        (nn.Sequential(conv(3, 2), nn.ConvTranspose2d(2, 2, 4, 2, 1)), (5, 1, -2)),
        (nn.Sequential(conv(2, 2), nn.AdaptiveAvgPool2d(4)), (4, 4, 0)),
        (nn.Sequential(conv(2, 2), nn.AdaptiveAvgPool2d(1)), (16, 0, 0)),
        (nn.Sequential(conv(2, 2), nn.ReflectionPad2d(1)), (2, 2, -2)),
        (nn.Sequential(conv(2, 2), Apply(lambda x: x[:, :, 1::2, 1::2])), (2, 4, 2)),
        (nn.Sequential(conv(2, 2), Apply(lambda x: x.flip(2, 3))), (2, -2, 14)),
        (Apply(lambda x, a, b: a(x) + b(x), conv(5, padding=2), conv(1)), (5, 1, -2)),
        (Apply(lambda x, a: torch.cat([x, a(x)], 1), conv(3, padding=1)), (3, 1, -1)),
    ],
    ids=str,
)  # fmt: skip
def test_formulas(model: nn.Module, formula: tuple[int, float, float]) -> None:
    *_, (_, field) = traced(model, torch.rand(1, 2, 16, 16)).values()
    assert field is not None
    for axis in (field.rows, field.columns):
        assert (axis.size, axis.jump, axis.start) == formula


def test_a_unit_in_the_padding_sees_nothing() -> None:
    *_, (_, field) = traced(conv(1, padding=2), torch.rand(1, 2, 3, 3)).values()
    assert field is not None
    assert field.rows.bounds.tolist() == [[0, 0], [0, 0], [0, 1], [1, 2], [2, 3], [0, 0], [0, 0]]
    union = Axis.union([field.rows, Field.of_input(7, 7).rows])
    assert union.bounds[0].tolist() == [0, 1]
