from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnnwidgets import images

if TYPE_CHECKING:
    from collections.abc import Callable

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RED = (200, 30, 40)


def red(mode: str, size: tuple[int, int] = (12, 10)) -> Image.Image:
    return Image.new("RGB", size, RED).convert(mode)


def gradient(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    pixels = [255 * rows / height, 255 * columns / width, 128 + 0 * rows]
    return np.stack(pixels, axis=2).astype(np.uint8)


def pixels_of(image: Any, channels: int = 3) -> np.ndarray:
    read = images.read(image, channels)
    assert isinstance(read, Image.Image)
    assert read.mode == ("RGB" if channels == 3 else "L")
    return np.asarray(read)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "RGBa", "P", "CMYK", "YCbCr", "HSV"])
def test_colour_modes(mode: str) -> None:
    picture = red("RGBA" if mode == "RGBa" else "RGB")
    picture = picture.quantize(4) if mode == "P" else picture.convert(mode)
    assert picture.mode == mode
    assert np.abs(pixels_of(picture).astype(int) - RED).max() <= 3
    assert np.ptp(pixels_of(picture, 1)) == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "PA", "I", "F", "I;16", "I;16L", "I;16B"])
def test_grey_modes(mode: str) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    if mode == "1":
        ramp = np.where(ramp > 127, 255, 0).astype(np.uint8)
    grey = Image.fromarray(ramp)
    if mode.startswith("I;16"):
        order = ">" if mode.endswith("B") else "<"
        data = (ramp.astype(np.uint32) * 257).astype(order + "u2").tobytes()
        picture = Image.frombytes(mode, (16, 16), data)
    else:
        picture = grey.convert("LA").convert(mode) if mode in {"La", "PA"} else grey.convert(mode)
    assert picture.mode == mode
    np.testing.assert_array_equal(pixels_of(picture, 1), ramp)
    np.testing.assert_array_equal(pixels_of(picture, 3), ramp[..., None].repeat(3, axis=2))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0, np.nan]], np.float32), [0, 128, 255, 0]),
        (np.array([[0.0, 255.0, 100.4, -3.0]], np.float32), [0, 255, 100, 0]),
        (np.array([[0, 65535, 32896, 257]], np.int32), [0, 255, 128, 1]),
        (np.array([[0, 200, 7, 1]], np.int32), [0, 200, 7, 1]),
    ],
)
def test_full_scale_of_deep_pictures(values: np.ndarray, expected: list[int]) -> None:
    assert pixels_of(Image.fromarray(values), 1).tolist() == [expected]


def test_sixteen_bit_png(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert np.abs(pixels_of(tmp_path / "deep.png", 1) - ramp / 257.0).max() <= 0.5


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (4, 4), (*RED, 0))
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 51))
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([*RED, 0, 0, 0])
    palette.save(tmp_path / "clear.gif", transparency=0)
    red("RGB").save(tmp_path / "key.png", transparency=RED)
    grey = Image.new("LA", (4, 4), (0, 0))
    for picture in (clear, tmp_path / "clear.gif", tmp_path / "key.png", grey):
        assert (pixels_of(picture) == 255).all()
        assert (pixels_of(picture, 1) == 255).all()
    assert (pixels_of(half) == 204).all()


def test_a_mode_that_pillow_cannot_convert(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("conversion not supported")

    monkeypatch.setattr(Image.Image, "convert", refuse)
    with pytest.raises(ValueError, match="mode LAB: conversion not supported"):
        images.read(Image.new("LAB", (2, 2)), 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_exif_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    """Whatever the camera wrote, the picture stands upright: bright on top, wide."""
    upright = np.zeros((1200, 1800), np.uint8)
    upright[:600] = 255
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }
    stored = turns[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=95)
    x = images.prepare(path, (1, 100, 150))[0, 0]
    assert x[:48].min() > 0.97
    assert x[52:].max() < 0.03


def test_prepare_and_restore_are_inverse() -> None:
    pixels = gradient(32, 48)
    x = images.prepare(pixels, (3, 32, 48), MEAN, STD)
    assert x.shape == (1, 3, 32, 48)
    assert x.dtype == torch.float32
    expected = (pixels[5, 7] / 255 - MEAN) / STD
    np.testing.assert_allclose(x[0, :, 5, 7], expected, rtol=1e-5)
    np.testing.assert_array_equal(images.restore(x, MEAN, STD)[0], pixels)
    grey = images.prepare(pixels[..., 0], (1, 32, 48), 0.3, 0.3)
    np.testing.assert_array_equal(images.restore(grey, 0.3, 0.3)[0, ..., 0], pixels[..., 0])


def test_restore_survives_what_networks_make() -> None:
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.5, 7]).reshape(1, 1, 1, 5)
    x.requires_grad_()
    assert images.restore(x).ravel().tolist() == [0, 255, 0, 128, 255]
    assert images.restore(torch.rand(2, 5, 3, 4, dtype=torch.bfloat16)).shape == (2, 3, 4, 5)


