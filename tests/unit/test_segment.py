"""GrabCut finds the object that an attribution hints at."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import cnnwidgets as cw

if TYPE_CHECKING:
    from numpy.typing import NDArray

needs_opencv = pytest.mark.skipif(
    not __import__("importlib.util").util.find_spec("cv2"), reason="the extra segment"
)


def scene() -> tuple[NDArray[np.uint8], torch.Tensor, NDArray[np.bool_]]:
    """A reddish disc on a greenish ground, an attribution of only its middle, and the disc."""
    rows, columns = np.mgrid[:64, :48]
    far = np.hypot(rows - 30, columns - 22)
    disc = far < 14
    noise = np.random.default_rng(0).integers(-20, 20, (64, 48, 3))
    picture = np.where(disc[..., None], (200, 60, 50), (40, 140, 60)) + noise
    return picture.astype(np.uint8), torch.from_numpy(np.maximum(0.0, 40 - far)), disc


@needs_opencv
def test_object_is_found() -> None:
    picture, hint, disc = scene()
    found = cw.segment(picture, hint)
    both, either = found.foreground & disc, found.foreground | disc
    assert both.sum() / either.sum() > 0.97
    assert np.array_equal(found.picture, picture)
    assert np.array_equal(found.cutout[..., :3], picture)
    assert np.array_equal(found.cutout[..., 3] == 255, found.foreground)


@needs_opencv
def test_result_is_always_the_same() -> None:
    cv2: Any = pytest.importorskip("cv2")
    picture = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    hint = torch.rand(40, 40, generator=torch.Generator().manual_seed(0))
    cv2.setRNGSeed(5)
    first = cw.segment(picture, hint).foreground
    drawn = cv2.randu(np.zeros(4), 0, 1).tolist()
    assert np.array_equal(cw.segment(picture, hint).foreground, first)
    cv2.setRNGSeed(5)
    assert cv2.randu(np.zeros(4), 0, 1).tolist() == drawn


@needs_opencv
def test_picture_of_another_size_is_cropped_as_for_the_network() -> None:
    picture, hint, _ = scene()
    large = np.kron(picture, np.ones((2, 2, 1), np.uint8))
    wide = np.pad(large, ((0, 0), (30, 30), (0, 0)))
    assert cw.segment(wide, hint).picture.shape == (64, 48, 3)
    close = cw.segment(wide, hint).foreground == cw.segment(picture, hint).foreground
    assert close.mean() > 0.97
    grey = cw.segment(picture.mean(2).astype(np.uint8), hint)
    assert grey.picture.shape == (64, 48, 3)


@needs_opencv
def test_unknown_pixels_are_no_seeds() -> None:
    picture, hint, disc = scene()
    hint[:, :6] = float("nan")
    found = cw.segment(picture, hint)
    assert (found.foreground == disc).mean() > 0.97


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attribution": torch.zeros(7, 7)}, "7 × 7 is too coarse; .*upsample=True"),
        ({"attribution": torch.ones(64, 48)}, "all values are equal"),
        ({"attribution": torch.zeros(3, 64, 48)}, r"\[3, 64, 48\]; give one value per pixel"),
        ({"foreground": 20.0}, "foreground, background: 20.0, 30.0; give percentiles"),
        ({"background": -1.0}, "foreground, background: 95.0, -1.0; give percentiles"),
        ({"rounds": 0}, "rounds: 0; give a whole number from 1 on"),
    ],
)
def test_refusals(change: dict[str, Any], says: str) -> None:
    picture, hint, _ = scene()
    given: dict[str, Any] = {"attribution": hint} | change
    with pytest.raises(ValueError, match=says):
        cw.segment(picture, **given)


def test_preprocessed_picture_is_refused() -> None:
    with pytest.raises(TypeError, match=r"image: floats; give the picture itself, or net\.restore"):
        cw.segment(torch.zeros(3, 64, 48), scene()[1])


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    picture, hint, _ = scene()
    with pytest.raises(ImportError, match=r'pip install "cnnwidgets\[segment\]"'):
        cw.segment(picture, hint)
