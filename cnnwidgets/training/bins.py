"""Histogram bins that fit everything in a network: four per power of two, for each sign.

Fixed bins need no look at the data first, and make the histograms of all steps, layers and runs
comparable. Weights, gradients and activations spread over many powers of ten, so that the bins
have to be logarithmic, as those of TensorBoard are. From a power of two to the next they are
equally wide: a float's bin is its sign, its exponent and the first bits of its mantissa.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import torch
from torch import Tensor

LOWEST, HIGHEST = -23, 8
OCTAVES = HIGHEST - LOWEST
"""Powers of two of one sign: [2^-23, 2^-22), … [2^7, 2^8)."""
PARTS = 4
"""Bins of an octave, equally wide: 0.125, 0.15625, 0.1875, 0.21875, 0.25."""
SIDE = OCTAVES * PARTS
"""Bins of one sign; what is larger falls into the last."""
BINS = 2 * SIDE + 1
"""249: the negative ones, the one about zero (less than 2^-23), the positive ones."""
_POSITIVE = np.append(
    np.outer(2.0 ** np.arange(LOWEST, HIGHEST), 1 + np.arange(PARTS) / PARTS), 2.0**HIGHEST
)
EDGES = np.concatenate([-_POSITIVE[::-1], _POSITIVE])
"""float64 [250], rising: bin ``i`` is from ``EDGES[i]`` to ``EDGES[i + 1]``."""
CAP = 8192
"""Values of one tensor that its histogram is made of."""

_REST, _CODES = 21, 2048  # of float32: bits of the mantissa without the first two; of the others
_BIAS, _NOT_FINITE = 127, 255  # exponents of 1, and of NaN and infinity
_SMALL_PRIMES = 2 * 3 * 5 * 7


def sample(values: Tensor, cap: int = CAP) -> Tensor:
    """Return up to `cap` values spread evenly over a flat tensor.

    The step between them shares no small factor with the shape, or else they would all be of the
    same columns of a matrix, or of the same places in kernels of 3 x 3.
    """
    step = -(-values.numel() // cap)
    while step > 1 and gcd(step, _SMALL_PRIMES) > 1:
        step += 1
    return values[::step]


def histograms(samples: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Count the values of flat float32 tensors on one device.

    Returns
    -------
    zeros : Tensor
        float32 [tensors]: the share of zeros; what is smaller than 2^-128 is taken for one.
    shares : Tensor
        float32 [tensors, 249]: that of each bin in what is finite; zero where nothing is.
    """
    everything = torch.cat(samples)
    codes = everything.view(torch.int32).bitwise_right_shift(_REST).bitwise_and_(_CODES - 1)
    codes += _first_codes(tuple(map(len, samples)), everything.device)
    counts = torch.bincount(codes, minlength=len(samples) * _CODES).view(-1, _CODES)
    # Added up as integers: a product of matrices would be less exact under autocast or TF32.
    counted = counts.new_zeros(len(samples), BINS + 1)
    counted.index_add_(1, _bins_of_codes(counts.device), counts)
    finite = counted[:, :BINS].float()
    zeros = counts[:, :: _CODES // 2].sum(1) / counted.sum(1)  # of both signs
    return zeros, finite / finite.sum(1, keepdim=True).clamp_(min=1)


@lru_cache(maxsize=4)
def _first_codes(lengths: tuple[int, ...], device: torch.device) -> Tensor:
    """Return where the codes of each value's tensor begin, int32 [values]."""
    first = torch.arange(len(lengths), dtype=torch.int32) * _CODES
    return first.repeat_interleave(torch.tensor(lengths)).to(device)


@lru_cache(maxsize=4)
def _bins_of_codes(device: torch.device) -> Tensor:
    """Return the bin of values that begin with these bits, int64 [2048]; 249: not finite."""
    size = torch.arange(_CODES // 2)
    away = (size - (_BIAS + LOWEST) * PARTS + 1).clamp(0, SIDE)
    index = torch.cat([SIDE + away, SIDE - away])
    return index.masked_fill_(size.repeat(2) // PARTS == _NOT_FINITE, BINS).to(device)