def test_all_forms_of_the_same_pixels_agree(tmp_path: Path) -> None:
    pixels = gradient(40, 30)
    path = tmp_path / "Ünïcode <img src=x>.png"
    Image.fromarray(pixels).save(path)
    forms: list[Any] = [
        path,
        str(path),
        io.BytesIO(path.read_bytes()),
        Image.fromarray(pixels),
        pixels,
    ]
    forms += [torch.from_numpy(pixels), np.dstack([pixels, np.full((40, 30), 255, np.uint8)])]
    with path.open("rb") as file:
        prepared = [images.prepare(form, (3, 20, 20)) for form in [*forms, file]]
    for other in prepared[1:]:
        torch.testing.assert_close(other, prepared[0], rtol=0, atol=0)
    grey = [images.prepare(form, (1, 9, 9)) for form in (pixels[..., 0], pixels[..., :1])]
    torch.testing.assert_close(grey[0], grey[1], rtol=0, atol=0)


def test_awkward_arrays() -> None:
    pixels = gradient(8, 8)
    pixels.flags.writeable = False
    assert (pixels_of(pixels[::-1, ::-1]) == pixels[::-1, ::-1]).all()
    x = np.arange(12, dtype=">f4").reshape(3, 2, 2)[:, ::-1]
    prepared = images.prepare(x, (3, 9, 9))
    assert (prepared[0].numpy() == x).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_floats_are_taken_as_they_are(dtype: torch.dtype, channels: int) -> None:
    x = torch.randn(channels, 6, 7, dtype=dtype, requires_grad=True)
    with torch.no_grad():
        x[0, 0, 0], x[0, 0, 1] = float("nan"), float("inf")
    for form in (x, x[None]):
        prepared = images.prepare(form, (channels, 32, 32), 0.5, 0.5)
        assert not prepared.requires_grad
        torch.testing.assert_close(prepared, x.detach()[None], rtol=0, atol=0, equal_nan=True)
        prepared.zero_()
    assert x.detach()[0, 0, 1] == float("inf")  # a copy: the caller's tensor is untouched


