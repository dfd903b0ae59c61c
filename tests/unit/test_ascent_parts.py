"""The parts of gradient ascent, each against its definition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent, Diversity, Function, Settings
from cnnwidgets.ascent.editing import blurred, clipped
from cnnwidgets.ascent.parametrizations import Fourier, Pixels
from cnnwidgets.ascent.penalties import l2, p_norm, total_variation
from cnnwidgets.ascent.transformations import drawn, transformed
from tests.climbing import STILL, climbed

if TYPE_CHECKING:
    from collections.abc import Callable

CPU = torch.device("cpu")


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=dice())


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.0])
def test_total_variation_is_its_sum(beta: float) -> None:
    x = pictures(2, 3, 5, 7)
    for found, picture in zip(total_variation(x, beta), x, strict=True):
        total = 0.0
        for channel in picture.tolist():
            for i, row in enumerate(channel):
                for j, value in enumerate(row):
                    down = channel[i + 1][j] - value if i + 1 < len(channel) else 0.0
                    across = row[j + 1] - value if j + 1 < len(row) else 0.0
                    total += (down**2 + across**2) ** (beta / 2)
        assert float(found) == pytest.approx(total / picture.numel(), rel=1e-4)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 2, 1, 4), (1, 1, 3, 1)])
@pytest.mark.parametrize("beta", [2.0, 3.0])
def test_total_variation_can_be_differentiated_twice(shape: tuple[int, ...], beta: float) -> None:
    x = pictures(*shape).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: total_variation(x, beta), x)
    assert torch.autograd.gradgradcheck(lambda x: total_variation(x, beta), x)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 2, 1, 4), (2, 1, 3, 1)])
def test_downhill_is_the_gradient_of_all_penalties(shape: tuple[int, ...]) -> None:
    settings = Settings(tv=[0.5, 0.0], l2=[0.0, 3.0], p_norm=2.0, scale=1.5)
    x, mean = pictures(*shape).requires_grad_(), pictures(shape[1], 1, 1)
    white, centred = 1.5 * x, 1.5 * (x - mean)
    total = 0.5 * total_variation(white)[0] + 3 * l2(centred)[1] + 2 * p_norm(centred).sum()
    (expected,) = torch.autograd.grad(total, x)
    with torch.enable_grad():
        found = settings.downhill(x, mean, settings.smoothing(x))
    torch.testing.assert_close(found, expected)


def test_norms_are_their_sums() -> None:
    x = pictures(2, 3, 4, 5) - 0.5
    assert torch.allclose(l2(x), (x**2).mean((1, 2, 3)))
    assert torch.allclose(p_norm(x), (x**6).mean((1, 2, 3)))


def test_penalties_mean_the_same_at_every_size() -> None:
    tile = pictures(1, 3, 16, 16)
    large = tile.repeat(1, 1, 8, 8)
    for penalty in (l2, p_norm):
        assert float(penalty(large)) == pytest.approx(float(penalty(tile)), rel=1e-4)
    assert float(total_variation(large)) == pytest.approx(float(total_variation(tile)), rel=0.1)


class Scaled(nn.Module):
    """A network that is given `scale` times what the other is given, and undoes it."""

    def __init__(self, model: nn.Module, scale: float) -> None:
        super().__init__()
        self.model, self.scale = model, scale

    def forward(self, x: Tensor) -> Any:
        return self.model(x / self.scale)


@pytest.mark.parametrize("weights", [{}, {"tv": 0.3}, {"tv": 0, "l2": 0.3}, {"p_norm": 3.0}])
def test_weights_mean_the_same_for_every_normalisation(weights: dict[str, Any]) -> None:
    net = climbed(mean=0.4, std=0.25)
    bytes_net = cw.Network(Scaled(net.model, 255), input_size=(3, 12, 12), mean=0.4, std=0.25 / 255)
    asked: dict[str, Any] = {"steps": 6, "optimizer": "sgd", **weights}
    *_, one = cw.ascend(net, "conv2:3", **asked)
    *_, other = cw.ascend(bytes_net, "model.conv2:3", **asked)
    assert torch.allclose(one.image, other.image / 255, atol=1e-4)
    assert other.gradient_norm == pytest.approx(one.gradient_norm / 255, rel=1e-3)


@pytest.mark.parametrize(("name", "degree"), [("tv", 2), ("l2", 2), ("p_norm", 6)])
def test_published_weights(name: str, degree: int) -> None:
    """A weight for pixels in [0, 255] is 255 to the penalty's degree as much in [0, 1]."""
    x, mean = pictures(2, 3, 6, 6), torch.full((3, 1, 1), 0.3)
    none = {"tv": 0.0, "l2": 0.0, "p_norm": 0.0}
    published = Settings(**none | {name: 1e-3}, scale=255.0)  # type: ignore[arg-type]
    ours = Settings(**none | {name: 1e-3 * 255.0**degree})  # type: ignore[arg-type]
    found, expected = (
        one.downhill(x, mean, one.smoothing(torch.ones_like(x))) for one in (published, ours)
    )
    assert torch.allclose(found, expected, rtol=1e-3)


