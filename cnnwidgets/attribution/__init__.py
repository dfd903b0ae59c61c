"""Which pixels of a picture matter to what a network says of it.

occlusion
    Moves a patch over the picture and watches the answer.
iter_occlusion
    The same, map by map while it is found, coarse to fine.
iter_smoothgrad
    `cnnwidgets.smoothgrad` on its way, after each batch of copies.
iter_vargrad
    `cnnwidgets.vargrad`, likewise.
iter_integrated_gradients
    `cnnwidgets.integrated_gradients`, after each batch of points.
reduce
    Channels to one value per pixel.
part
    What speaks for the score, against it, or both.
clip
    Without the few largest values.
layers_with_maps
    What Grad-CAM can be asked for.
deletion_curve
    How the score falls with the pixels taken away that an attribution ranks first.
insertion_curve
    How it rises with them put in.
iter_deletion_curve
    The same on its way, coarse to fine.
iter_insertion_curve
    Likewise.
randomised
    A network with new random weights, for attributions to be compared with.
cascade
    Such networks, layer after layer from the last one down.
"""

from __future__ import annotations

from cnnwidgets.attribution.cam import layers_with_maps
from cnnwidgets.attribution.curves import (
    Curve,
    deletion_curve,
    insertion_curve,
    iter_deletion_curve,
    iter_insertion_curve,
)
from cnnwidgets.attribution.integrated import iter_integrated_gradients
from cnnwidgets.attribution.occlusion import iter_occlusion, occlusion
from cnnwidgets.attribution.progress import Progress
from cnnwidgets.attribution.randomisation import cascade, randomised
from cnnwidgets.attribution.reduction import PARTS, REDUCTIONS, clip, part, reduce
from cnnwidgets.attribution.smoothing import iter_smoothgrad, iter_vargrad

__all__ = [
    "PARTS",
    "REDUCTIONS",
    "Curve",
    "Progress",
    "cascade",
    "clip",
    "deletion_curve",
    "insertion_curve",
    "iter_deletion_curve",
    "iter_insertion_curve",
    "iter_integrated_gradients",
    "iter_occlusion",
    "iter_smoothgrad",
    "iter_vargrad",
    "layers_with_maps",
    "occlusion",
    "part",
    "randomised",
    "reduce",
]
