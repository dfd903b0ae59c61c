"""Pictures in, batches out: read any picture, prepare it for a network, and show it again."""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

Picture: TypeAlias = Image.Image | NDArray[np.generic] | Tensor | str | os.PathLike[str] | IO[bytes]
"""What may stand for one image; see `read`."""

Numbers: TypeAlias = float | Sequence[float]
"""One number for all channels, or one per channel."""

_FORMS = (
    "an image is a path, a PIL image, a uint8 array [H, W] or [H, W, 3], "
    "or a float tensor [C, H, W] already preprocessed"
)
_ONE_OF_THEM = "give one of them, such as images[0] (widgets take several as images=…)"
_ADDRESS = re.compile(r"(https?|ftp|s3|gs|data):", re.IGNORECASE)
_MODES = {1: "L", 3: "RGB"}
_NUMPY_FLOATS = {np.float16, np.float32, np.float64}
_ORIENTATION = 0x0112  # EXIF
_ON_ITS_SIDE = {5, 6, 7, 8}
_LONG = 100  # characters of an address to show
_PREPROCESSED = 10.0  # hardly any normalisation leaves larger values
_WHITE = 255.0
_GAP = 3.0  # box-reduce a picture before the bicubic filter down to this many times the size


def read(
    image: Picture, channels: int, size: tuple[int, int] | None = None
) -> Image.Image | Tensor:
    """Read one image in any of its forms.

    Parameters
    ----------
    image
        A path; a PIL image of any mode; an open binary file; uint8 pixels [H, W],
        [H, W, 1], [H, W, 3] or [H, W, 4]; or floats [C, H, W] or [1, C, H, W] that
        are already preprocessed. Arrays and tensors are taken alike.
    channels
        How many channels the network takes. Grey pictures become RGB for 3, colours
        become grey (ITU-R 601) for 1; with any other number only floats are taken.
    size
        (height, width) that will be cut from the picture: lets a large JPEG be decoded
        at a fraction of its size. The result is still at least that large.

    Returns
    -------
    PIL.Image.Image or torch.Tensor
        A picture of mode "L" or "RGB", upright, transparency laid on white, 16 bits
        reduced to 8; or, from floats, a copy [1, C, H, W] with its own dtype and values.

    Raises
    ------
    FileNotFoundError
        If the path leads nowhere.
    TypeError
        If the image is of a type that is no image, or a dtype that is neither.
    ValueError
        If a file is no picture, is damaged or larger than `PIL.Image.MAX_IMAGE_PIXELS`, if
        the path is an address or a folder, or an array has a shape that is no image or the
        wrong number of channels.
    """
    if isinstance(image, (np.ndarray, Tensor)):
        if _is_float(image):
            return _preprocessed(image, channels)
        _require_picture_channels(channels)
        pixels = image.detach().cpu().numpy() if isinstance(image, Tensor) else image
        return _convert(_from_pixels(pixels), _MODES[channels])
    _require_picture_channels(channels)
    if isinstance(image, (str, os.PathLike, io.BufferedIOBase)):
        return _read_file(image, _MODES[channels], size)
    if isinstance(image, Image.Image):
        return _decode(image, _MODES[channels], "the PIL image")
    several = f"{_ONE_OF_THEM}; " if isinstance(image, (list, tuple)) else ""
    raise TypeError(f"image: {type(image).__name__} is no image; {several}{_FORMS}")


def prepare(
    image: Picture, shape: tuple[int, int, int], mean: Numbers = 0.0, std: Numbers = 1.0
) -> Tensor:
    """Make the batch of one that a network takes.

    The largest centred window of the picture with the shape of the network's input is
    resized to it (bicubic, antialiased), which is resizing the shorter side and cropping
    the centre in one step. Pixels are scaled to [0, 1], then ``(pixel - mean) / std``.
    Floats are taken as they are, without resizing.

    Parameters
    ----------
    image
        Any form that `read` takes.
    shape
        (C, H, W) of the network's input.
    mean, std
        Per channel, of pixels in [0, 1].

    Returns
    -------
    torch.Tensor
        [1, C, H, W], float32 (floats keep their dtype, and their height and width).

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        As `read`, and if `mean` or `std` has neither one number nor one per channel.
    """
    channels, height, width = shape
    picture = read(image, channels, (height, width))
    if isinstance(picture, Tensor):
        return picture
    pixels = torch.from_numpy(np.array(fit(picture, (height, width))))
    x = pixels.reshape(height, width, channels).permute(2, 0, 1).contiguous() / 255
    return ((x - per_channel("mean", mean, channels)) / per_channel("std", std, channels))[None]


