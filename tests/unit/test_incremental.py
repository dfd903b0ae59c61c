"""Incremental passes equal whole ones, on every architecture and for every kind of layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

import cnnwidgets as cw
from cnnwidgets.attribution import grouping
from cnnwidgets.attribution.incremental import convolution, dense
from cnnwidgets.attribution.incremental.windows import Place
from cnnwidgets.attribution.patches import PatchedPasses
from tests.architectures import ARCHITECTURES, first_cnn, resnet18, seeded, vgg16
from tests.patching import assert_exact
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    size = x.shape[2]
    with assert_untouched(model, also=(x,)):
        for window in ((3, 2), (size // 2, 4)):
            last = size - 2  # the window is cut off there
            assert_exact(model, x, [0, 2, size // 2, last], [1, 4, last], window)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_places(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(ARCHITECTURES)))
    model, x = ARCHITECTURES[name]()
    size = x.shape[2]
    window = data.draw(st.tuples(*[st.integers(1, size)] * 2))
    rows, columns = (
        data.draw(st.lists(st.integers(1 - extent, size - 1), min_size=1, max_size=4))
        for extent in window
    )
    assert_exact(model, x, rows, columns, window)


@pytest.mark.slow
def test_the_imagenet_sample() -> None:
    net, images, _ = cw.samples.imagenet()
    x = net.prepare(images[0])
    passes = assert_exact(net.model, x, [0, 60, 199], [8, 100, 208], (32, 32))
    assert passes.full_cost.operations > 300e6


class Head(nn.Module):
    """Classes out of whatever maps a layer gives."""

    def __init__(self, body: Callable[[Tensor], Any], channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.body = body
        self.mixed = nn.Conv2d(channels, 3, 3)
        self.fc = nn.Linear(3, 5)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.mixed(self.body(self.stem(x))).amax((2, 3)))


@seeded
def headed(body: Any, channels: int = 4) -> tuple[nn.Module, Tensor]:
    model = Head(body() if isinstance(body, type) else body, channels)
    return model.eval(), torch.randn(1, 3, 20, 18)


def in_place(x: Tensor) -> Tensor:
    y = x.clone()
    y += 1
    y.mul_(x).clamp_(-1, 2)
    return F.relu_(y).sub_(x)


def halves(x: Tensor) -> Tensor:
    a, b = x.chunk(2, 1)
    c, d = torch.split(x, 2, dim=1)
    return torch.cat([F.relu(a) + d, b * c, x[:, 1:3]], 1)


def shuffled(x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous()
    return F.leaky_relu(x.view(n, -1, h, w), 0.1)


def shifted(x: Tensor) -> Tensor:
    return F.pad(x, (0, 1, 2, 0)) + F.pad(x, [1, 0, 0, 2], value=0.5)


def padded_in_place(x: Tensor) -> Tensor:
    return F.pad(x, (1, 0, 1, 0)).mul_(2) + F.pad(x, (0, 1, 0, 1))


def cropped(x: Tensor) -> Tensor:
    return x[..., 1:-2] * x[:, :, :, :-3]


def chosen(x: Tensor) -> Tensor:
    return torch.where(x > 0.1, x, x.new_zeros(()) - 1)


def squeezed(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x.mean((2, 3), keepdim=True))


def written(x: Tensor) -> Tensor:
    out = torch.zeros(len(x), 4, *x.shape[2:])
    out[:, :2] = x[:, 2:]
    return out


def ramp(x: Tensor) -> Tensor:
    return x + torch.linspace(0, 1, x.shape[3]) * torch.arange(x.shape[2])[:, None]


LAYERS: dict[str, tuple[Any, int]] = {
    "identity": (nn.Identity(), 4),
    "conv, dilated": (nn.Conv2d(4, 4, 3, padding=2, dilation=2), 4),
    "conv, strided, grouped": (nn.Conv2d(4, 4, (3, 4), (2, 3), padding=(0, 2), groups=2), 4),
    "conv, same": (nn.Conv2d(4, 4, (4, 3), padding="same"), 4),
    "conv, valid": (nn.Conv2d(4, 4, 2, padding="valid", bias=False), 4),
    "conv, circular": (nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), 4),
    "conv, padding beyond": (nn.Conv2d(4, 4, 1, padding=2), 4),
    "pool": (nn.MaxPool2d(3, 2, 1), 4),
    "pool, ceil_mode": (nn.MaxPool2d(3, 2, ceil_mode=True), 4),
    "pool, dilated": (nn.MaxPool2d((2, 3), (1, 2), dilation=(3, 2), ceil_mode=True), 4),
    "pool, mean": (nn.AvgPool2d((3, 2), (2, 1), padding=(1, 0)), 4),
    "pool, mean, divisor": (nn.AvgPool2d(2, 1, divisor_override=3), 4),
    "pool, mean, padding not counted": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), 4),
    "pool, adaptive": (nn.AdaptiveMaxPool2d(7), 4),
    "norm, PReLU": (nn.Sequential(nn.Dropout2d(), nn.BatchNorm2d(4), nn.PReLU(4)), 4),
    "norm of the window": (nn.InstanceNorm2d(4), 4),
    "conv, norm, ReLU6": (
        nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(inplace=True)),
        4,
    ),
    "conv, other limits": (nn.Sequential(nn.Conv2d(4, 4, 3), nn.Hardtanh(-0.2, 0.3)), 4),
    "across channels": (nn.LocalResponseNorm(3), 4),
    "shuffle": (nn.ChannelShuffle(2), 4),
    "upsampling": (nn.Upsample(scale_factor=2), 4),
    "transposed": (nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1), 4),
    "in place": (in_place, 4),
    "halves": (halves, 6),
    "shuffle by hand": (shuffled, 4),
    "pads on one side": (shifted, 4),
    "pad, written to": (padded_in_place, 4),
    "crop": (cropped, 4),
    "where": (chosen, 4),
    "squeeze-excite": (squeezed, 4),
    "written into zeros": (written, 4),
    "a ramp over the map": (ramp, 4),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("layer", LAYERS)
def test_every_kind_of_layer(layer: str) -> None:
    body, channels = LAYERS[layer]
    model, x = headed(body, channels)
    with assert_untouched(model, also=(x,)):
        assert_exact(model, x, [0, 3, 6, 9, 16], [0, 5, 7, 15], (4, 3))


def test_layers_on_the_way_of_the_model_and_hooks_are_seen() -> None:
    model, x = headed(nn.ReLU(inplace=True))
    model.get_submodule("stem").register_forward_hook(
        lambda _m, _a, y: y * 2 - y.mean((2, 3), keepdim=True)
    )
    model.get_submodule("mixed").register_forward_pre_hook(lambda _m, args: args[0] + 1)
    with assert_untouched(model):
        assert_exact(model, x, [2, 9], [1, 8], (4, 4))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_number_types(dtype: torch.dtype) -> None:
    model, x = resnet18()
    model, x = model.to(dtype), x.to(dtype)
    if dtype == torch.float64:
        assert_exact(model, x, [3, 20], [4, 9], (6, 6))
    else:  # its own rounding is larger than what is called exact
        found = cw.occlusion(cw.Network(model, input_size=32), x, window=8, stride=12)
        assert found.scores.isfinite().all()


def test_without_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "_packs", lambda: False)
    monkeypatch.setattr(dense, "_fuses", lambda: False)
    for make in (vgg16, resnet18):
        model, x = make()
        assert_exact(model, x, [3, 20], [4, 9, 30], (6, 6))
    model, x = headed(LAYERS["conv, norm, ReLU6"][0])
    assert_exact(model, x, [3, 9], [4, 9], (6, 6))


def test_a_batch_of_channels_last() -> None:
    model, x = first_cnn()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert_exact(model, x.to(memory_format=torch.channels_last), [3, 20], [4, 9], (6, 6))


def test_the_input_itself_is_written_to() -> None:
    model, x = first_cnn()
    with_relu = nn.Sequential(nn.ReLU(inplace=True), model)
    with assert_untouched(with_relu, also=(x,)):
        assert_exact(with_relu, x, [3, 20], [4, 9], (6, 6))


class Odd(nn.Module):
    """Classifies, after doing something that no tape can hold."""

    def __init__(self, odd: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.register_buffer("seen", torch.zeros(1))
        self.odd = odd

    def forward(self, x: Tensor) -> Tensor:
        return self.odd(self, self.conv(x)).mean((2, 3))


def branching(_: nn.Module, x: Tensor) -> Tensor:
    return x * 2 if x.mean() > 0 else x - 1


def drawing(_: nn.Module, x: Tensor) -> Tensor:
    return F.dropout(x, 0.5, training=True)


def mixing(_: nn.Module, x: Tensor) -> Tensor:
    return x - x.mean()


def alone(_: nn.Module, x: Tensor) -> Tensor:
    if len(x) > 1:
        raise ValueError("one at a time")
    return x


def through_numpy(_: nn.Module, x: Tensor) -> Tensor:
    return torch.from_numpy(x.numpy() * 2)


def counting(module: nn.Module, x: Tensor) -> Tensor:
    module.get_buffer("seen").add_(1)
    return x


def shared_memory(_: nn.Module, x: Tensor) -> Tensor:
    first = x[:, :1]
    first.mul_(3)
    return x


def by_the_size(_: nn.Module, x: Tensor) -> Tensor:
    return x * 2 + 1 if len(x) > 1 else x + x + 1


def strided(_: nn.Module, x: Tensor) -> Tensor:
    return x.as_strided(x.shape, x.stride())


ODD = {
    "decides by values": branching,
    "draws random numbers": drawing,
    "depends on the others": mixing,
    "one at a time": alone,
    "decides by values (numpy)": through_numpy,
    "changes a tensor of the model": counting,
    "memory that tensors share": shared_memory,
    "something else with more pictures": by_the_size,
    "lies in memory": strided,
}


@pytest.mark.parametrize("reason", ODD)
def test_what_cannot_be_taken_apart_is_passed_whole(reason: str) -> None:
    torch.manual_seed(0)
    model, x = Odd(ODD[reason]), torch.randn(1, 3, 12, 12)
    with assert_untouched(model, also=(x,)):
        found = cw.occlusion(model, x, 1, window=4, stride=4, measure="logit", fill=0.0)
    assert found.method == "full"
    assert found.reason is not None
    assert reason in found.reason
    if reason == "draws random numbers":
        again = cw.occlusion(model, x, 1, window=4, stride=4, measure="logit", fill=0.0)
        assert torch.equal(found.scores, again.scores)
    else:
        with torch.no_grad():
            for row, column in ((0, 0), (1, 2), (2, 1)):
                copy = x.clone()
                copy[..., 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 0
                torch.testing.assert_close(found.scores[row, column], model(copy)[0, 1])


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_operations_are_foretold(data: st.DataObject) -> None:
    choices: dict[str, Any] = {**ARCHITECTURES, **LAYERS}
    name = data.draw(st.sampled_from([name for name in choices if "same" not in name]))
    model, x = ARCHITECTURES[name]() if name in ARCHITECTURES else headed(*LAYERS[name])
    score = (lambda y: y[:, 0].amax((1, 2))) if name == "unet" else None
    passes = PatchedPasses(cw.Network(model, input_size=tuple(x.shape[1:])), x, score)
    size = min(x.shape[2:])
    side = data.draw(st.integers(1, size))
    rows, columns = (
        data.draw(st.lists(st.integers(1 - side, size - 1), min_size=1, max_size=3))
        for _ in range(2)
    )
    foretold = passes.forecast.operations(passes.place(rows, columns, (side, side)))
    before = passes.operations
    passes.incremental(passes.patched(torch.zeros_like(x), rows, columns, (side, side)))
    assert passes.operations - before == foretold * len(rows) * len(columns)
    assert foretold <= passes.full_cost.operations


def test_windows_that_are_alike_are_tried_together() -> None:
    model, x = first_cnn()
    passes = PatchedPasses(cw.Network(model, input_size=32), x)
    rows = tuple(range(0, 29, 4))
    place = passes.place(rows, rows, (4, 4))

    def needed(groups: Any) -> int:
        return sum(
            len(down)
            * len(across)
            * passes.forecast.operations(Place(place.rows.at(down), place.columns.at(across)))
            for down in groups[0]
            for across in groups[1]
        )

    together = [list(range(8))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "CALL", 0)
        patch.setattr(grouping, "WEIGHT", 0)
        groups = grouping.alike(passes.forecast, place)
        # near both edges windows are cut off by as much
        assert groups == ([[0, 7], [1, 6], [2, 5], [3, 4]],) * 2
        assert needed(groups) < 0.75 * needed((together, together))
        for cost in ("CALL", "WEIGHT"):  # of another batch
            patch.setattr(grouping, cost, 10**9)
            assert grouping.alike(passes.forecast, place) == (together, together)
            patch.setattr(grouping, cost, 0)


OPERATIONS = {"vgg16": (21_790_592, 30_556_160), "resnet18": (9_300_992, 18_305_024)}
FIRST_CNN = sum(
    (
        30 * 30 * 32 * 3 * 9,
        28 * 28 * 32 * 32 * 9,
        12 * 12 * 64 * 32 * 9,
        10 * 10 * 64 * 64 * 9,
        1600 * 256,
        256 * 10,
    )
)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_are_counted(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    found = cw.occlusion(model, x, 0, window=4, stride=4, method="incremental")
    assert (found.operations, found.full_operations) == OPERATIONS[name]


def test_operations_are_those_within_the_windows() -> None:
    model, x = first_cnn()
    found = cw.occlusion(model, x, 0, window=4, positions=[(12, 12)], method="incremental")
    assert found.full_operations == FIRST_CNN
    assert found.operations == sum(
        (
            6 * 6 * 32 * 3 * 9,
            8 * 8 * 32 * 32 * 9,
            6 * 6 * 64 * 32 * 9,  # of 4 pooled rows and columns
            8 * 8 * 64 * 64 * 9,
            1600 * 256,
            256 * 10,
        )
    )
    whole = cw.occlusion(model, x, 0, window=4, positions=[(12, 12)], method="full")
    assert whole.operations == whole.full_operations == FIRST_CNN
