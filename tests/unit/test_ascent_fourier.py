"""Frequencies of the Fourier parametrisation, of pictures that are not square as well."""

from __future__ import annotations

import math

import pytest
import torch

from cnnwidgets.ascent.parametrizations import LONGEST, Fourier


def amplitude(size: tuple[int, int], rows: int, columns: int) -> float:
    """How strong a wave of so many cycles is for a coefficient of 1, before the sigmoid."""
    held = Fourier(size, 1, torch.device("cpu"))
    parameters = torch.zeros(1, 1, size[0], size[1] // 2 + 1, 2)
    parameters[0, 0, rows, columns, 0] = 1
    plain = held.decode(parameters)[0, 0].double().logit()
    down = torch.arange(size[0])[:, None] * rows / size[0]
    across = torch.arange(size[1]) * columns / size[1]
    wave = (2 * math.pi * (down + across)).cos().double()
    found = float((plain * wave).sum() / wave.square().sum())
    assert torch.allclose(plain, found * wave, atol=1e-4)  # nothing but this wave
    return found


@pytest.mark.parametrize("size", [(12, 20), (20, 12), (13, 20), (16, 16)])
def test_a_coefficient_weighs_the_inverse_of_its_frequency_in_pixels(size: tuple[int, int]) -> None:
    for rows, columns in ((2, 1), (0, 3), (3, 0), (1, 4)):
        frequency = math.hypot(rows / size[0], columns / size[1])
        twice = 2 if columns else 1  # half of the spectrum stands for all of it
        expected = twice / frequency / math.sqrt(size[0] * size[1]) / 4
        assert amplitude(size, rows, columns) == pytest.approx(expected, rel=1e-3)


def test_waves_of_one_length_weigh_alike_along_both_axes() -> None:
    assert amplitude((12, 20), 3, 1) > amplitude((12, 20), 3, 4)
    along, across = amplitude((20, 40), 0, 4), amplitude((40, 20), 0, 2)
    assert along == pytest.approx(across, rel=1e-3)


def test_long_waves_weigh_no_more_than_others() -> None:
    """Else they alone bleach whole areas of large pictures."""
    size = 2 * LONGEST, 3 * LONGEST
    at_most = amplitude(size, 0, 3)
    assert amplitude(size, 0, 1) == pytest.approx(at_most, rel=1e-3)
    assert amplitude(size, 1, 1) == pytest.approx(at_most, rel=1e-3)
    assert amplitude(size, 0, 6) == pytest.approx(at_most / 2, rel=1e-3)
