"""Trained networks and pictures for them, so that every widget works on the first line.

Nothing is read before a function is called, and every call returns objects of its own.
"""

from __future__ import annotations

from cnnwidgets.samples.fashion_mnist import fashion, fashion_training
from cnnwidgets.samples.imagenet_photos import imagenet

__all__ = ["fashion", "fashion_training", "imagenet"]
