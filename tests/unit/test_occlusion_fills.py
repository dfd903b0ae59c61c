"""What patches show."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import cnnwidgets as cw
from cnnwidgets.attribution.fills import filled
from tests.small import noise, small_model


@pytest.fixture
def net() -> cw.Network:
    return cw.Network(small_model(), input_size=16, mean=0.5, std=0.25)


@pytest.fixture
def x(net: cw.Network) -> torch.Tensor:
    return net.prepare(noise(0))


def test_mean_colour(net: cw.Network, x: torch.Tensor) -> None:
    found = filled(net, x, "mean")
    assert found.shape == x.shape
    torch.testing.assert_close(found, x.mean((2, 3), keepdim=True).expand_as(x))


def test_value_and_tensor(net: cw.Network, x: torch.Tensor) -> None:
    assert (filled(net, x, -1.5) == -1.5).all()
    given = torch.randn(3, 16, 16)
    assert torch.equal(filled(net, x, given), given[None])
    assert torch.equal(filled(net, x, given[:, :1, :1]), given[None, :, :1, :1].expand_as(x))


@pytest.mark.parametrize(
    ("color", "rgb"),
    [
        ("red", (255, 0, 0)),
        ("#00ff80", (0, 255, 128)),
        ((1, 2, 3), (1, 2, 3)),
        ("white", (255,) * 3),
    ],
)
def test_colours_are_normalised_as_pictures_are(
    net: cw.Network, x: torch.Tensor, color: Any, rgb: tuple[int, int, int]
) -> None:
    found = filled(net, x, color)
    expected = (torch.tensor(rgb) / 255 - 0.5) / 0.25
    torch.testing.assert_close(found, expected[None, :, None, None].expand_as(x))


def test_noise_is_seeded_and_like_the_picture(net: cw.Network, x: torch.Tensor) -> None:
    found = filled(net, x, "noise", seed=3)
    assert torch.equal(found, filled(net, x, "noise", seed=3))
    assert not torch.equal(found, filled(net, x, "noise", seed=4))
    torch.testing.assert_close(found.std((2, 3)), x.std((2, 3)), rtol=0.3, atol=0)


def test_blur_keeps_what_is_even_and_smooths_the_rest(net: cw.Network, x: torch.Tensor) -> None:
    even = torch.full_like(x, 0.3)
    torch.testing.assert_close(filled(net, even, "blur"), even)
    found = filled(net, x, "blur")
    assert found.shape == x.shape
    assert (found.std((2, 3)) < 0.5 * x.std((2, 3))).all()
    torch.testing.assert_close(found.mean(), x.mean(), rtol=0, atol=0.1)


def test_a_sweep_shows_the_part_of_the_fill_that_is_there(x: torch.Tensor) -> None:
    fill = torch.arange(3 * 16 * 16.0).view(3, 16, 16)
    net = cw.Network(small_model(), input_size=16)
    found = cw.occlusion(net, x, 0, window=8, stride=8, fill=fill, measure="logit")
    copy = x.clone()
    copy[..., 8:, :8] = fill[:, 8:, :8]
    expected = net.output(copy)[0, 0]
    torch.testing.assert_close(found.scores[1, 0], expected)
