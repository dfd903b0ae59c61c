"""Pictures as a widget shows them: what the network sees, thumbnails, files in parts."""

from __future__ import annotations

import io
import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

THUMBNAIL = 64
MOST_CHOICES = 500
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
    key
        Another one for every picture and every change of the weights.
    """

    x: Tensor
    name: str
    key: int = field(default_factory=lambda: next(_KEYS))

    def again(self) -> Shown:
        """Return the same picture under a new key."""
        return Shown(self.x, self.name)

    def trait(self, net: Network) -> dict[str, Any]:
        """Return what the browser is told of it."""
        pixels, note = seen(net, self.x)
        name = f"{self.name} ({note})" if note else self.name
        return {"key": self.key, "name": name, "picture": pack(pixels, "picture")}


def seen(net: Network, x: Tensor) -> tuple[NDArray[np.uint8], str]:
    """Return the picture [H, W, 1 or 3] with the preprocessing undone, and a note about it."""
    channels = x.shape[1]
    if channels not in _SHOWABLE:
        return net.restore(x.mean(1, keepdim=True))[0][..., :1], f"mean of {channels} channels"
    return net.restore(x)[0], ""


def name_of(image: Picture, otherwise: str) -> str:
    """Return a file's name, or what else to call a picture."""
    if isinstance(image, (str, os.PathLike)):
        return Path(image).name
    named = getattr(image, "filename", "")
    return Path(named).name if isinstance(named, str) and named else otherwise


def choices(net: Network, images: Sequence[Picture]) -> list[dict[str, Any]]:
    """Return names and thumbnails of pictures to choose from.

    Raises
    ------
    ValueError
        If there are more than 500, or one is no picture; the message says which.
    """
    if len(images) > MOST_CHOICES:
        raise ValueError(
            f"images: {len(images)} pictures are too many to choose from; "
            f"give at most {MOST_CHOICES}, such as images[:{MOST_CHOICES}]"
        )
    return [
        {
            "name": name_of(image, f"picture {index}"),
            "thumbnail": pack(_thumbnail(net, image, index), "picture"),
        }
        for index, image in enumerate(images)
    ]


def _thumbnail(net: Network, image: Picture, index: int) -> NDArray[np.uint8]:
    try:
        pixels, _ = seen(net, net.prepare(image))
    except (TypeError, ValueError, OSError) as error:
        raise type(error)(f"images[{index}]: {error}") from None
    small = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return np.array(small)


class Upload:
    """A file that comes from the browser in parts."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def add(self, part: int, parts: int, data: bytes) -> io.BytesIO | None:
        """Take one part, in order; return the file when it is whole.

        Raises
        ------
        ValueError
            If the file is larger than 64 MB or a part is missing.
        """
        if part == 0:
            self._parts = []
        if part != len(self._parts) or part >= parts:
            raise ValueError("the picture did not arrive whole; choose it once more")
        self._parts.append(data)
        if sum(map(len, self._parts)) > LARGEST_FILE:
            self._parts = []
            raise ValueError("the file is larger than 64 MB; choose a smaller picture")
        if part + 1 < parts:
            return None
        whole = io.BytesIO(b"".join(self._parts))
        self._parts = []
        return whole
