"""Receptive fields through every operation, against what really changes with each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from tests.perturbation import Apply, assert_exact, conv, positive

if TYPE_CHECKING:
    from collections.abc import Callable

WEIGHT = nn.Parameter(torch.rand(2, 2, 3, 2, dtype=torch.float64) + 0.1)

MODULES: list[nn.Module] = [
    conv(3),
    conv((3, 2), stride=(2, 3), padding=(0, 1), dilation=(1, 2)),
    conv(4, padding="same"),
    conv((2, 5), padding="same", dilation=(3, 1), padding_mode="circular"),
    conv(3, padding=2, padding_mode="reflect", stride=2),
    conv(3, padding=(3, 1), padding_mode="replicate"),
    conv(1, padding=2),
    conv(3, padding="valid", groups=2),
    nn.MaxPool2d(3, 2, 1, dilation=(1, 2)),
    nn.MaxPool2d(2, ceil_mode=True),
    nn.MaxPool2d((1, 3), 2, padding=(0, 1), ceil_mode=True),
    nn.AvgPool2d((2, 3), padding=1),
    nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False),
    nn.LPPool2d(1, (3, 2), ceil_mode=True),
    nn.AdaptiveAvgPool2d(4),
    nn.AdaptiveAvgPool2d((3, None)),
    nn.AdaptiveMaxPool2d((1, 5)),
    nn.AdaptiveAvgPool2d(13),
    nn.ConvTranspose2d(2, 2, 3),
    nn.ConvTranspose2d(2, 2, (2, 4), stride=2, padding=(0, 1), output_padding=(1, 0)),
    nn.ConvTranspose2d(2, 2, 2, stride=3, dilation=2, padding=1),
    nn.Upsample(scale_factor=2),
    nn.Upsample((13, 7)),
    nn.Upsample(scale_factor=(1.5, 0.6), mode="bilinear"),
    nn.Upsample((17, 5), mode="bilinear", align_corners=True),
    nn.Upsample(scale_factor=2, mode="bicubic"),
    nn.UpsamplingBilinear2d(scale_factor=2),
    nn.PixelShuffle(1),
    nn.Sequential(nn.Conv2d(2, 8, 1), nn.PixelShuffle(2), nn.Conv2d(2, 2, 2)),
    nn.Sequential(nn.ZeroPad2d((0, 0, 1, 0)), nn.PixelUnshuffle(2), nn.Conv2d(8, 2, 2)),
    nn.ZeroPad2d((1, 2, -1, 3)),
    nn.ConstantPad2d((0, 3, 1, -2), 5.0),
    nn.ReflectionPad2d((2, 1, 0, 3)),
    nn.ReplicationPad2d((2, 1, 3, 0)),
    nn.CircularPad2d((2, 1, 0, 3)),
    nn.BatchNorm2d(2),
    nn.ReLU6(),
    nn.Softmax2d(),
    nn.Sequential(nn.Dropout2d(), nn.Identity(), nn.ChannelShuffle(2), nn.PReLU()),
    nn.LayerNorm(4),
    nn.Linear(4, 3),
    nn.GroupNorm(2, 2),
    nn.InstanceNorm2d(2),
    nn.InstanceNorm2d(2, track_running_stats=True),
    nn.Softmax(dim=2),
    nn.LogSoftmax(dim=-1),
    nn.GLU(dim=1),
    nn.LocalResponseNorm(2),
]

FUNCTIONS: dict[str, Callable[[Tensor], Any]] = {
    "conv2d": lambda x: F.conv2d(x, WEIGHT, None, 2, (1, 0), (1, 2)),
    "conv2d same": lambda x: F.conv2d(x, WEIGHT, padding="same"),
    "conv_transpose2d": lambda x: F.conv_transpose2d(x, WEIGHT, None, (2, 1), 1, (1, 0)),
    "conv_transpose2d dilated": lambda x: F.conv_transpose2d(x, WEIGHT, None, 2, 0, 0, 1, 2),
    "max_pool2d": lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "max_pool2d, default stride": lambda x: F.max_pool2d(x, (2, 3)),
    "max_pool2d with indices": lambda x: F.max_pool2d(x, 2, return_indices=True),
    "avg_pool2d": lambda x: F.avg_pool2d(x, (3, 2), 1, 1),
    "avg_pool2d, default stride": lambda x: F.avg_pool2d(x, 2, ceil_mode=True),
    "lp_pool2d": lambda x: F.lp_pool2d(x, 1, 2),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, 3),
    "interpolate": lambda x: F.interpolate(x, scale_factor=0.7),
    "interpolate recompute": lambda x: F.interpolate(
        x, scale_factor=1.3, mode="bilinear", recompute_scale_factor=True
    ),
    "interpolate exact": lambda x: F.interpolate(x, (5, 9), mode="nearest-exact"),
    "interpolate area": lambda x: F.interpolate(x, (3, 4), None, "area"),
    "interpolate antialias": lambda x: F.interpolate(x, 3, mode="bilinear", antialias=True),
    "pad": lambda x: F.pad(x, (1, 0, 2, 3)),
    "pad columns": lambda x: F.pad(x, [3, -1], value=2),
    "pad channels": lambda x: F.pad(x, (0, 1, 1, 0, 2, 1)),
    "pad reflect": lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect"),
    "pad circular": lambda x: F.pad(x, (1, 2, 3, 0), "circular"),
    "pad replicate": lambda x: F.pad(x, (1, 2, 3, 0), "replicate"),
    "stride by slicing": lambda x: x[:, :, ::2, 1::3],
    "crop": lambda x: x[..., 1:, 2:-1],
    "one row": lambda x: x[:, :, 2:3],
    "one column, kept": lambda x: x[..., None, 3, None],
    "channels": lambda x: x[:, :1],
    "fancy": lambda x: x[:, :, torch.tensor([3, 0, 1])],
    "flip": lambda x: x.flip(2, 3),
    "roll": lambda x: torch.roll(x, 2, dims=3),
    "transpose space": lambda x: x.transpose(2, 3),
    "rot90": lambda x: torch.rot90(x, 1, (2, 3)),
    "chunk channels": lambda x: x.chunk(2, dim=1),
    "split channels": lambda x: torch.split(x, 1, 1)[1],
    "unbind channels": lambda x: x.unbind(1)[0].unsqueeze(1),
    "narrow": lambda x: x.narrow(3, 1, 2),
    "index_select": lambda x: x.index_select(2, torch.tensor([4, 4, 0])),
    "expand": lambda x: x[:, :, 2:3].expand(-1, -1, 6, -1),
    "repeat": lambda x: x.repeat(1, 2, 2, 1),
    "repeat_interleave": lambda x: x.repeat_interleave(2, dim=3),
    "shuffle by hand": lambda x: x.view(len(x), 2, 1, *x.shape[2:]).transpose(1, 2).flatten(1, 2),
    "channels last": lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (2,)).permute(0, 3, 1, 2),
    "channels last dense": lambda x: F.linear(x.movedim(1, -1), WEIGHT[0, :, :, 0].T).movedim(
        -1, 1
    ),
    "column means": lambda x: x.mean(2, keepdim=True),
    "global mean": lambda x: x.mean(dim=(-2, -1), keepdim=True),
    "channel mean": lambda x: x.mean(1),
    "channel max": lambda x: x.amax(1, keepdim=True),
    "channel maximum": lambda x: torch.max(x, dim=1, keepdim=True),
    "sum to columns": lambda x: torch.sum(x, axis=2),  # type: ignore[call-overload]
    "log_softmax": lambda x: F.log_softmax(x, dim=2),
    "softmax of channels": lambda x: x.softmax(1),
    "normalize": F.normalize,
    "group_norm": lambda x: F.group_norm(x, 1),
    "instance_norm": F.instance_norm,
    "batch_norm": lambda x: F.batch_norm(x, torch.zeros(2).double(), torch.ones(2).double()),
    "glu": lambda x: F.glu(x, 1),
    "arithmetic": lambda x: (1 - x / 2) ** 2 + 3 * abs(-x) - 2 / (1 + x),
    "in place": lambda x: F.relu(x, inplace=True).mul_(2).add_(x),
    "comparison": lambda x: torch.where(x > 1e3, x, -x),
    "maximum": lambda x: torch.max(x, torch.tensor(0.5)),
    "cat": lambda x: torch.cat([x, x.roll(1, 2)], 1),
    "cat rows": lambda x: torch.cat([x, x[:, :, :1]], dim=2),
    "concat columns": lambda x: torch.concat((x[..., 2:], x), axis=-1),  # type: ignore[call-arg]
    "broadcast": lambda x: x + x[:, :, 1:2],
    "squeeze": lambda x: x[:, :1].squeeze(1).unsqueeze(1),
}

LARGE_STEPS_HIDE = ("softmax", "norm", "log", "Norm", "Softmax", "GLU", "glu", "arithmetic")


def step(name: str) -> float:
    """How far to push a pixel: past every maximum, but not where that saturates."""
    return 0.4 if any(word in name for word in LARGE_STEPS_HIDE) else 1e6


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("module", MODULES, ids=str)
def test_modules(module: nn.Module) -> None:
    first = conv((2, 3), stride=(1, 2), padding=(0, 1))
    assert_exact(positive(nn.Sequential(first, module)), (8, 8), by=step(str(module)))


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    first = conv((2, 3), stride=(1, 2), padding=(0, 1))
    model = Apply(lambda x, first: FUNCTIONS[name](first(x)), first)
    assert_exact(positive(model), (8, 11), by=step(name))


@st.composite
def steps(draw: st.DrawFn, height: int, width: int) -> nn.Module:
    """One random layer for maps of this size."""
    pair = st.tuples
    small = pair(st.integers(1, 4), st.integers(1, 4))
    kernel, stride = draw(small), draw(pair(st.integers(1, 3), st.integers(1, 3)))
    padding, dilation = draw(pair(st.integers(0, 2), st.integers(0, 2))), draw(small)
    half = (min(padding[0], kernel[0] // 2), min(padding[1], kernel[1] // 2))
    ceil = draw(st.booleans())
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    amounts = draw(pair(*[st.integers(-1, 2)] * 4))
    return draw(
        st.sampled_from(
            [
                conv(kernel, stride, padding, dilation, padding_mode=mode),
                nn.MaxPool2d(kernel, stride, half, dilation, ceil_mode=ceil),
                nn.AvgPool2d(kernel, stride, half, ceil_mode=ceil),
                nn.AdaptiveAvgPool2d((max(height - 2, 1), width + 1)),
                nn.ConvTranspose2d(2, 2, kernel, stride, padding, dilation=dilation),
                nn.Upsample(
                    scale_factor=(1.5, 2.0), mode=draw(st.sampled_from(["nearest", "bilinear"]))
                ),
                nn.ZeroPad2d(amounts),
                nn.ReplicationPad2d((abs(amounts[0]), 1, 0, abs(amounts[1]))),
                Apply(lambda x: x[:, :, :: stride[0], padding[1] :]),
                Apply(lambda x, a, b: a(x) + F.relu(b(x)), conv(1), conv(3, padding=1)),
                Apply(lambda x, a: torch.cat([a(x), x], 1)[:, ::2], conv((5, 3), padding=(2, 1))),
            ]
        )
    )


@st.composite
def networks(draw: st.DrawFn) -> tuple[nn.Sequential, tuple[int, int]]:
    size = draw(st.integers(1, 10)), draw(st.integers(1, 10))
    net, x = nn.Sequential(), torch.zeros(1, 2, *size)
    for _ in range(draw(st.integers(1, 5))):
        layer = draw(steps(*x.shape[2:]))
        try:
            y = layer.eval()(x)
        except (RuntimeError, ValueError):  # kernel larger than the map, and the like
            continue
        if 0 < y.shape[2] * y.shape[3] < 400:
            net.append(layer)
            x = y
    return net, size


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(networks())
def test_random_networks(network: tuple[nn.Sequential, tuple[int, int]]) -> None:
    net, size = network
    assert_exact(positive(net), size)
