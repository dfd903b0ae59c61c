"""What patches show."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

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


@pytest.mark.parametrize(
    "fill", ["mean", "blur", "noise", "black", "white", "#ff0000", (0, 0, 255)]
)
def test_named_fills_have_the_size_of_the_picture(fill: Any) -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    x = torch.rand(3, 20, 30)  # the network, asked for its size, would say 224
    net = cw.Network(model)
    assert filled(net, x[None], fill).shape == (1, 3, 20, 30)
    assert cw.occlusion(model, x, window=8, fill=fill).complete
    assert cw.OcclusionProbe(model, x).at(2, 2, 8, fill).isfinite().all()
    if fill == "#ff0000":
        assert filled(net, x[None], fill)[0, :, 5, 25].tolist() == [1, 0, 0]


@pytest.mark.parametrize("value", [73, 300, -5, 2.1])
def test_a_number_that_no_pixel_has_is_doubted(net: cw.Network, value: float) -> None:
    x = torch.zeros(1, 3, 16, 16)
    with pytest.warns(UserWarning, match=f"a fill of {value:g}: .* pixels are -2 to 2"):
        assert (filled(net, x, value) == value).all()


def test_the_doubt_names_the_grey_that_was_meant(net: cw.Network, x: torch.Tensor) -> None:
    with pytest.warns(UserWarning, match="for grey 73 of 255 give '#494949'"):
        filled(net, x, 73)


def test_numbers_of_pixels_are_not_doubted(net: cw.Network) -> None:
    filled(net, torch.zeros(1, 3, 16, 16), 2)
    filled(net, torch.full((1, 3, 16, 16), 73.0), 73)


@pytest.mark.parametrize("fill", [(10,), (300, 0, 0), (0.5, 0, 0), [1, 2, 3, 4]])
def test_a_colour_is_three_bytes(net: cw.Network, x: torch.Tensor, fill: Any) -> None:
    with pytest.raises(ValueError, match=r"fill: .*; give \(red, green, blue\), each a whole"):
        filled(net, x, fill)


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