def test_the_usual_weight_follows_the_unit() -> None:
    x, mean = pictures(2, 3, 6, 6), torch.zeros(3, 1, 1)
    up = torch.randn(2, 3, 6, 6, generator=dice())
    weights = Settings().smoothing(up)
    one = Settings().downhill(x, mean, weights)
    assert 0.1 < float(one.norm() / up.norm()) < 10
    assert torch.allclose(Settings().smoothing(1000 * up), 1000 * weights, rtol=1e-4)
    assert torch.allclose(Settings(calm=[1.0, 0.0]).smoothing(up)[1:], torch.zeros(1))
    published = Settings(scale=255.0)
    same = published.downhill(x, mean, published.smoothing(up))
    assert torch.allclose(same, one, rtol=1e-3, atol=1e-6)


def test_frames_carry_the_weight_that_was_used() -> None:
    """What is automatic can be asked for by its number, and gives the same step."""
    net = climbed(std=[0.2, 0.3, 0.4])
    asked: dict[str, Any] = {"steps": 1, "lr": 0.1}
    start, usual = cw.ascend(net, "conv2:3", **asked)
    _, given = cw.ascend(net, "conv2:3", tv=start.tv, **asked)
    _, other = cw.ascend(net, "conv2:3", tv=3 * start.tv, **asked)
    assert start.tv > 0
    assert torch.allclose(given.image, usual.image, atol=1e-5)
    assert not torch.allclose(other.image, usual.image, atol=1e-3)
    assert next(cw.ascend(net, "conv2:3", tv=0.25)).tv == 0.25


@pytest.mark.parametrize("name", ["tv", "l2", "p_norm"])
def test_penalties_work(name: str) -> None:
    measure: dict[str, Callable[[Tensor], Tensor]] = {
        "tv": total_variation,
        "l2": lambda x: l2(x - 0.5),
        "p_norm": lambda x: p_norm(x - 0.5),
    }
    net = climbed(mean=0.5)
    asked: dict[str, Any] = {"steps": 40, "lr": 0.1, "tv": 0}
    *_, free = cw.ascend(net, "conv2:3", **asked)
    *_, held = cw.ascend(net, "conv2:3", **asked | {name: 100.0})
    rough, calm = (float(measure[name](f.image[None] + 0.5)) for f in (free, held))
    assert calm < 0.3 * rough


@pytest.mark.parametrize("size", [(8, 8), (9, 14), (13, 7), (1, 5)])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_fourier_there_and_back(size: tuple[int, int], channels: int) -> None:
    held = Fourier(size, channels, CPU)
    x = pictures(2, channels, *size) * 0.9 + 0.05
    assert torch.allclose(held.decode(held.encode(x)), x, atol=1e-5)
    noise = held.decode(held.noise((1, channels, *size), dice()))
    assert noise.shape == (1, channels, *size)
    assert float((noise - 0.5).abs().max()) < 0.2


def test_fourier_is_decorrelated() -> None:
    """White coefficients make noise with energy ∝ 1/f², and colours correlated as in ImageNet."""
    held = Fourier((64, 64), 3, CPU)
    parameters = torch.randn(300, 3, 64, 33, 2, generator=dice()) * 0.01
    plain = held.decode(parameters).logit()
    power = torch.fft.rfft2(plain).abs().square().mean((0, 1))
    assert float(power[0, 4] / power[0, 16]) == pytest.approx(16, rel=0.3)
    colours = torch.corrcoef(plain.transpose(0, 1).flatten(1))
    assert 0.8 < float(colours[0, 1]) < 1
    grey = Fourier((64, 64), 2, CPU).decode(parameters[:, :2]).logit()
    assert abs(float(torch.corrcoef(grey.transpose(0, 1).flatten(1))[0, 1])) < 0.2


