"""Convolutions with weights that stay as they are, and their gradients by the picture alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cnnwidgets.ascent.layouts import laid_out
from cnnwidgets.ascent.transposing import transposed

if TYPE_CHECKING:
    from cnnwidgets.ascent.layouts import Options
    from cnnwidgets.ascent.transposing import Back
    from cnnwidgets.attribution.incremental.convolution import Limits


class FrozenConvolution:
    """A convolution, with a ReLU after it perhaps, that costs no gradient of its weights.

    Parameters
    ----------
    weight, bias
        Its filters [K, C / groups, H, W], and what is added.
    options
        How it goes over the maps.
    limits
        What its results are cut off at; not by oneDNN, which makes 0 of NaN.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, options: Options, limits: Limits | None = None
    ) -> None:
        self.run, self.limits = laid_out(weight, bias, options), limits
        self._weight, self._options = weight.detach(), options

    def __call__(self, x: Tensor) -> Tensor:
        """Convolve maps [N, C, H, W]; gradients flow back into them."""
        found: Tensor = _Forward.apply(x, self)  # type: ignore[no-untyped-call]
        return found

    @cached_property
    def back(self) -> Back:
        """What takes gradients back, laid out once."""
        weight = self._weight.contiguous(memory_format=torch.channels_last)
        return transposed(weight, self._options)

    @cached_property
    def linear(self) -> FrozenConvolution:
        """It without bias and ReLU: its own derivative."""
        return FrozenConvolution(self._weight, None, self._options)


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, frozen: FrozenConvolution) -> Tensor:  # noqa: ANN401
        ctx.frozen, ctx.shape = frozen, x.shape
        y = frozen.run(x)
        if frozen.limits is not None:
            ctx.save_for_backward(frozen.limits.cut(y))
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # noqa: ANN401
        if ctx.frozen.limits is not None:
            gradient = _within(ctx.frozen.limits, gradient, *ctx.saved_tensors)
        if torch.is_grad_enabled():  # as nobody asks for gradients of gradients else
            return _Back.apply(gradient, ctx.frozen, ctx.shape), None  # type: ignore[no-untyped-call]
        return ctx.frozen.back(gradient, ctx.shape), None


class _Back(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, frozen: FrozenConvolution, shape: torch.Size) -> Tensor:  # noqa: ANN401
        ctx.frozen = frozen
        return frozen.back(gradient, shape)

    @staticmethod
    def backward(ctx: Any, second: Tensor) -> Any:  # noqa: ANN401
        return ctx.frozen.linear(second), None, None


def _within(limits: Limits, gradient: Tensor, y: Tensor) -> Tensor:
    """Return the gradient where `y` has not been cut off."""
    found: Tensor
    if limits.highest is None:
        found = torch.ops.aten.threshold_backward.default(gradient, y, 0.0)
    else:
        found = torch.ops.aten.hardtanh_backward.default(gradient, y, 0.0, limits.highest)
    return found
