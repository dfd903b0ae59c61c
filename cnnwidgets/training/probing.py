"""The same pictures through the network as it is at one step."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.parameter import is_lazy

from cnnwidgets.capture import capture
from cnnwidgets.classes import first_output, scores
from cnnwidgets.fingerprint import state_of
from cnnwidgets.images import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

LARGE = 224
"""Pixels to a side of the largest pictures that are shown to a network as they are."""

_SHOWABLE = (1, 3)  # channels
_PIXELS = (1, 3, 4)  # channels of pixels, which come last
_BATCH = len("NCHW")
_MAP_AXES = len("HW")
_HALF = torch.finfo(torch.float16)
_ONE_OF_THEM = re.compile(r"give one of them.*?\)")


@dataclass(frozen=True)
class Probed:
    """What the network made of the probe pictures.

    Attributes
    ----------
    activations
        Layer name → its output [N, …] on the CPU, float16, or float32 where that would lose what
        shows.
    gradients
        Layer name → ∂score/∂activation of the same shape, the score being the logit of the class
        predicted for each picture.
    output
        Logits [N, K], float32.
    """

    activations: dict[str, Tensor]
    gradients: dict[str, Tensor]
    output: Tensor

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        maps = [*self.activations.values(), *self.gradients.values(), self.output]
        return sum(tensor.nbytes for tensor in maps)


class Probe:
    """Pictures to show the network again and again.

    Parameters
    ----------
    net
        The network. It is never changed: passes run on a copy, in evaluation mode.
    pictures
        One image or a list of them, a prepared batch [N, C, H, W], or pixels uint8 [N, H, W],
        [N, H, W, 3]. Pixels of up to 224 × 224 are taken as they are where nothing else tells the
        size of the input and the network takes them; larger pictures are resized.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If they are no pictures for this network; the message names the argument ``probe``.

    Attributes
    ----------
    batch
        The prepared batch.
    pictures
        uint8 [N, H, W, 1 or 3], the preprocessing undone; the mean of other numbers of channels.
    classes
        Names of the classes by index; empty if they have none.
    """

    def __init__(self, net: Network, pictures: Picture | Sequence[Picture]) -> None:
        self._net = net = _at_own_size(net, pictures)
        self.batch = _batch(net, pictures).cpu()
        self._try()
        self.classes = list(net.classes)
        pixels = net.restore(self.batch)
        shown = pixels.shape[-1] in _SHOWABLE
        self.pictures = pixels if shown else pixels.mean(-1, keepdims=True).astype(np.uint8)

    def _try(self) -> None:
        """Run one picture, to refuse it now rather than to fail on it later."""
        try:
            self._net.output(self._net.batch(self.batch[:1]))
        except Exception as error:
            said = str(error).partition("\n")[0]
            if not said.startswith("image:"):
                shape = list(self.batch.shape)
                said = f"image: give such as it is trained on, for it fails on {shape}: {said}"
            raise ValueError(said.replace("image:", "probe:", 1)) from error

    def look(self) -> Probed:
        """Run the pictures through the network as it is now."""
        batch = self._net.batch(self.batch)
        seen = capture(self._net, batch, gradients=True, score=_predicted)
        return Probed(
            {name: _small(tensor) for name, tensor in seen.activations.items()},
            {name: _small(tensor) for name, tensor in seen.gradients.items()},
            scores(first_output(seen.output)).detach().float().cpu(),
        )


def size_of(given: Any) -> tuple[int, int] | None:  # noqa: ANN401 - whatever the user gives
    """Return the height and width of prepared pictures [N, C, H, W]; None for other pictures."""
    one = next(iter(_one_by_one(given)), None)
    if not isinstance(one, Tensor) or not one.is_floating_point() or one.ndim < _BATCH - 1:
        return None
    return (one.shape[-2], one.shape[-1]) if one.numel() else None


def _at_own_size(net: Network, given: Any) -> Network:  # noqa: ANN401
    """Return the network with the size of the pictures as its input's, if that was only guessed."""
    size = size_of(given) or _size_in_pixels(given)
    if not net.guessed or size is None:
        return net
    own = net.with_size(size)
    return own if own.graph.error is None else net


