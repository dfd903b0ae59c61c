"""Receptive fields: what each unit of each layer sees of the picture, through any graph.

Along each axis every unit carries the exact interval of input pixels that it depends on, and the
layer carries the closed formulas of Araujo, Norris & Sim, "Computing Receptive Fields of
Convolutional Neural Networks", Distill (2019), doi:10.23915/distill.00021. What is not known to
be local is taken to see the whole picture: an interval is never too small.
"""

from __future__ import annotations

from cnnwidgets.receptive.fields import Axis, Field
from cnnwidgets.receptive.rules import propagate

__all__ = ["Axis", "Field", "propagate"]
