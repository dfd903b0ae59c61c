"""SmoothGrad, VarGrad and integrated gradients: Captum's numbers, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from captum.attr import NoiseTunnel, Saliency
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets import attribution
from cnnwidgets.attribution.fills import filled
from tests.architectures import ARCHITECTURES
from tests.explained import Explained, Scored, assert_same, captum, cases
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def network(model: nn.Module, x: Tensor) -> cw.Network:
    return cw.Network(model, input_size=tuple(x.shape[1:]))


def tunnel(model: nn.Module, x: Tensor, kind: str, samples: int, noise: float) -> Tensor:
    """Captum's NoiseTunnel with the normal numbers of our generator instead of the global one."""
    dice = torch.Generator().manual_seed(0)

    class Tunnel(NoiseTunnel):  # type: ignore[misc]
        @staticmethod
        def _add_noise_to_input(given: Tensor, stdev: float, count: int) -> Tensor:
            shape = given.shape[1:]
            draws = [torch.randn(shape, generator=dice) for _ in range(count)]
            return given + (torch.stack(draws) * stdev).to(given)

    spread = noise * float(x.max() - x.min())
    found: Tensor = Tunnel(Saliency(model)).attribute(
        x.clone(), nt_type=kind, nt_samples=samples, stdevs=spread, target=2, abs=False
    )
    return found[0].detach()


@settings(max_examples=15, deadline=None)
@given(
    case=cases(),
    samples=st.integers(2, 9),
    noise=st.sampled_from([0.0, 0.1, 0.5]),
    batch=st.integers(1, 10),
)
def test_smoothing_is_captums(
    case: tuple[Explained, Tensor], samples: int, noise: float, batch: int
) -> None:
    model, x = case
    net, twin = network(model, x), Scored(model)
    with assert_untouched(model, also=(x,)):
        mean = cw.smoothgrad(net, x, 2, samples=samples, noise=noise, batch=batch)
        variance = cw.vargrad(net, x, 2, samples=samples, noise=noise, batch=batch)
    assert_same(mean, tunnel(twin, x, "smoothgrad", samples, noise))
    largest = float(mean.square().max())
    gap = variance - tunnel(twin, x, "vargrad", samples, noise)
    assert float(gap.abs().max()) <= 1e-10 * max(largest, 1e-12)
    assert bool((variance >= 0).all())


@settings(max_examples=15, deadline=None)
@given(case=cases(), steps=st.integers(1, 20), batch=st.integers(1, 8), black=st.booleans())
def test_integrated_gradients_are_captums(
    case: tuple[Explained, Tensor],
    steps: int,
    batch: int,
    black: bool,  # noqa: FBT001
) -> None:
    model, x = case
    baseline = torch.full_like(x[0], -1.5) if black else 0.0
    with assert_untouched(model, also=(x, baseline)):
        found = cw.integrated_gradients(
            network(model, x), x, 2, steps=steps, baseline=baseline, batch=batch
        )
    baselines = baseline[None] if isinstance(baseline, Tensor) else baseline
    expected = captum(
        "IntegratedGradients", Scored(model), x, target=2, n_steps=steps, baselines=baselines
    )
    assert_same(found, expected, 1e-5)  # Captum rounds the weights to float32


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture(name: str) -> None:
    model, x = ARCHITECTURES[name]()
    net, twin = network(model, x), Scored(model)
    target = int(twin(x).argmax())
    with assert_untouched(model, also=(x,)):
        smooth = cw.smoothgrad(net, x, samples=10, noise=0.2)
        integrated = cw.integrated_gradients(net, x, steps=20, baseline=0.0)
    if target == 2:
        assert_same(smooth, tunnel(twin, x, "smoothgrad", 10, 0.2), 1e-3)
    expected = captum("IntegratedGradients", twin, x, target=target, n_steps=20)
    assert_same(integrated, expected, 1e-3)


def test_pixels_sum_to_the_change_of_the_score() -> None:
    model, x = ARCHITECTURES["resnet18"]()
    net, x = network(model, x), x + 3
    found = cw.integrated_gradients(net, x, 3, steps=200, baseline="blur")
    before = net.output(filled(net, x, "blur"))[0, 3]
    assert float(found.sum()) == pytest.approx(float(net.output(x)[0, 3] - before), rel=0.02)


