"""NaN where torch has NaN: oneDNN's convolutions with a ReLU included would make 0 of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

import cnnwidgets as cw
from tests.architectures import resnet18

if TYPE_CHECKING:
    from collections.abc import Callable


class Ending(nn.Module):
    """A convolution, batch norm and ReLU, another with ReLU6, and two dense layers."""

    def __init__(self, between: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.conv3 = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 4, 1)
        self.fc1, self.fc2 = nn.Linear(4 * 64, 8), nn.Linear(8, 3)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv1(x)).relu()
        x = nn.functional.relu6(self.conv2(self.between(x)))
        found: Tensor = self.fc2(self.fc1(self.conv3(x).relu().flatten(1)).relu())
        return found


@pytest.fixture
def x() -> Tensor:
    return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))[..., ::2, ::2]


def judged(model: nn.Module, x: Tensor, fill: float = 0.0) -> str | None:
    """Compare a sweep and dragged patches with torch's passes; return why they are full ones."""
    model.eval()
    net, reasons = cw.Network(model, input_size=tuple(x.shape[1:])), set()
    for method in ("auto", "incremental", "draft"):
        found = cw.occlusion(
            net, x, 0, window=2, stride=3, fill=fill, method=method, measure="logit"
        )
        for (row, column), ours in zip(
            found.positions.reshape(-1, 2).tolist(), found.logits.flatten(0, 1), strict=True
        ):
            equal(ours, passed(model, x, fill, row, column), 0.05 if method == "draft" else 1e-4)
        reasons.add(found.reason)
    probe = cw.OcclusionProbe(net, x)
    for row, column in ((0, 0), (3, 4)):
        equal(probe.at(row, column, 2, fill), passed(model, x, fill, row, column))
        both = passed(model, x, fill, row, column, (6, 1))
        equal(probe.at(row, column, 2, fill, also=[(6, 1, 2)]), both)
    return probe.reason


def passed(
    model: nn.Module, x: Tensor, fill: float, row: int, column: int, *also: tuple[int, int]
) -> Tensor:
    covered = x.clone()
    for top, left in ((row, column), *also):
        covered[..., top : top + 2, left : left + 2] = fill
    with torch.no_grad():
        found: Tensor = model(covered)
    return found[0]


def equal(found: Tensor, expected: Tensor, atol: float = 1e-4) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=atol, equal_nan=True)


def test_finite_networks_keep_incremental_passes(x: Tensor) -> None:
    assert judged(Ending(), x) is None
    tape = cw.OcclusionProbe(cw.Network(Ending().eval(), input_size=8), x)._passes._tape
    assert tape is not None
    assert not {"batch_norm", "relu", "relu6"} & {call.name for call in tape.calls}


def test_a_picture_that_is_nan_where_the_network_does_not_look(x: Tensor) -> None:
    class Cropping(Ending):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(nn.functional.pad(x[..., 1:, :], (0, 0, 1, 0)))

    x = x.clone()
    x[..., 0, 0] = torch.nan
    model = Cropping().eval()
    assert cw.OcclusionProbe(cw.Network(model, input_size=8), x).logits.isfinite().all()
    assert cw.occlusion(model, x, 0, window=2, stride=3, fill="mean").logits[1, 1].isnan().all()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize(
    "name",
    [
        *(
            f"{layer}.{part}"
            for layer in ("conv1", "conv2", "conv3", "fc1", "fc2", "norm")
            for part in ("weight", "bias")
        ),
        "norm.running_mean",
        "norm.running_var",
    ],
)
def test_a_weight_in_each_layer(name: str, bad: float, x: Tensor) -> None:
    model = Ending()
    model.state_dict()[name].view(-1)[0] = bad
    reason = judged(model, x)
    if (name, bad) != ("norm.running_var", torch.inf):  # infinity divides to 0
        assert "NaN, infinite or huge" in str(reason)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_picture(bad: float, x: Tensor) -> None:
    x = x.clone()
    x[0, 1, 4, 4] = bad
    reason = judged(Ending(), x)
    assert reason is not None
    assert "NaN, infinite or huge" in reason


def test_infinity_less_infinity_in_the_pass(x: Tensor) -> None:
    model = Ending(lambda y: y * 1e38 * 1e4 - y.flip(1) * 1e38 * 1e4)
    with torch.no_grad():
        assert model.eval()(x).isnan().all()
    assert "NaN, infinite or huge" in str(judged(model, x))


@pytest.mark.parametrize(
    "pole", [lambda y: 1 / y.abs(), lambda y: (y.abs() - 1e-30).log(), lambda y: y / y, torch.rsqrt]
)
def test_what_is_infinite_under_the_patch_only(pole: Callable[[Tensor], Tensor], x: Tensor) -> None:
    class Poled(Ending):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(pole(x))

    model = Poled()
    with torch.no_grad():
        assert model.eval()(x + 0.1).isfinite().all()
        assert model(torch.zeros_like(x)).isnan().any()
    judged(model, x + 0.1)


def test_a_residual_network() -> None:
    model, picture = resnet18()
    with torch.no_grad():
        [*model.parameters()][20].view(-1)[0] = torch.nan
    assert "NaN" in str(cw.OcclusionProbe(cw.Network(model, input_size=32), picture).reason)


@pytest.mark.parametrize("fill", [torch.nan, torch.inf, 1e30, torch.full((3, 1, 1), -torch.inf)])
def test_a_fill_that_is_no_number_is_refused(fill: float | Tensor, x: Tensor) -> None:
    with pytest.raises(ValueError, match="fill: it is NaN, infinite or beyond"):
        cw.occlusion(cw.Network(Ending(), input_size=8), x, 0, window=2, stride=3, fill=fill)