def test_pixels_are_clipped() -> None:
    held = Pixels(CPU)
    assert torch.equal(held.limit(torch.tensor([-1.0, 0.5, 2.0])), torch.tensor([0, 0.5, 1]))
    net = climbed()
    *_, last = cw.ascend(net, "conv2:3", parametrization="pixel", lr=0.5, steps=10)
    assert float(last.image.min()) == 0
    assert float(last.image.max()) == 1


def test_jitter_moves_by_whole_pixels() -> None:
    x = pictures(1, 2, 9, 11)
    seen = set()
    for seed in range(40):
        map_ = drawn((9, 11), dice(seed), jitter=2, zoom=0, rotation=0)
        down, across = float(map_[1, 2]) * 9 / 2, float(map_[0, 2]) * 11 / 2
        moved = transformed(x, map_[None])
        rows = torch.arange(2, 7) + round(down)
        columns = torch.arange(2, 9) + round(across)
        assert torch.allclose(moved[:, :, 2:7, 2:9], x[:, :, rows][..., columns], atol=1e-5)
        seen.add((round(down), round(across)))
    assert {max(abs(d), abs(a)) for d, a in seen} == {0, 1, 2}


def test_rotation_and_zoom() -> None:
    turns = [drawn((8, 16), dice(s), jitter=0, zoom=0.1, rotation=30) for s in range(200)]
    stretch = torch.tensor([[1.0, 2.0], [0.5, 1.0]])  # back from units of half the size
    plain = torch.stack([turn[:, :2] * stretch for turn in turns])
    plain[:, 0, 1], plain[:, 1, 0] = plain[:, 0, 1], plain[:, 1, 0]
    factors = plain.det().sqrt()
    assert 1 / 1.1 - 1e-4 < float(factors.min()) < 0.92
    assert 1.08 < float(factors.max()) < 1.1 + 1e-4
    angles = torch.atan2(plain[:, 1, 0], plain[:, 0, 0]).rad2deg()
    assert 27 < float(angles.max()) < 30.01
    assert -30.01 < float(angles.min()) < -27
    assert torch.allclose(plain[:, 0, 0], plain[:, 1, 1])
    quarter = torch.tensor([[[0.0, -1, 0], [1, 0, 0]]])
    x = pictures(1, 1, 8, 8)
    assert torch.allclose(
        transformed(x, quarter), x.rot90(-1, (2, 3)), atol=1e-5
    ) or torch.allclose(transformed(x, quarter), x.rot90(1, (2, 3)), atol=1e-5)


def test_pictures_are_moved_as_by_torch() -> None:
    x = pictures(3, 2, 9, 14)
    maps = [drawn((9, 14), dice(seed), jitter=2, zoom=0.1, rotation=20) for seed in range(3)]
    grid = functional.affine_grid(torch.stack(maps), list(x.shape), align_corners=False)
    expected = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    assert torch.allclose(transformed(x, torch.stack(maps)), expected, atol=1e-5)


def test_blur() -> None:
    x = torch.zeros(1, 2, 21, 21)
    x[0, 0, 10, 10] = 1
    out = blurred(x, 1.5)
    ratio = float(out[0, 0, 10, 12] / out[0, 0, 10, 10])
    assert ratio == pytest.approx(math.exp(-(2**2) / (2 * 1.5**2)), rel=1e-4)
    assert float(out.sum()) == pytest.approx(1, abs=1e-4)
    assert float(out[0, 1].abs().max()) == 0
    assert torch.allclose(blurred(torch.full((1, 1, 4, 4), 0.7), 2.0), torch.tensor(0.7))


def test_clipping() -> None:
    x = pictures(2, 3, 10, 10)
    mean = torch.full((3, 1, 1), 0.5)
    out = clipped(x, mean, 0.3)
    at_mean = (out == mean).all(1)
    assert at_mean.float().mean((1, 2)).tolist() == pytest.approx([0.3, 0.3], abs=0.011)
    norms = (x - mean).norm(dim=1)
    assert float(norms[at_mean].max()) <= float(norms[~at_mean].min()) + 0.05


@pytest.mark.parametrize(("name", "value"), [("blur_sigma", 1.0), ("clip", 0.5)])
def test_edits_work_in_both_parametrisations(name: str, value: float) -> None:
    net = climbed(mean=0.5)
    for held in ("fourier", "pixel"):
        asked: dict[str, Any] = {"parametrization": held, "steps": 21, "tv": 0, "lr": 0.1}
        *_, free = cw.ascend(net, "conv2:3", **asked)
        *_, edited = cw.ascend(net, "conv2:3", **asked | {name: value})
        if name == "blur_sigma":
            assert total_variation(edited.image[None]) < 0.5 * total_variation(free.image[None])
        else:
            at_mean = (edited.image.abs() < 1e-3).all(0).float().mean()
            assert 0.4 < float(at_mean) < 0.6


