"""Convolutions with fixed weights, laid out once for what the CPU computes fastest."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

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

    @property
    def named(self) -> tuple[str, list[float]]:
        """As oneDNN calls it."""
        return ("relu", []) if self.highest is None else ("hardtanh", [0.0, self.highest])

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
        kernels, self._strides, self._dilations = (
            pair(weight.shape[2:]),
            pair(stride),
            pair(dilation),
        )
        before, self.after = _paddings(padding, kernels, self._dilations)
        self.axes = axes_of(kernels, self._strides, before, self._dilations)
        self._before, self._padding, self._groups = before, padding, groups
        self.weight = weight.detach().contiguous(memory_format=torch.channels_last)
        self._bias = None if bias is None else bias.detach()
        self._limits = limits
        self._after_it = ("none", []) if limits is None else limits.named
        self._packed: dict[bool, Tensor] = {}
        self._packs = known(weight) and _packs()

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

    def lowered(self) -> Convolution:
        """Return it in bfloat16."""
        bias = None if self._bias is None else self._bias.bfloat16()
        return self._with(self.weight.bfloat16(), bias, self._limits)

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
        """Convolve as torch's compiler does on the CPU: weights laid out once, ReLU included."""
        options = padding, self._strides, self._dilations, self._groups
        several = len(x) > 1  # which may want another layout; padding does not
        if several not in self._packed:
            self._packed[several] = _pack(self.weight, *options, x.shape)
        return _pointwise(x, self._packed[several], self._bias, *options, *self._after_it, "")


def known(weight: Tensor) -> bool:
    """Whether oneDNN computes with weights of this kind here."""
    if weight.device.type != "cpu":
        return False
    half: Any = torch.ops.mkldnn
    return weight.dtype == torch.float32 or (
        weight.dtype == torch.bfloat16 and bool(half._is_mkldnn_bf16_supported())  # noqa: SLF001
    )


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


def _pack(weight: Tensor, *options: Any) -> Tensor:  # noqa: ANN401 - as oneDNN's call has them
    lay: Any = torch._C._nn.mkldnn_reorder_conv2d_weight  # noqa: SLF001 - there is no public way
    packed: Tensor = lay(weight.to_mkldnn(), *options)
    return packed


def _pointwise(*args: Any) -> Tensor:  # noqa: ANN401
    found: Tensor = torch.ops.mkldnn._convolution_pointwise.default(*args)  # noqa: SLF001
    return found


@lru_cache(1)
def _packs() -> bool:
    """Whether this torch has what its compiler calls for convolutions on the CPU."""
    one = torch.ones(1, 1, 1, 1)
    options = (0, 0), (1, 1), (1, 1), 1
    try:
        found = _pointwise(one, _pack(one, *options, one.shape), None, *options, "relu", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return bool(found == 1)
