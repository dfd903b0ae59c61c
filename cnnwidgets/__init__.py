"""See inside a PyTorch convolutional network from a Jupyter notebook.

Network
    A model, and what it does not know about itself: preprocessing, class names, layers.
Layer
    What is known of one layer without running it again; `Network.layers` lists them.
LayerBrowser
    A widget: every layer and channel for one picture, or two side by side.
link
    Ties what several widgets show: one choice shows in all.
arithmetic
    Functions: output sizes, parameter counts, and how a convolution came to one number.
samples
    Functions: trained networks with pictures for them.

Names load on first use, so that ``import cnnwidgets`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnwidgets import arithmetic, samples
    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.layer_browser import LayerBrowser
    from cnnwidgets.widgets.link import link

    __version__: str

__all__ = ["Layer", "LayerBrowser", "Network", "arithmetic", "link", "samples"]

_MODULES = {
    "Layer": "cnnwidgets.layers",
    "LayerBrowser": "cnnwidgets.widgets.layer_browser",
    "Network": "cnnwidgets.network",
    "link": "cnnwidgets.widgets.link",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = _version()
    elif name in _MODULES:
        value = getattr(import_module(_MODULES[name]), name)
    elif name in __all__:
        value = import_module(f"cnnwidgets.{name}")
    else:
        from cnnwidgets.errors import nearest  # noqa: PLC0415 - seldom needed

        raise AttributeError(f"cnnwidgets has no {name!r}; {nearest(name, __all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow

    try:
        return version("cnnwidgets")
    except PackageNotFoundError:  # run from the source tree
        return "0.0.0+source"