def doubt(image: Picture, mean: Numbers = 0.0) -> str:
    """Say why floats look as if they had not been preprocessed; ``""`` if they do not.

    They may be right, as the network may do it itself: this is worth a warning, no more. No usual
    normalisation leaves a picture without one negative value and with some above 10; one with
    none outside [0, 1] was probably only scaled, if the network wants a mean taken off as well.

    Parameters
    ----------
    image
        Any form that `read` takes; all but floats are preprocessed by `prepare`.
    mean
        What the network wants taken off pixels in [0, 1].
    """
    if not isinstance(image, (np.ndarray, Tensor)) or not math.prod(image.shape):
        return ""
    if "float" not in str(image.dtype):
        return ""
    low, high = float(image.min()), float(image.max())
    pixels = "image[0]" if image.ndim == len("NCHW") else "image"
    turn, to_bytes = "transpose", "astype('uint8')"
    if isinstance(image, Tensor):
        turn, to_bytes = "permute", "byte()"
    pixels = f"{pixels}.{turn}(1, 2, 0)"
    if low >= 0 and _PREPROCESSED < high <= _WHITE:
        looks = f"floats from {low:.4g} to {high:.4g} look like pixels that nobody preprocessed"
    elif torch.as_tensor(mean).any() and 0 <= low < high <= 1:
        looks = f"floats from {low:.4g} to {high:.4g} look like pixels that nobody normalised"
        pixels = f"({pixels} * 255)"
    else:
        return ""
    return (
        f"image: {looks}, and floats are taken as they are; for the network's own preprocessing "
        f"pass {pixels}.{to_bytes}"
    )


def restore(x: Tensor, mean: Numbers = 0.0, std: Numbers = 1.0) -> NDArray[np.uint8]:
    """Undo the preprocessing: the picture as the network sees it.

    Parameters
    ----------
    x
        A batch [N, C, H, W] as `prepare` makes it, of any float dtype, on any device.
    mean, std
        What it was prepared with.

    Returns
    -------
    numpy.ndarray
        uint8 [N, H, W, C]; values outside [0, 1] are clipped, NaN becomes 0.
    """
    channels = x.shape[1]
    pixels = x.detach().cpu().float() * per_channel("std", std, channels)
    pixels = (pixels + per_channel("mean", mean, channels)).nan_to_num(0.0).clamp(0, 1) * 255
    restored: NDArray[np.uint8] = pixels.round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    return restored


def fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize the largest centred window with the aspect ratio of `size` (height, width) to it."""
    height, width = size
    scale = min(picture.width / width, picture.height / height)
    margin_x = max(picture.width - width * scale, 0) / 2
    margin_y = max(picture.height - height * scale, 0) / 2
    box = (margin_x, margin_y, picture.width - margin_x, picture.height - margin_y)
    return picture.resize((width, height), Image.Resampling.BICUBIC, box, reducing_gap=_GAP)


def per_channel(name: str, values: Numbers, channels: int) -> Tensor:
    """Shape one number, or one per channel, as [C, 1, 1] or [1, 1, 1] (float32)."""
    numbers = torch.as_tensor(values, dtype=torch.float32).flatten()
    if len(numbers) not in {1, channels}:
        raise ValueError(
            f"{name}: {len(numbers)} numbers for {channels} channels; give one number or one each"
        )
    return numbers.reshape(-1, 1, 1)


def _require_picture_channels(channels: int) -> None:
    if channels not in _MODES:
        raise ValueError(
            f"image: the network takes {channels} channels, a picture has 1 or 3; "
            f"pass a float tensor [{channels}, H, W] already preprocessed"
        )


def _is_float(image: NDArray[np.generic] | Tensor) -> bool:
    """Tell preprocessed floats from pixels, and both from what is neither."""
    kind = str(image.dtype).removeprefix("torch.")
    if not math.prod(image.shape):
        raise ValueError(f"image: empty, of shape {list(image.shape)}; {_FORMS}")
    if image.dtype in {torch.uint8, np.dtype(np.uint8)}:
        return False
    if isinstance(image, Tensor) and image.is_floating_point():
        return True
    if isinstance(image, np.ndarray) and image.dtype.type in _NUMPY_FLOATS:
        return True
    raise TypeError(f"image: pixels of dtype {kind}; convert them to uint8, 0 to 255; {_FORMS}")


def _preprocessed(image: NDArray[np.generic] | Tensor, channels: int) -> Tensor:
    """Copy floats as a batch [1, C, H, W]."""
    to_bytes = "astype('uint8')"
    if isinstance(image, Tensor):
        x, to_bytes = image.detach().clone(), "byte()"
    else:
        x = torch.from_numpy(np.array(image, dtype=image.dtype.newbyteorder("=")))
    match list(x.shape):
        case [c, _, _] if c == channels:
            return x[None]
        case [1, c, _, _] if c == channels:
            return x
        case [_, _, 1 | 3 | 4]:
            hint = _pixels_of_floats(x, to_bytes)
        case [_, _] if float(x.abs().max()) > _PREPROCESSED:
            hint = _pixels_of_floats(x, to_bytes)
        case [_, _]:
            hint = "for one preprocessed channel pass image[None]"
        case [c, _, _] | [1, c, _, _]:
            hint = f"these have {c} channel{'s' * (c != 1)}"
            if channels == 1:
                hint += f", or are a batch of {c}: {_ONE_OF_THEM}"
        case [n, _, _, _]:
            hint = f"this is a batch of {n}: {_ONE_OF_THEM}"
        case shape:
            hint = f"these have {len(shape)} axes"
    raise ValueError(
        f"image: floats of shape {list(x.shape)} where the network takes [{channels}, H, W]; "
        f"{hint}; {_FORMS}"
    )


def _pixels_of_floats(x: Tensor, to_bytes: str) -> str:
    """Say how floats [H, W, C] become pixels, or why they do not, by their range."""
    if x.abs().max() > _PREPROCESSED:
        return f"for pixels from 0 to 255 pass image.{to_bytes}"
    if x.min() >= 0 and x.max() <= 1:
        return f"for pixels in [0, 1] with channels last pass (image * 255).{to_bytes}"
    return "these have their channels last; if they are preprocessed, put the channels first"


def _from_pixels(pixels: NDArray[np.generic]) -> Image.Image:
    hint = ""
    match list(pixels.shape):
        case [_, _] | [_, _, 3 | 4]:
            return Image.fromarray(pixels)
        case [_, _, 1]:
            return Image.fromarray(pixels[:, :, 0])
        case [1 | 3 | 4 as n, _, _]:
            hint = f"put the channels last, or if this is a batch of {n}, {_ONE_OF_THEM}; "
        case [n, _, _] | [n, _, _, _]:
            hint = f"this looks like a batch of {n}: {_ONE_OF_THEM}; "
    raise ValueError(f"image: uint8 pixels of shape {list(pixels.shape)}; {hint}{_FORMS}")


def _read_file(
    file: str | os.PathLike[str] | IO[bytes], mode: str, size: tuple[int, int] | None
) -> Image.Image:
    source: Path | IO[bytes]
    if isinstance(file, (str, os.PathLike)):
        source, name = Path(file).expanduser(), repr(str(file))
        _require_file(source, name)
    else:
        source, name = file, repr(getattr(file, "name", "the open file"))
    try:
        with Image.open(source) as picture:
            _require_sane_size(picture, name)
            if size is not None:
                _draft(picture, size)
            return _decode(picture, mode, name)
    except UnidentifiedImageError:
        raise ValueError(f"image: {name} is not a picture that Pillow can read") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(_too_large(name)) from None
    except OSError as error:
        raise ValueError(f"image: cannot read {name}: {error}") from error


def _require_file(path: Path, name: str) -> None:
    if _ADDRESS.match(str(path)):
        short = name if len(name) <= _LONG else f"{name[:_LONG]}…"
        raise ValueError(
            f"image: {short} is an address, and nothing is downloaded; save the picture as a "
            "file first, for instance with urllib.request.urlretrieve(address, 'picture.jpg')"
        )
    if not path.exists():
        raise FileNotFoundError(f"image: there is no file {name}")
    if path.is_dir():
        raise ValueError(f"image: {name} is a folder; give the path of one picture in it")


def _require_sane_size(picture: Image.Image, name: str) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and picture.width * picture.height > limit:
        raise ValueError(_too_large(name))


def _too_large(name: str) -> str:
    return (
        f"image: {name} has more than {Image.MAX_IMAGE_PIXELS:,} pixels; shrink it, "
        "or raise PIL.Image.MAX_IMAGE_PIXELS if you trust it"
    )


def _draft(picture: Image.Image, size: tuple[int, int]) -> None:
    """Let a JPEG be decoded at 1/2, 1/4 or 1/8, no smaller than `_GAP` times what is needed."""
    height, width = size
    if picture.getexif().get(_ORIENTATION) in _ON_ITS_SIDE:
        height, width = width, height
    scale = min(picture.width / width, picture.height / height) / _GAP
    if scale > 1:
        wanted = round(picture.width / scale), round(picture.height / scale)
        picture.draft(None, wanted)


def _decode(picture: Image.Image, mode: str, name: str) -> Image.Image:
    if not picture.width * picture.height:
        raise ValueError(f"image: {name} is empty")
    try:
        return _convert(ImageOps.exif_transpose(picture), mode)
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"image: {name} is damaged: {error}") from error


def _convert(picture: Image.Image, mode: str) -> Image.Image:
    """To 8 bits, on white, grey or RGB."""
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        picture = _to_eight_bits(picture)
    try:
        if picture.has_transparency_data:
            upright = picture.convert("LA") if picture.mode == "La" else picture
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, upright.convert("RGBA"))
        elif picture.mode in {"P", "LAB"}:
            picture = picture.convert("RGB")
        return picture if picture.mode == mode else picture.convert(mode)
    except ValueError as error:
        raise ValueError(f"image: a picture of mode {picture.mode}: {error}") from error


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """Scale 16-bit and float pixels by the smallest usual full scale that holds them."""
    pixels = np.nan_to_num(np.asarray(picture).astype(np.float32))
    full = 65535.0
    if not picture.mode.startswith("I;16"):
        scales = (1.0, 255.0) if picture.mode == "F" else (255.0,)
        full = next((scale for scale in scales if pixels.max() <= scale), full)
    return Image.fromarray((pixels.clip(0, full) * (255 / full)).round().astype(np.uint8))
