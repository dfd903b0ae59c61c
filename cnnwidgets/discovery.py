"""What can be found out about a model that it was not told: its classes, its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch.nn.modules.conv import _ConvNd

from cnnwidgets.shadow import unwrap

if TYPE_CHECKING:
    import torch
    from torch import nn

    from cnnwidgets.images import Numbers

_SIZES = (224, 32, 28, 64, 96, 128, 256, 299)


@dataclass(frozen=True)
class Settings:
    """How a model wants its pictures, as far as it is known; None where it is not."""

    classes: Any = None
    input_size: Any = None
    mean: Numbers | None = None
    std: Numbers | None = None
    preprocess: Callable[[Any], torch.Tensor] | None = None


def settings_of(model: nn.Module, weights: Any = None) -> Settings:  # noqa: ANN401 - duck-typed
    """Read what comes with a model.

    Parameters
    ----------
    model
        A model of timm has a ``pretrained_cfg`` (or ``default_cfg``).
    weights
        A member of a torchvision weights enum: ``.transforms()`` gives the crop size, mean
        and std (and prepares pictures, if it can be called), ``.meta["categories"]`` the names.
    """
    if weights is not None:
        return _from_weights(weights)
    for name in ("pretrained_cfg", "default_cfg"):
        config = getattr(unwrap(model), name, None)
        if config is not None:
            known = config if isinstance(config, Mapping) else vars(config)
            names = ("label_names", "input_size", "mean", "std")
            return Settings(*(known.get(name) for name in names))
    return Settings()


def _from_weights(weights: Any) -> Settings:  # noqa: ANN401
    if not hasattr(weights, "transforms"):
        raise TypeError(
            f"weights: {type(weights).__name__} has no transforms(); "
            "pass a torchvision weights enum member such as ResNet18_Weights.DEFAULT"
        )
    transforms = weights.transforms()
    crop = getattr(transforms, "crop_size", None)
    return Settings(
        (getattr(weights, "meta", None) or {}).get("categories"),
        crop[0] if isinstance(crop, Sequence) and len(crop) == 1 else crop,
        getattr(transforms, "mean", None),
        getattr(transforms, "std", None),
        transforms if callable(transforms) else None,
    )


def size_of(size: Any) -> tuple[int, ...] | None:  # noqa: ANN401 - checked here
    """Return an input size as (H, W) or (C, H, W), given as that or as one number."""
    if size is None:
        return None
    numbers = tuple(size) if isinstance(size, Iterable) else (size, size)
    if len(numbers) not in {2, 3} or not all(isinstance(n, int) and n > 0 for n in numbers):
        raise ValueError(f"input_size: {size!r}; give pixels as one number, (H, W) or (C, H, W)")
    return numbers


def shapes_to_try(model: nn.Module, size: tuple[int, ...] | None) -> Iterator[tuple[int, int, int]]:
    """Yield (C, H, W) that a model may take, likeliest first.

    Parameters
    ----------
    model
        Its first convolution tells the channels, unless that is yet to be built.
    size
        (H, W) or (C, H, W), as far as known.
    """
    if size is not None and len(size) == len("CHW"):
        yield size[0], size[1], size[2]
        return
    first = next((module for module in model.modules() if isinstance(module, _ConvNd)), None)
    channels = first.in_channels if first is not None else 0
    for count in (channels,) if channels else (3, 1):
        for height, width in (size,) if size is not None else zip(_SIZES, _SIZES, strict=True):
            yield count, height, width


def normalisation_of(preprocess: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Find the mean and std in a torchvision transform; (None, None) if there are none."""
    for step in (preprocess, *getattr(preprocess, "transforms", ())):
        if hasattr(step, "mean") and hasattr(step, "std"):
            return step.mean, step.std
    return None, None
