"""Trained networks and pictures for them, so that every widget works on the first line.

fashion
    A small network trained on Fashion-MNIST, and 2,000 pictures that it was not trained on.
fashion_training
    5,000 of the pictures that it was trained on.
imagenet
    EfficientNet-Lite0 with ImageNet weights, and six photographs (extra ``imagenet``).

Nothing is read before a function is called, and every call returns objects of its own.
"""

from __future__ import annotations

from cnnwidgets.samples.fashion_mnist import fashion, fashion_training
from cnnwidgets.samples.imagenet_photos import imagenet

__all__ = ["fashion", "fashion_training", "imagenet"]
