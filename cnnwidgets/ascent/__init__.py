"""What a network's units want to see: pictures that make a score as large as it can be.

ascend
    One picture on its way, step by step.
Ascent
    Several pictures that climb as one batch.
Settings
    What they go by, and may be given anew between two steps.
Frame
    One picture after so many steps.
Objective
    What is to rise: a score of each picture; sums and multiples of these are ones, too.
Channel, Neuron, Direction, Diversity
    Of a layer: one channel, one unit, a mixture of channels; that pictures differ.
Class, Logit, Probability
    Of the network's answer.
Function
    Anything that can be computed of a layer, or of what the model returns.
total_variation
    How rough pictures are.
"""

from __future__ import annotations

from cnnwidgets.ascent.ascend import ascend
from cnnwidgets.ascent.climbing import Ascent
from cnnwidgets.ascent.frame import Frame
from cnnwidgets.ascent.objectives import Objective
from cnnwidgets.ascent.outputs import Class, Function, Logit, Probability
from cnnwidgets.ascent.penalties import total_variation
from cnnwidgets.ascent.settings import Settings
from cnnwidgets.ascent.units import Channel, Direction, Diversity, Neuron

__all__ = [
    "Ascent",
    "Channel",
    "Class",
    "Direction",
    "Diversity",
    "Frame",
    "Function",
    "Logit",
    "Neuron",
    "Objective",
    "Probability",
    "Settings",
    "ascend",
    "total_variation",
]