@pytest.mark.parametrize(
    ("image", "channels", "error", "message"),
    [
        (np.full((8, 8, 3), 200.0), 3, ValueError, r"0 to 255 pass image\.astype\('uint8'\);"),
        (torch.full((8, 8, 3), 200.0), 3, ValueError, r"0 to 255 pass image\.byte\(\);"),
        (np.full((8, 8), 200.0), 1, ValueError, r"0 to 255 pass image\.astype\('uint8'\);"),
        (np.full((8, 8, 3), -0.5), 3, ValueError, "put the channels first;"),
        (np.full((8, 8, 3), 0.5), 3, ValueError, r"\[0, 1\].*\(image \* 255\).astype\('uint8'\)"),
        (np.full((8, 8), 0.5), 1, ValueError, r"pass image\[None\]"),
        (torch.rand(1, 8, 9), 3, ValueError, r"\[3, H, W\]; these have 1 channel;"),
        (torch.rand(1, 4, 8, 9), 3, ValueError, "these have 4 channels;"),
        (
            torch.rand(2, 3, 8, 8),
            3,
            ValueError,
            r"a batch of 2: give one of them, such as images\[0\]",
        ),
        (torch.rand(12, 8, 9), 1, ValueError, "12 channels, or are a batch of 12: give one"),
        (torch.rand(3), 3, ValueError, "1 axes"),
        (torch.rand(3, 0, 8), 3, ValueError, "empty"),
        (np.zeros((3, 8, 9), np.uint8), 3, ValueError, "channels last, or if .* batch of 3, give"),
        (np.zeros((12, 8, 9), np.uint8), 1, ValueError, r"looks like a batch of 12: give one of"),
        (np.zeros((5, 8, 9, 3), np.uint8), 3, ValueError, "looks like a batch of 5"),
        (np.zeros((5, 3, 8, 9), np.uint8), 3, ValueError, "looks like a batch of 5"),
        (np.zeros((8, 9, 7), np.uint8), 3, ValueError, r"\[8, 9, 7\]"),
        (np.zeros((8, 9, 3), np.int64), 3, TypeError, "int64.*uint8"),
        (np.zeros((8, 9), bool), 1, TypeError, "bool.*uint8"),
        (torch.zeros(8, 9, 3, dtype=torch.complex64), 3, TypeError, "complex64"),
        (np.array([["a"]]), 3, TypeError, "dtype <U1"),
        (np.ones((3, 8, 9), complex), 3, TypeError, "complex128"),
        (Image.new("RGB", (0, 4)), 3, ValueError, "empty"),
        (Image.new("RGB", (4, 4)), 5, ValueError, r"5 channels.*float tensor \[5, H, W\]"),
        (np.zeros((8, 8, 3), np.uint8), 5, ValueError, r"5 channels.*float tensor \[5, H, W\]"),
        (None, 3, TypeError, "NoneType is no image; an image is a path"),
        ([[1, 2]], 3, TypeError, r"list is no image; give one of them, such as images\[0\]"),
        ("/nowhere/cat.png", 3, FileNotFoundError, "no file '/nowhere/cat.png'"),
        ("/", 3, ValueError, "'/' is a folder; give the path of one picture in it"),
        (
            "https://example.org/cat.png",
            3,
            ValueError,
            "org/cat.png' is an address, and nothing is",
        ),
        (Path("http://example.org/cat.png"), 3, ValueError, r"save .* first, .*urlretrieve\("),
        ("data:image/png;base64," + "A" * 9999, 3, ValueError, "base64,A{70,90}… is an address"),
    ],
)
def test_errors_say_what_to_do(
    image: Any, channels: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^image: .*{message}"):
        images.prepare(image, (channels, 8, 8))


def test_mean_of_the_wrong_length() -> None:
    with pytest.raises(ValueError, match="mean: 3 numbers for 1 channels"):
        images.prepare(gradient(4, 4), (1, 4, 4), MEAN)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tiff", "webp", "bmp"])
def test_damaged_files(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    assert pixels_of(path).shape == (64, 64, 3)
    for kept in (len(whole) // 2, 40, 5, 0):
        path.write_bytes(whole[:kept])
        with pytest.raises(ValueError, match=f"^image: .*picture.{suffix}"):
            images.read(path, 3)
    truncated = Image.open(io.BytesIO(whole[: len(whole) // 2])) if suffix == "png" else None
    if truncated:
        with pytest.raises(ValueError, match="PIL image is damaged"):
            images.read(truncated, 3)


@given(data=st.binary(max_size=200), magic=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a"]))
def test_no_bytes_crash_it(data: bytes, magic: bytes) -> None:
    try:
        images.read(io.BytesIO(magic + data), 3)
    except ValueError as error:
        assert str(error).startswith("image: ")  # noqa: PT017 - most inputs fail, a few may not


@pytest.mark.parametrize("limit", [80, 30])
def test_decompression_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Pillow only warns up to twice its limit, and raises beyond."""
    path = tmp_path / "bomb.png"
    red("RGB").save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(ValueError, match=rf"bomb.png' has more than {limit} pixels; shrink it"):
        images.read(path, 3)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bombs_where_pillow_only_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.png"
    red("RGB").save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 80)
    with pytest.raises(ValueError, match="more than 80 pixels"):
        images.read(path, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (3, 2), (224, 225), (5000, 30)])
@pytest.mark.parametrize("wanted", [(32, 32), (224, 224), (1, 1), (20, 70)])
def test_any_aspect_ratio(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    x = images.prepare(Image.new("RGB", size, RED), (3, *wanted))
    assert x.shape == (1, 3, *wanted)
    assert (images.restore(x) == RED).all()


def test_the_centre_is_cut() -> None:
    pixels = np.zeros((100, 300), np.uint8)
    pixels[:, 100:200] = 255
    assert images.prepare(pixels, (1, 10, 10)).min() > 0.9
    assert images.prepare(pixels.T, (1, 10, 10)).min() > 0.9
    x = images.prepare(gradient(60, 90), (3, 30, 45))[0]
    assert torch.all(x[0].diff(dim=0) > 0)
    assert torch.all(x[1].diff(dim=1) > 0)


def test_small_pictures_go_through_plain_bicubic() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (150, 120, 3), np.uint8)
    cropped = Image.fromarray(noise).resize((60, 75), Image.Resampling.BICUBIC).crop((0, 7, 60, 67))
    inner = images.restore(images.prepare(noise, (3, 60, 60)))[0]
    by_torchvision = np.asarray(cropped).astype(int)
    assert np.abs(inner - by_torchvision).mean() < 25  # half a pixel apart, noise at worst


def test_large_jpegs_are_decoded_small_and_look_the_same(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:1500, :2000]
    waves = 127 + 60 * np.sin(rows / 40) + 60 * np.sin(columns / 55)
    picture = Image.fromarray(waves.astype(np.uint8)).convert("RGB")
    picture.save(tmp_path / "large.jpg", quality=95)
    small = images.read(tmp_path / "large.jpg", 3, (64, 64))
    assert isinstance(small, Image.Image)
    assert 64 * 3 <= small.height < 400
    fast = images.prepare(tmp_path / "large.jpg", (3, 64, 64))
    exact = picture.resize((64, 64), Image.Resampling.BICUBIC, (250, 0, 1750, 1500))
    assert np.abs(images.restore(fast)[0].astype(int) - np.asarray(exact)).max() <= 3


def test_a_jpeg_on_its_side_is_not_decoded_too_small(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    red("RGB", (3200, 400)).save(tmp_path / "tall.jpg", exif=exif)
    upright = images.read(tmp_path / "tall.jpg", 3, (10, 80))
    assert isinstance(upright, Image.Image)
    assert upright.size == (400, 3200)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jpg", "png", None])
def test_48_megapixels(tmp_path: Path, suffix: str | None) -> None:
    picture = Image.fromarray(gradient(6, 8)).resize((8000, 6000), Image.Resampling.BILINEAR)
    image: Any = np.asarray(picture)
    if suffix:
        image = tmp_path / f"large.{suffix}"
        picture.save(image, compress_level=1)
    assert images.prepare(image, (3, 224, 224)).shape == (1, 3, 224, 224)
