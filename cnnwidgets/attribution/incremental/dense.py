"""Dense layers with fixed weights, computed by the library that convolutions are computed by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from cnnwidgets.attribution.incremental.convolution import known

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.attribution.incremental.convolution import Limits


class Dense:
    """`torch.nn.functional.linear` with a ReLU after it included."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, *, limits: Limits | None = None
    ) -> None:
        self.weight = weight.detach().contiguous()
        self._bias = None if bias is None else bias.detach()
        self._limits = limits
        self._after_it = ("none", []) if limits is None else limits.named
        self._fuses = known(weight) and weight.ndim == 2 and _fuses()  # noqa: PLR2004

    @property
    def is_plain(self) -> bool:
        """Whether no ReLU is included yet."""
        return self._limits is None

    def limited(self, limits: Limits) -> Dense:
        """Return it with a ReLU after it."""
        return Dense(self.weight, self._bias, limits=limits)

    def lowered(self) -> Dense:
        """Return it in bfloat16."""
        bias = None if self._bias is None else self._bias.bfloat16()
        return Dense(self.weight.bfloat16(), bias, limits=self._limits)

    def __call__(self, x: Tensor) -> Tensor:
        """Compute it of a batch [N, …, K]."""
        if self._fuses and len(x) > 1:  # one row alone is bound by memory: both are as fast
            found: Tensor = torch.ops.mkldnn._linear_pointwise.default(  # noqa: SLF001
                x, self.weight, self._bias, *self._after_it, ""
            )
            return found
        y = functional.linear(x, self.weight, self._bias)
        return y if self._limits is None else self._limits.cut(y)


@lru_cache(1)
def _fuses() -> bool:
    """Whether this torch has what its compiler calls for dense layers on the CPU."""
    one = torch.ones(1, 1)
    try:
        found = torch.ops.mkldnn._linear_pointwise.default(one, one, None, "relu", [], "")  # noqa: SLF001
    except (AttributeError, RuntimeError, TypeError):
        return False
    return bool(found == 1)
