"""Pictures that were logged under a tag, such as those in TensorBoard's event files."""

from __future__ import annotations

import io
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnwidgets.training.run import Run

MOST_PIXELS, MOST_EDGE = 512 * 512, 4096
"""Of a picture, and of its longer edge; larger ones are scaled down."""


def images_of(run: Run) -> dict[str, list[tuple[int, bytes]]]:
    """Return tag → (step, file) of a run's pictures; none where such are not recorded."""
    found: dict[str, list[tuple[int, bytes]]] = getattr(run, "images", {})
    return found


def image_at(run: Run, tag: str, step: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Read the picture of a tag that is nearest to a step.

    Returns
    -------
    tuple
        uint8 [H, W, 3], of at most 512 × 512 pixels; width and height that it had.

    Raises
    ------
    RequestError
        If there is none, or its file is damaged.
    """
    found = images_of(run).get(tag)
    if not found:
        raise RequestError(f"layer: the run has no pictures of {tag!r}")
    taken, file = min(found, key=lambda one: abs(one[0] - step))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a picture too large to be one
            with Image.open(io.BytesIO(file)) as picture:
                size = picture.size
                shown = picture.convert("RGB")
    except Exception as error:
        raise RequestError(
            f"step: the picture {tag!r} of step {taken} cannot be read: {error}"
        ) from error
    scale = min(1.0, (MOST_PIXELS / math.prod(size)) ** 0.5, MOST_EDGE / max(size))
    if scale < 1:
        shown = shown.resize((max(1, int(size[0] * scale)), max(1, int(size[1] * scale))))
    return np.array(shown), size
