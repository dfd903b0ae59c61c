"""A small network trained on Fashion-MNIST, and pictures it has and has not seen.

Everything comes with the package; `scripts/train_fashion.py` made it.
"""

from __future__ import annotations

import io
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load

from cnnwidgets.network import Network
from cnnwidgets.samples.fashion_net import FashionNet

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
MEAN, STD = 0.286, 0.353  # of the training pictures, pixels in [0, 1]
SIDE = 28


def fashion() -> tuple[Network, NDArray[np.uint8], NDArray[np.int64]]:
    """Load a small trained network and 2,000 pictures that it was not trained on.

    Returns
    -------
    net : Network
        `FashionNet` (329,962 parameters, eval mode, on the CPU) with its ten class names and its
        preprocessing. Each call builds a new model; the global random state is not touched.
    images : uint8 array [2000, 28, 28]
        Grey pictures, black 0 to white 255; `images[i]` is an image for every function and widget.
    labels : int64 array [2000]
        The class of each picture, 0 to 9; 200 of each class, in the order 0, 1, …, 9, 0, 1, …

    References
    ----------
    Xiao, Rasul and Vollgraf, *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
    Learning Algorithms*, 2017. MIT licence, in data/LICENSE-fashion-mnist.txt.

    Examples
    --------
    >>> net, images, labels = fashion()
    >>> net.predict(images[9], k=1)[0][1]
    'Ankle boot'
    """
    with torch.device("meta"):  # no initial weights: they would draw from the user's random state
        model = FashionNet(len(CLASSES))
    model.load_state_dict(load(_data("fashion.safetensors")), assign=True)
    net = Network(
        model.eval(), classes=CLASSES, input_size=(1, SIDE, SIDE), mean=(MEAN,), std=(STD,)
    )
    return (net, *_sheet("fashion-held-out.png"))


def fashion_training() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Load 5,000 of the 60,000 pictures that the network of `fashion` was trained on.

    Returns
    -------
    images : uint8 array [5000, 28, 28]
        Grey pictures, black 0 to white 255.
    labels : int64 array [5000]
        The class of each picture, 0 to 9; 500 of each class, in the order 0, 1, …, 9, 0, 1, …
    """
    return _sheet("fashion-training.png")


def _data(name: str) -> bytes:
    return (files("cnnwidgets.samples") / "data" / name).read_bytes()


def _sheet(name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Cut a sheet into its tiles, row by row; the classes take turns."""
    sheet = np.asarray(Image.open(io.BytesIO(_data(name))))
    rows, columns = sheet.shape[0] // SIDE, sheet.shape[1] // SIDE
    tiles = sheet.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    return tiles, np.arange(len(tiles)) % len(CLASSES)
