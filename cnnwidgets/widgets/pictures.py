"""Pictures as a widget shows them: what the network sees, thumbnails, files in parts."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnnwidgets.widgets.requests import RequestError
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

THUMBNAIL, SMALLEST = 64, 16  # pixels
THUMBNAIL_BYTES = 2_000_000  # of all together; they shrink to keep to it
MOST_CHOICES = 2000
LARGEST_FILE = 64 * 2**20
_KEYS = itertools.count(1)
_SHOWABLE = (1, 3)


@dataclass(frozen=True)
class Shown:
    """One picture that a widget shows.

    Attributes
    ----------
    x
        [1, C, H, W], as the network takes it.
    name
        What the user calls it.
    choice
        Its place among the pictures to choose from; None if it is none of them.
    doubt
        Why it looks as if it was not preprocessed; ``""`` if it does not.
    key
        Another one for every picture and every change of the weights.
    """

    x: Tensor
    name: str
    choice: int | None = None
    doubt: str = ""
    key: int = field(default_factory=lambda: next(_KEYS))

    def trait(self, net: Network) -> dict[str, Any]:
        """Return what the browser is told of it."""
        pixels, note = seen(net, self.x)
        name = f"{self.name} ({note})" if note else self.name
        picture = pack(pixels, "picture")
        return {"key": self.key, "name": name, "choice": self.choice, "picture": picture}


def seen(net: Network, x: Tensor) -> tuple[NDArray[np.uint8], str]:
    """Return the picture [H, W, 1 or 3] with the preprocessing undone, and a note about it."""
    pixels, channels = net.restore(x)[0], x.shape[1]
    if channels in _SHOWABLE:
        return pixels, ""
    return pixels.mean(2, keepdims=True).astype(np.uint8), f"mean of {channels} channels"


def identify(image: Picture, images: dict[str, Picture], otherwise: str) -> tuple[str, int | None]:
    """Return a picture's name and its place among those to choose from, None if it is no such."""
    offered = list(enumerate(images.values()))
    identical = (index for index, other in offered if other is image)
    equal = (index for index, other in offered if _equal(other, image))
    choice = next(itertools.chain(identical, equal), None)
    return (_name(image, otherwise) if choice is None else list(images)[choice]), choice


def _equal(one: Picture, other: Picture) -> bool:
    """Whether two pictures are the same file, or arrays or PIL images with the same pixels."""
    match one, other:
        case (str() | os.PathLike(), str() | os.PathLike()):
            return Path(one) == Path(other)
        case (Image.Image(), Image.Image()):
            return one == other
        case (np.ndarray(), np.ndarray()):
            return np.array_equal(one, other)
        case (Tensor(), Tensor()):
            alike = (one.dtype, one.device) == (other.dtype, other.device)
            return alike and torch.equal(one, other)
    return False


def _name(image: Picture, otherwise: str) -> str:
    """Return a file's name, or what else to call a picture."""
    if isinstance(image, (str, os.PathLike)):
        return Path(image).name
    named = getattr(image, "filename", "")
    return Path(named).name if isinstance(named, str) and named else otherwise


def named(images: Mapping[str, Picture] | Iterable[Picture]) -> dict[str, Picture]:
    """Name pictures to choose from: by their keys, their file names, or their places.

    Raises
    ------
    TypeError
        If it is one path or picture.
    """
    if isinstance(images, str | os.PathLike | Image.Image):
        raise TypeError(
            f"images: {type(images).__name__} is no list; give one of pictures or paths, "
            "such as sorted(Path('folder').glob('*.jpg'))"
        )
    if isinstance(images, Mapping):
        return {str(name): image for name, image in images.items()}
    given: dict[str, Picture] = {}
    for index, image in enumerate(images):
        name = _name(image, f"picture {index}")
        given[f"{name} ({index})" if name in given else name] = image
    return given


def choices(net: Network, images: dict[str, Picture]) -> list[dict[str, Any]]:
    """Return names and thumbnails of pictures to choose from.

    Raises
    ------
    ValueError
        If there are more than 2,000, or one is no picture; the message says which.
    """
    if len(images) > MOST_CHOICES:
        raise ValueError(
            f"images: {len(images)} pictures are too many to choose from; "
            f"give at most {MOST_CHOICES}, such as images[:{MOST_CHOICES}]"
        )
    edge = int((THUMBNAIL_BYTES / (3 * max(len(images), 1))) ** 0.5)
    edge = min(max(edge, SMALLEST), THUMBNAIL)
    return [
        {"name": name, "thumbnail": pack(_thumbnail(net, name, image, edge), "picture")}
        for name, image in images.items()
    ]


def _thumbnail(net: Network, name: str, image: Picture, edge: int) -> NDArray[np.uint8]:
    try:
        pixels, _ = seen(net, net.prepare(image))
    except (TypeError, ValueError, OSError) as error:
        raise type(error)(f"images, {name}: {error}") from None
    grey = pixels.shape[2] == 1
    small = Image.fromarray(pixels.squeeze(2) if grey else pixels)
    small.thumbnail((edge, edge))
    return np.array(small)[..., None] if grey else np.array(small)


class File(io.BytesIO):
    """A file that came from the browser; error messages say its name."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


class Upload:
    """A file that comes from the browser in parts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[bytes] = []

    def add(self, part: int, parts: int, data: bytes) -> File | None:
        """Take one part, in order; return the file when it is whole.

        Raises
        ------
        RequestError
            If the file is larger than 64 MB or a part is missing.
        """
        if part != len(self._parts) or part >= parts:
            raise RequestError("the picture did not arrive whole; choose it once more")
        self._parts.append(data)
        if sum(map(len, self._parts)) > LARGEST_FILE:
            raise RequestError("the file is larger than 64 MB; choose a smaller picture")
        return File(b"".join(self._parts), self._name) if part + 1 == parts else None
