"""From an attribution to the object: GrabCut, seeded by the most and the least important pixels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from cnnwidgets import images
from cnnwidgets.attribution.question import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnwidgets.images import Picture

_LEAST = 8  # rows and columns of a map that a border can be drawn on


@dataclass(frozen=True)
class Segmentation:
    """Which pixels belong to the object.

    Attributes
    ----------
    picture
        uint8 [H, W, 3], what was segmented.
    foreground
        bool [H, W].
    """

    picture: NDArray[np.uint8]
    foreground: NDArray[np.bool_]

    @property
    def cutout(self) -> NDArray[np.uint8]:
        """The object alone, uint8 [H, W, 4]: red, green, blue, and 0 or 255 of opacity."""
        alpha = np.where(self.foreground, 255, 0).astype(np.uint8)
        return np.dstack([self.picture, alpha])


def segment(
    image: Picture,
    attribution: Tensor | NDArray[np.floating],
    *,
    foreground: float = 95.0,
    background: float = 30.0,
    rounds: int = 5,
) -> Segmentation:
    """Cut the object out that an attribution points at.

    Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks" (2014), section 3.2, by
    GrabCut (Rother, Kolmogorov & Blake, SIGGRAPH 2004). Needs ``cnnwidgets[segment]``.

    Parameters
    ----------
    image
        A path, a PIL image or uint8 pixels. One of another size than the attribution is resized
        and cropped to it as a `Network` does; of preprocessed floats give `Network.restore`.
    attribution
        [H, W], larger is more important, as from `reduce` or ``grad_cam(…, upsample=True)``. NaN is
        neither foreground nor background.
    foreground, background
        Percentiles: what is above the first is surely the object, what is below the second
        surely not; GrabCut decides on the rest by colour.
    rounds
        Of GrabCut.

    Returns
    -------
    Segmentation

    Raises
    ------
    ImportError
        If the extra is not installed.
    ValueError
        If an argument makes no sense; the message names it.
    """
    values = attribution.detach().cpu() if isinstance(attribution, Tensor) else attribution
    seeds = _seeds(np.asarray(values, np.float64), foreground, background)
    picture = images.read(image, 3, seeds.shape)
    if isinstance(picture, Tensor):
        raise TypeError("image: floats; give the picture itself, or net.restore(x)[0]")
    if (picture.height, picture.width) != seeds.shape:
        picture = images.fit(picture, seeds.shape)
    pixels = np.array(picture)
    return Segmentation(pixels, _grab_cut(pixels, seeds, whole("rounds", rounds)))


_BACKGROUND, _FOREGROUND, _PERHAPS_BACKGROUND = 0, 1, 2  # cv2.GC_BGD, GC_FGD, GC_PR_BGD


def _seeds(values: NDArray[np.float64], foreground: float, background: float) -> NDArray[np.uint8]:
    if values.ndim != 2:  # noqa: PLR2004 - rows, columns
        raise ValueError(
            f"attribution: {list(values.shape)}; give one value per pixel, [H, W], as "
            "attribution.reduce(…) returns"
        )
    if min(values.shape) < _LEAST:
        raise ValueError(
            f"attribution: {values.shape[0]} × {values.shape[1]} is too coarse; resize it to "
            "the picture, as grad_cam(…, upsample=True) does"
        )
    if not 0 <= background <= foreground <= 100:  # noqa: PLR2004 - percent
        raise ValueError(
            f"foreground, background: {foreground!r}, {background!r}; give percentiles, "
            "0 ≤ background ≤ foreground ≤ 100"
        )
    known = values[np.isfinite(values)]
    if not known.size or known.min() == known.max():
        raise ValueError("attribution: all values are equal; nothing stands out")
    low, high = np.percentile(known, [background, foreground])
    seeds = np.full(values.shape, _PERHAPS_BACKGROUND, np.uint8)
    seeds[values <= low] = _BACKGROUND
    seeds[values >= max(high, np.nextafter(known.min(), np.inf))] = _FOREGROUND
    return seeds


def _grab_cut(
    pixels: NDArray[np.uint8], seeds: NDArray[np.uint8], rounds: int
) -> NDArray[np.bool_]:
    try:
        import cv2  # noqa: PLC0415 - optional extra
    except ImportError as error:
        raise ImportError(
            'cnnwidgets.segment needs OpenCV; install it with: pip install "cnnwidgets[segment]"'
        ) from error

    def cut() -> NDArray[np.bool_]:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        mask, *_ = cv2.grabCut(
            pixels[..., ::-1].copy(),
            seeds,
            (0, 0, 0, 0),
            *models,
            rounds,
            cv2.GC_INIT_WITH_MASK,
        )
        inside: NDArray[np.bool_] = (
            np.asarray(mask) % 2 == 1
        )  # surely and perhaps foreground are 1 and 3
        return inside

    # OpenCV's random state is the thread's: in a new one the result is always the same.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(cut).result()
