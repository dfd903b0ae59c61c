"""Which calls keep numbers finite: oneDNN's convolutions with a ReLU included make 0 of NaN.

Behind a call that may make NaN or infinity, ReLUs are therefore not included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnwidgets.attribution.incremental.convolution import Convolution
from cnnwidgets.attribution.incremental.dense import Dense
from cnnwidgets.attribution.incremental.sliding import AveragePool, MaxPool
from cnnwidgets.attribution.incremental.tape import Slot
from cnnwidgets.receptive.operations import MOVES

if TYPE_CHECKING:
    from cnnwidgets.attribution.incremental.tape import Call

_BOUNDED = MOVES | frozenset(
    str.split(
        """
        abs absolute adaptive_avg_pool2d adaptive_max_pool2d add amax amin avg_pool2d batch_norm
        cat celu clamp clamp_max clamp_min clip clone concat concatenate contiguous conv2d cos
        detach dropout dropout1d dropout2d elu erf feature_alpha_dropout flatten float gelu
        group_norm hardsigmoid hardswish hardtanh interpolate layer_norm leaky_relu linear
        log_softmax lerp maximum max_pool2d mean minimum mish mul multiply neg negative pad prelu
        relu relu6 rsub selu sigmoid silu sin softmax softplus softsign square sub subtract sum
        tanh threshold
        """
    )
)
"""Functions that make no NaN and no infinity of numbers that are far from them."""


def bounded(call: Call) -> bool:
    """Whether a call makes no NaN and no infinity of numbers that are far from them."""
    if isinstance(call.function, (Convolution, Dense, MaxPool, AveragePool)):
        return True
    reflected = str(getattr(call.function, "__name__", "")).startswith("__r")
    fixed = call.name == "div" and not reflected and not isinstance(call.args[-1], Slot)
    return fixed or call.name in _BOUNDED
