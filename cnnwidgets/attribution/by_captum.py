"""What Captum computes. It is imported with the first map, as that takes half a second or more."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

import torch

from cnnwidgets.isolation import PrivateDraws, isolated

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from torch import Tensor


def by_captum(
    method: str,
    forward: Callable[[Tensor], Tensor],
    pictures: Tensor,
    **options: Any,  # noqa: ANN401 - Captum's
) -> Tensor:
    """Return what a method of Captum's says of pictures.

    Parameters
    ----------
    method
        Name of a class of ``captum.attr``.
    forward
        From pictures [N, C, H, W] to their scores [N], to be differentiated; for ``GuidedBackprop``
        and ``Deconvolution`` a module, whose ReLUs are hooked meanwhile.
    pictures
        [N, C, H, W], a leaf that requires its gradient.
    options
        For its ``attribute``.

    Returns
    -------
    Tensor
        [N, C, H, W].
    """
    explained = getattr(captum(), method)(forward)
    # Captum tells of its hooks, which are on nothing of the user's. The filter stays: to put the
    # filters back, as catch_warnings does, would undo what other threads do to them meanwhile.
    warnings.filterwarnings("ignore", "Setting backward hooks on ReLU", UserWarning, "captum")
    found: Tensor = explained.attribute(pictures, **options)
    return found.detach()


@functools.cache
def captum() -> ModuleType:
    """Import ``captum.attr`` once, without drawing from the global random numbers."""
    cpu = torch.device("cpu")
    with isolated(cpu, grad=True), PrivateDraws(cpu):
        from captum import attr  # noqa: PLC0415 - slow, and only maps need it
    module: ModuleType = attr
    return module