def test_starts() -> None:
    net = climbed(mean=[0.2, 0.4, 0.6], std=0.5)
    exact: dict[str, Any] = {"parametrization": "pixel", "steps": 1}
    black = next(cw.ascend(net, "conv2:1", start="zeros", **exact)).image
    assert int(net.restore(black[None]).max()) == 0
    mean = next(cw.ascend(net, "conv2:1", start="mean", **exact)).image
    assert float(mean.abs().max()) < 1e-6
    photograph = torch.randint(0, 256, (30, 40, 3), generator=dice(), dtype=torch.uint8).numpy()
    for held in ("pixel", "fourier"):
        asked = exact | {"parametrization": held, "start": photograph}
        start = next(cw.ascend(net, "conv2:1", **asked)).image
        shown, expected = (
            net.restore(x).astype(int) for x in (start[None], net.prepare(photograph))
        )
        assert abs(shown - expected).max() <= 1
        assert next(cw.ascend(net, "conv2:1", size=20, **asked)).image.shape == (3, 20, 20)
    for seed in (0, 1):
        noise = next(cw.ascend(net, "conv2:1", seed=seed, **exact)).image * 0.5
        assert 0.005 < float(noise.std(dim=(1, 2)).mean()) < 0.02


def test_black_moves() -> None:
    """The sigmoid's ends are not reached, so that it can be left again."""
    net = climbed()
    *_, last = cw.ascend(net, "conv2:3", start="zeros", steps=60, lr=0.1)
    assert float(last.image.max()) > 0.3


def score_of(net: cw.Network, objective: Any) -> float:
    return next(cw.ascend(net, objective, start=pictures(3, 12, 12), **STILL)).score


def test_arithmetic_of_objectives() -> None:
    net = climbed()
    one, two, three = (cw.Channel("conv1", 1), cw.Channel("conv2", 2), cw.Class(3))
    a, b, c = (score_of(net, objective) for objective in (one, two, three))
    assert score_of(net, one + 2 * two - three / 4) == pytest.approx(a + 2 * b - c / 4, abs=1e-5)
    assert score_of(net, -(one - two) * 3) == pytest.approx(-3 * (a - b), abs=1e-5)
    assert score_of(net, sum([one, two, three])) == pytest.approx(a + b + c, abs=1e-5)
    with pytest.raises(TypeError):
        one + 1
    with pytest.raises(TypeError):
        one * two  # type: ignore[operator]


def test_a_layer_that_is_overwritten_later_counts_as_it_was() -> None:
    net = climbed()
    before, after = cw.Channel("conv2", 2), cw.Channel("relu2", 2)
    a, b = score_of(net, before), score_of(net, after)
    assert a < b
    assert score_of(net, before + after) == pytest.approx(a + b, abs=1e-6)


def test_directions() -> None:
    net = climbed()
    vector = torch.tensor([0.0, 3.0, 0.0, -4.0, 0.0])
    parts = [score_of(net, cw.Channel("conv2", i)) for i in (1, 3)]
    expected = 0.6 * parts[0] - 0.8 * parts[1]
    assert score_of(net, cw.Direction("conv2", vector)) == pytest.approx(expected, abs=1e-5)


def test_functions_of_a_layer() -> None:
    net = climbed()
    largest = Function(lambda maps: maps[:, 1].flatten(1).max(1).values, "conv1")
    frame = next(cw.ascend(net, largest, **STILL))
    maps = net.activations(frame.image, ["conv1"])["conv1"]
    assert frame.score == pytest.approx(float(maps[:, 1].max()), abs=1e-5)


def test_diversity() -> None:
    net = climbed()
    like = [0.0, 0.0]
    for index, weight in enumerate((0.0, 10.0)):
        objective = cw.Channel("conv1", 1) + weight * Diversity("conv1")
        *_, frames = Ascent(net, objective, range(3), Settings(tv=0, lr=0.2), steps=40)
        maps = net.activations(torch.stack([f.image for f in frames]), ["conv1"])["conv1"]
        grams = torch.einsum("nihw,njhw->nij", maps, maps).flatten(1)
        like[index] = float(torch.corrcoef(grams).mean())
    assert like[1] < like[0] - 0.02
    alone = next(iter(Ascent(net, Diversity("conv1"), [1, 1], Settings(**STILL))))
    assert alone[0].score == pytest.approx(-1, abs=1e-4)
