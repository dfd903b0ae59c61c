"""The peer torch-lucent 0.1.8, made to run on a torch without CUDA, where it is installed."""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

_OPERATORS = (
    *("nms", "qnms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d"),
    *("_roi_align_backward", "_roi_pool_backward", "_ps_roi_align_backward"),
    *("_ps_roi_pool_backward", "_deform_conv2d_backward"),
)

_kept: list[object] = []  # what is defined goes with its library


def installed() -> bool:
    """Whether it, and what it needs, can be imported."""
    return all(find_spec(name) for name in ("lucent", "torchvision", "kornia"))


def prepare() -> None:
    """Give it what it expects: operators of torchvision's CUDA extension, kornia's old names."""
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    _kept.append(library)
    for name in _OPERATORS:
        library.define(f"{name}(Tensor unused) -> Tensor")  # type: ignore[no-untyped-call]
    kornia, transform = import_module("kornia"), import_module("kornia.geometry.transform")
    for name in ("get_rotation_matrix2d", "warp_affine"):
        setattr(kornia, name, getattr(transform, name))


def seconds(
    model: nn.Module, objective: str, size: int, steps: int, now: Callable[[], float]
) -> float:
    """Return how long a step of `render_vis` with its defaults takes, but for the first."""
    render, param = import_module("lucent.optvis.render"), import_module("lucent.optvis.param")
    ends: list[float] = []

    class Timed(torch.optim.Adam):
        def step(self, closure: Any = None) -> Any:  # noqa: ANN401
            found = super().step(closure)
            ends.append(now())
            return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        render.render_vis(
            model,
            objective,
            param_f=lambda: param.image(size),
            optimizer=lambda parameters: Timed(parameters, lr=5e-2),
            thresholds=(steps + 1,),
            progress=False,
            show_image=False,
        )
    return (ends[-1] - ends[0]) / steps