def _size_in_pixels(given: Any) -> tuple[int, int] | None:  # noqa: ANN401
    """Return the height and width of pictures of one size, none too large; None for all others."""
    with suppress(TypeError, ValueError, OSError):  # which is said where they are prepared
        pictures = [read(one, 3, (LARGE, LARGE)) for one in _one_by_one(given)]
        sizes = {one.size for one in pictures if isinstance(one, Image.Image)}
        width, height = sizes.pop() if len(sizes) == 1 else (0, 0)
        if 0 < max(width, height) <= LARGE:
            return height, width
    return None


def _batch(net: Network, given: Picture | Sequence[Picture]) -> Tensor:
    """Prepare pictures, [N, C, H, W]."""
    try:
        ones = [net.batch(one) for one in _one_by_one(given)]
        _check(net, ones)
    except (TypeError, ValueError, FileNotFoundError) as error:
        said = str(error).replace("image:", "probe:", 1)
        raise type(error)(_ONE_OF_THEM.sub("give a batch [N, C, H, W]", said)) from None
    return torch.cat(ones)


def _one_by_one(given: Any) -> Sequence[Any]:  # noqa: ANN401
    if isinstance(given, (list, tuple)):
        return given
    if isinstance(given, np.ndarray) and given.ndim == _BATCH and given.dtype.kind == "f":
        return [torch.from_numpy(given).float()]
    if isinstance(given, (np.ndarray, Tensor)) and given.dtype in {torch.uint8, np.dtype(np.uint8)}:
        picture = given.ndim < _BATCH - 1 or given.shape[-1] in _PIXELS
        if given.ndim == _BATCH or (given.ndim == _BATCH - 1 and not picture):
            return list(given)
    return [given]


def _check(net: Network, ones: Sequence[Tensor]) -> None:
    """Refuse pictures that the network cannot take."""
    if not ones:
        raise ValueError("probe: there are no pictures in it")
    channels = net.input_shape[0]
    known = net.graph.error is None and not _unmade(net)
    for one in ones:
        if one.shape[1] != channels and known:
            raise ValueError(
                f"probe: pictures of shape {list(one.shape)} have {one.shape[1]} channels, the "
                f"network takes {channels}"
            )
        if one.shape[1:] != ones[0].shape[1:]:
            sizes = f"{list(ones[0].shape[1:])} and {list(one.shape[1:])}"
            raise ValueError(f"probe: pictures of one size, not {sizes}")


def _unmade(net: Network) -> bool:
    """Whether parameters are still to be made from the first batch."""
    return any(is_lazy(tensor) for tensor in state_of(net.model))


def _predicted(output: Any) -> Tensor:  # noqa: ANN401 - what the user's model returns
    return scores(output).amax(1)


def _small(tensor: Tensor) -> Tensor:
    """Copy to the CPU, in half precision if that loses nothing that shows on a screen."""
    if not tensor.is_floating_point():
        return tensor.detach().to("cpu", copy=True)
    dtype = torch.float16 if _fits_half(tensor.detach()) else torch.float32
    return tensor.detach().to("cpu", dtype, copy=True)


def _fits_half(tensor: Tensor) -> bool:
    """Whether each map's largest value is one that half precision has with all its digits."""
    if not tensor.numel():
        return True
    finite = tensor.abs().nan_to_num(0.0, 0.0, 0.0)
    leading = max(1, tensor.ndim - _MAP_AXES)
    largest = finite.reshape(*finite.shape[:leading], -1).amax(-1)
    fits = (largest <= _HALF.max) & ((largest >= _HALF.tiny) | (largest == 0))
    return bool(fits.all())
