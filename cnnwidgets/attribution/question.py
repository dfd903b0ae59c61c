"""A score, explained on a private copy of the model."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.attribution.by_captum import by_captum
from cnnwidgets.attribution.score import NO_GRADIENT, Score
from cnnwidgets.errors import NoGradientError, naming_shape
from cnnwidgets.isolation import PrivateDraws, isolated
from cnnwidgets.network import as_network
from cnnwidgets.shadow import shadow

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cnnwidgets.attribution.rectifiers import Rectifiers
    from cnnwidgets.attribution.score import ScoreFunction
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network

PIXELS = 8 * 224**2
"""Pixels in a batch: larger ones are slower, as their maps leave the caches."""
MOST = 64
"""Pictures in a batch."""
_UNUSED = "appears to not have been used in the graph"
"""What torch says where the score does not depend on the picture."""


class Question:
    """A network, a picture, and the score that is to be explained.

    Parameters
    ----------
    net
        The network or a bare module.
    image
        As for `Network.prepare`.
    target, measure, score
        As for `cnnwidgets.attribution.score.Score`.

    Attributes
    ----------
    net
        The network.
    x
        The prepared picture, [1, C, H, W].
    score
        What is differentiated.

    Raises
    ------
    ValueError
        If the picture has values that are no numbers, or an argument makes no sense.
    """

    def __init__(
        self,
        net: Network | nn.Module,
        image: Picture,
        target: int | str | None = None,
        *,
        measure: str = "logit",
        score: ScoreFunction | None = None,
    ) -> None:
        self.net = as_network(net, image)
        self.score = Score(self.net, target, measure, score)
        self.x = finite(self.net.prepare(image))
        self._model = shadow(self.net.model).model
        # Convolutions of batches are up to a third faster on the CPU with channels last.
        self._channels_last = self.x.device.type == "cpu"

    def gradients(self, pictures: Tensor) -> Tensor:
        """Return ∂score/∂pixel of every picture, [N, C, H, W].

        Parameters
        ----------
        pictures
            [N, C, H, W], like `x`. Not changed.

        Raises
        ------
        NoGradientError
            If none reaches the pictures.
        """
        if self._channels_last and len(pictures) > 1:
            try:
                last = pictures.to(memory_format=torch.channels_last)
                return self.attributed("Saliency", last, abs=False).contiguous()
            except RuntimeError:  # the model calls view, which needs the usual order
                self._channels_last = False
        return self.attributed("Saliency", pictures.contiguous(), abs=False)

    def attributed(
        self,
        method: str,
        pictures: Tensor,
        rules: Rectifiers | None = None,
        **options: Any,  # noqa: ANN401 - Captum's
    ) -> Tensor:
        """Return what a method of Captum's says of the score, [N, C, H, W].

        Parameters
        ----------
        method
            Name of a class of ``captum.attr``.
        pictures
            [N, C, H, W], like `x`. Not changed.
        rules
            Through which Captum gates the rectifiers.
        options
            Of the method.

        Raises
        ------
        NoGradientError
            If no gradient reaches the pictures.
        """
        device = self.x.device
        forward = rules.network(self._scores) if rules else self._scores
        # The rules hold backwards too: activations that were not kept are computed again there.
        with isolated(device, grad=True), PrivateDraws(device), rules or nullcontext():
            leaf = pictures.detach().clone().requires_grad_()
            try:
                return by_captum(method, forward, leaf, **options)
            except RuntimeError as error:
                if _UNUSED in str(error):
                    raise NoGradientError(NO_GRADIENT) from None
                raise

    def _scores(self, pictures: Tensor) -> Tensor:
        with naming_shape(self.net, pictures):
            output = self._model(pictures.clone())  # a layer may overwrite it, but not a leaf
        return self.score(output, len(pictures))

    def settle(self) -> None:
        """Settle the class by a pass over the picture, before passes over others like it."""
        if self.score.predicted:
            with PrivateDraws(self.x.device):
                self.score.of(self.net.output(self.x))

    def batch(self, given: int | None) -> int:
        """Return how many pictures to run at a time: as given, or a good number."""
        if given is not None:
            return whole("batch", given)
        return max(1, min(MOST, PIXELS // (self.x.shape[2] * self.x.shape[3])))


def finite(x: Tensor) -> Tensor:
    """Return a picture as it is, unless some of its values are no numbers."""
    if bad := int((~x.isfinite()).sum()):
        raise ValueError(
            f"image: {bad} of its {x.numel()} values are NaN or infinite; replace them first, "
            "for example by x.nan_to_num()"
        )
    return x


def whole(name: str, value: int) -> int:
    """Return an argument that must be a whole number from 1 on."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < 1:
        raise ValueError(f"{name}: {value!r}; give a whole number from 1 on")
    return int(value)
