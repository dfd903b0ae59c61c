"""Convolutions with fixed weights, laid out once for what the CPU computes fastest."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

from cnnwidgets.attribution.incremental.sliding import Both, axes_of, pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Limits(NamedTuple):
    """What a convolution's outputs are cut off at: ReLU and ReLU6."""

    highest: float | None = None

    def cut(self, x: Tensor) -> Tensor:
        """Cut off in place."""
        return x.relu_() if self.highest is None else x.clamp_(0.0, self.highest)


class Convolution:
    """`torch.nn.functional.conv2d` with its weights, a norm and a ReLU after it included."""

    value = 0.0

    def __init__(  # noqa: PLR0917 - the arguments of torch.conv2d
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | str | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        *,
        limits: Limits | None = None,
    ) -> None:
        kernels, self._strides, self._dilations = pair(weight.shape[2:]), pair(stride), pair(dilation)
        before, self.after = _paddings(padding, kernels, self._dilations)
        self.axes = axes_of(kernels, self._strides, before, self._dilations)
        self._before, self._padding, self._groups = before, padding, groups
        self.weight = weight.detach().contiguous(memory_format=torch.channels_last)
        self._bias = None if bias is None else bias.detach()
        self._limits = limits
        self._packed: dict[tuple[Both, bool], Tensor] = {}
        self._packs = _packs() and weight.device.type == "cpu" and weight.dtype == torch.float32

    def normed(  # noqa: PLR0917 - the arguments of torch.nn.functional.batch_norm
        self,
        mean: Tensor,
        variance: Tensor,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,  # noqa: FBT001, FBT002, ARG002
        momentum: float = 0.1,  # noqa: ARG002
        eps: float = 1e-5,
    ) -> Convolution:
        """Return it with a batch norm after it."""
        folded, shift = fuse_conv_bn_weights(
            self.weight, self._bias, mean, variance, eps, weight, bias
        )
        return self._with(folded, shift, None)

    def limited(self, limits: Limits) -> Convolution:
        """Return it with a ReLU after it."""
        return self._with(self.weight, self._bias, limits)

    @property
    def is_plain(self) -> bool:
        """Whether no ReLU is included yet."""
        return self._limits is None

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve whole maps."""
        if self._before == self.after:
            return self._convolved(x, self._before)
        (top, left), (bottom, right) = self._before, self.after
        return self._convolved(functional.pad(x, (left, right, top, bottom)), (0, 0))

    def inside(self, x: Tensor) -> Tensor:
        """Convolve pieces that have their padding already."""
        return self._convolved(x, (0, 0))

    def _with(self, weight: Tensor, bias: Tensor | None, limits: Limits | None) -> Convolution:
        options = self._strides, self._padding, self._dilations, self._groups
        return Convolution(weight, bias, *options, limits=limits)

    def _convolved(self, x: Tensor, padding: Both) -> Tensor:
        if self._packs:
            return self._fused(x, padding)
        options = self._strides, padding, self._dilations, self._groups
        y = functional.conv2d(x, self.weight, self._bias, *options)
        return y if self._limits is None else self._limits.cut(y)

    def _fused(self, x: Tensor, padding: Both) -> Tensor:
        """Convolve with oneDNN as torch's compiler does: nothing is laid out again, ReLU included."""
        key = padding, len(x) > 1
        options = padding, self._strides, self._dilations, self._groups
        if key not in self._packed:
            self._packed[key] = torch._C._nn.mkldnn_reorder_conv2d_weight(  # noqa: SLF001
                self.weight.to_mkldnn(), *options, x.shape
            )
        name, scalars = "none", []
        if self._limits is not None:
            highest = self._limits.highest
            name, scalars = ("relu", []) if highest is None else ("hardtanh", [0.0, highest])
        return _pointwise()(x, self._packed[key], self._bias, *options, name, scalars, "")


def _paddings(
    padding: int | str | Sequence[int], kernels: Both, dilations: Both
) -> tuple[Both, Both]:
    """Return what is put before and after each axis."""
    if not isinstance(padding, str):
        return pair(padding), pair(padding)
    if padding == "valid":
        return (0, 0), (0, 0)
    down, across = (d * (k - 1) for k, d in zip(kernels, dilations, strict=True))
    return (down // 2, across // 2), (down - down // 2, across - across // 2)


@lru_cache(1)
def _packs() -> bool:
    """Whether this torch has what its compiler calls for convolutions on the CPU."""
    if not torch.backends.mkldnn.is_available():
        return False
    weight, x = torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1)
    options = (0, 0), (1, 1), (1, 1), 1
    try:
        packed = torch._C._nn.mkldnn_reorder_conv2d_weight(  # noqa: SLF001
            weight.to_mkldnn(), *options, x.shape
        )
        found = _pointwise()(x, packed, None, *options, "relu", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return bool(found == 1)


@lru_cache(1)
def _pointwise():
    return torch.ops.mkldnn._convolution_pointwise.default
