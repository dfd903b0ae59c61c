"""Convolutions with fixed weights, laid out once as oneDNN computes them soonest."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch

from cnnwidgets.attribution.incremental.convolution import Convolution, known
from cnnwidgets.attribution.incremental.sliding import Both, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    Run: TypeAlias = Callable[[Tensor], Tensor]
    """Maps → what a convolution makes of them."""


class Options(NamedTuple):
    """How a convolution goes over its maps, along rows and columns."""

    strides: Both = (1, 1)
    padding: Both = (0, 0)
    dilations: Both = (1, 1)
    groups: int = 1

    @classmethod
    def of(
        cls,
        stride: int | Sequence[int],
        padding: int | Sequence[int],
        dilation: int | Sequence[int],
        groups: int,
    ) -> Options:
        """Read the arguments of `torch.nn.functional.conv2d`."""
        return cls(pair(stride), pair(padding), pair(dilation), groups)


def laid_out(weight: Tensor, bias: Tensor | None, options: Options) -> Run:
    """Return what convolves maps.

    Parameters
    ----------
    weight, bias
        The filters [K, C / groups, H, W], and what is added.
    options
        How they go over the maps.
    """
    single = weight.shape[2:] == (1, 1) and options._replace(dilations=(1, 1)) == Options()
    if single and known(weight) and one_dnn("_reorder_linear_weight") is not None:
        return _Product(weight, bias)
    return Convolution(weight, bias, *options)


@lru_cache
def one_dnn(name: str) -> Any:  # noqa: ANN401
    """Return a function of oneDNN as torch calls it; None if this torch has it not."""
    packet = getattr(torch.ops.mkldnn, name, None) if torch._C._has_mkldnn else None  # noqa: SLF001
    return None if packet is None else packet.default


class _Product:
    """A convolution of single pixels as a product of matrices, which needs less preparation."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = weight.detach().flatten(1).contiguous()
        self._bias = None if bias is None else bias.detach()
        self._multiply = one_dnn("_linear_pointwise")
        self._pack = one_dnn("_reorder_linear_weight")
        self._packed: dict[int, Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve whole maps."""
        if not x.is_contiguous(memory_format=torch.channels_last):
            return self._convolution(x)
        count, channels, height, width = x.shape
        pixels = count * height * width
        rows = x.as_strided((pixels, channels), (channels, 1))
        if pixels not in self._packed:
            self._packed[pixels] = self._pack(self._weight, pixels)
        found: Tensor = self._multiply(rows, self._packed[pixels], self._bias, "none", [], "")
        made = found.shape[1]
        strides = height * width * made, 1, width * made, made
        return found.as_strided_((count, made, height, width), strides)  # views are not written to

    @cached_property
    def _convolution(self) -> Convolution:
        """It for maps that lie otherwise in memory."""
        return Convolution(self._weight[:, :, None, None], self._bias)
