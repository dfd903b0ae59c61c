"""Calls of torch's functions around a convolution, by what they are given besides maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

from cnnwidgets.attribution.incremental.convolution import Limits
from cnnwidgets.attribution.incremental.sliding import pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Filters(NamedTuple):
    """What `torch.conv2d` is given."""

    weight: Tensor
    bias: Tensor | None = None
    stride: int | Sequence[int] = 1
    padding: int | str | Sequence[int] = 0
    dilation: int | Sequence[int] = 1
    groups: int = 1

    def padded(self, zeros: Zeros) -> Filters | None:
        """Return filters that put zeros around their maps themselves; None if that is slower.

        oneDNN pads alike before and after, so that taps that see nothing make up for what is more
        on one side. They cost little where each channel has a filter of its own.
        """
        down, across = zeros.bottom - zeros.top, zeros.right - zeros.left
        weight = self.weight
        if down or across:
            if weight.shape[1] > 1 or self.groups == 1 or pair(self.dilation) != (1, 1):
                return None
            taps = max(across, 0), max(-across, 0), max(down, 0), max(-down, 0)
            weight = functional.pad(weight, taps)
        given: Any = self.padding
        own = pair(given)
        both = own[0] + max(zeros.top, zeros.bottom), own[1] + max(zeros.left, zeros.right)
        return self._replace(weight=weight, padding=both)


class Norm(NamedTuple):
    """What `torch.nn.functional.batch_norm` is given."""

    mean: Tensor | None
    variance: Tensor | None
    weight: Tensor | None = None
    bias: Tensor | None = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5

    def folded(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return filters and bias of a convolution with it included."""
        given: Any = self.mean, self.variance, self.eps, self.weight, self.bias
        return fuse_conv_bn_weights(weight, bias, *given)


class Zeros(NamedTuple):
    """How many rows and columns of zeros `torch.nn.functional.pad` puts around maps."""

    left: int
    right: int
    top: int
    bottom: int


Follower: TypeAlias = Norm | Limits
"""What can be made part of the convolution before it: a norm, a ReLU."""


def convolving(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Filters]:  # noqa: A002, ANN401
    """Return maps and filters of a call of `torch.conv2d`."""
    return input, Filters(*args, **kwargs)


def following(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Tensor, Follower] | None:
    """Return maps, and what a call does to them, if a convolution before it could do it."""
    read = _FOLLOWERS.get(func)
    return None if read is None else read(*args, **kwargs)


def padding(
    input: Tensor,  # noqa: A002
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> tuple[Tensor, Zeros] | None:
    """Return maps, and the zeros that a call of `torch.nn.functional.pad` puts around them."""
    around = input.ndim == 4 and len(pad) == 4 and min(pad) >= 0  # noqa: PLR2004 - [N, C, H, W]
    return (input, Zeros(*pad)) if around and mode == "constant" and not value else None


def _normed(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Follower]:  # noqa: A002, ANN401
    return input, Norm(*args, **kwargs)


def _cut(input: Tensor, inplace: bool = False) -> tuple[Tensor, Follower]:  # noqa: A002, ARG001, FBT001, FBT002
    return input, Limits()


def _cut_at_six(input: Tensor, inplace: bool = False) -> tuple[Tensor, Follower]:  # noqa: A002, ARG001, FBT001, FBT002
    return input, Limits(6.0)


def _cut_between(
    input: Tensor,  # noqa: A002
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,  # noqa: ARG001, FBT001, FBT002
) -> tuple[Tensor, Follower] | None:
    return (input, Limits(float(max_val))) if min_val == 0 else None


_FOLLOWERS: dict[Callable[..., Any], Callable[..., tuple[Tensor, Follower] | None]] = {
    functional.batch_norm: _normed,
    functional.relu6: _cut_at_six,
    functional.hardtanh: _cut_between,
    **dict.fromkeys((functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_), _cut),
}