STREAMS: dict[str, dict[str, Any]] = {
    "smoothgrad": {"samples": 21},
    "vargrad": {"samples": 21},
    "integrated_gradients": {"steps": 21},
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams_end_where_one_shot_is(name: str) -> None:
    model, x = ARCHITECTURES["resnet18"]()
    net = network(model, x)
    stream: Callable[..., Iterator[attribution.Progress]] = getattr(attribution, f"iter_{name}")
    parts = list(stream(net, x, batch=8, **STREAMS[name]))
    assert [(part.done, part.total) for part in parts] == [(8, 21), (16, 21), (21, 21)]
    whole = getattr(cw, name)(net, x, batch=8, **STREAMS[name])
    assert torch.equal(parts[-1].attribution, whole)
    assert not torch.equal(parts[0].attribution, whole)  # and not overwritten later
    other = getattr(cw, name)(net, x, batch=5, **STREAMS[name])
    assert_same(other, whole, 1e-3)
    gaps = [float((part.attribution - whole).norm() / whole.norm()) for part in parts]
    assert gaps[0] < 0.7
    assert gaps[1] < gaps[0]


def test_first_copies_do_not_depend_on_how_many_follow() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    first = next(attribution.iter_smoothgrad(model, x, samples=50, batch=4))
    assert torch.equal(first.attribution, cw.smoothgrad(model, x, samples=4, batch=4))


def test_predicted_class_is_that_of_the_picture_without_noise() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = network(model, x)
    target = net.predict(x)[0].index
    with assert_untouched(model):
        found = cw.smoothgrad(net, x, samples=3, noise=5.0)
    assert torch.equal(found, cw.smoothgrad(net, x, target, samples=3, noise=5.0))
    x, baseline = torch.randn(1, 3, 32, 32), 40 * torch.randn(3, 32, 32)
    target = net.predict(x)[0].index
    assert torch.equal(
        cw.integrated_gradients(net, x, steps=2, baseline=baseline),
        cw.integrated_gradients(net, x, target, steps=2, baseline=baseline),
    )


def test_estimates_on_the_way_are_of_the_whole_way() -> None:
    """Of a linear network every gradient is the same, so the first batch says it all."""
    dense = nn.Linear(192, 3).double()
    model = nn.Sequential(nn.Flatten(), dense)
    x = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    for part in attribution.iter_integrated_gradients(network(model, x), x, 1, steps=9, batch=2):
        assert_same(part.attribution, (dense.weight[1].view(3, 8, 8) * x[0]).detach())


def test_models_that_need_the_usual_order_of_values() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    orders: list[bool] = []

    class Flat(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            orders.append(x.is_contiguous())
            return x.view(len(x), -1)

    expected = cw.smoothgrad(model, x, 2, samples=9, batch=3)
    model.add_module("12", Flat())
    net = network(model, x)
    assert net.layers
    orders.clear()
    assert_same(cw.smoothgrad(net, x, 2, samples=9, batch=3), expected, 1e-3)
    assert orders == [False, True, True, True]


def test_batches_are_bounded() -> None:
    sizes: list[int] = []

    class Counts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            return x.mean((2, 3))

    net = cw.Network(Counts(), input_size=(3, 224, 224))
    cw.smoothgrad(net, torch.randn(3, 224, 224), 0, samples=20)
    assert sizes[-3:] == [8, 8, 4]
    cw.integrated_gradients(net, torch.randn(3, 224, 224), 0, steps=10)
    assert sizes[-2:] == [8, 2]
    cw.smoothgrad(net, torch.randn(3, 16, 16), 0, samples=200)
    assert max(sizes) == 64


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    net = network(model.to(dtype), x)
    for name in STREAMS:
        found = getattr(cw, name)(net, x, 1)
        assert found.dtype == torch.float32
        assert bool(found.isfinite().all())
        assert bool((found != 0).any())


def test_dropout_that_never_stops_draws_from_private_dice() -> None:
    class Dropping(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.dropout(x, training=True).mean((2, 3))

    model, x = Dropping(), torch.randn(1, 3, 8, 8)
    net = network(model, x)
    with assert_untouched(model):
        first = cw.smoothgrad(net, x, samples=4)
        assert torch.equal(first, cw.smoothgrad(net, x, samples=4))


def test_the_variance_of_one_is_none() -> None:
    model, x = ARCHITECTURES["first_cnn"]()
    with pytest.raises(ValueError, match="samples: 1; a variance needs 2 or more"):
        cw.vargrad(network(model, x), x, 1, samples=1)
