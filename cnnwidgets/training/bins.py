"""Histogram bins that fit everything in a network: one per power of two, for each sign.

Fixed bins need no look at the data first, and make the histograms of all steps, layers and runs
comparable. Weights, gradients and activations spread over many powers of ten, so that the bins
have to be logarithmic, as those of TensorBoard are, which are finer (a tenth each) and slower.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import torch
from torch import Tensor

LOWEST, HIGHEST = -23, 8
OCTAVES = HIGHEST - LOWEST
"""Bins of one sign: [2^-23, 2^-22), … [2^7, 2^8); what is larger falls into the last."""
BINS = 2 * OCTAVES + 1
"""63: the negative ones, the one about zero (less than 2^-23), the positive ones."""
EDGES = np.concatenate(
    [-(2.0 ** np.arange(HIGHEST, LOWEST - 1, -1)), 2.0 ** np.arange(LOWEST, HIGHEST + 1)]
)
"""float64 [64], rising: bin ``i`` is from ``EDGES[i]`` to ``EDGES[i + 1]``."""
CAP = 8192
"""Values of one tensor that its histogram is made of."""

_MANTISSA, _BIAS, _CODES = 23, 126, 512  # of float32: bits; exponent of 0.5; signs and exponents
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


def histograms(samples: list[Tensor]) -> Tensor:
    """Count the finite values of flat float32 tensors on one device.

    Returns
    -------
    Tensor
        float32 [tensors, 63]: the share of each bin; zero where nothing is finite.
    """
    everything = torch.cat(samples)
    codes = everything.view(torch.int32).bitwise_right_shift(_MANTISSA).bitwise_and_(_CODES - 1)
    codes += _first_codes(tuple(map(len, samples)), everything.device)
    counts = torch.bincount(codes, minlength=len(samples) * _CODES)
    # Added up as integers: a product of matrices would be less exact under autocast or TF32.
    counted = counts.new_zeros(len(samples), BINS + 1)
    counted.index_add_(1, _bins_of_codes(counts.device), counts.view(-1, _CODES))
    finite = counted[:, :BINS].float()
    return finite / finite.sum(1, keepdim=True).clamp_(min=1)


@lru_cache(maxsize=4)
def _first_codes(lengths: tuple[int, ...], device: torch.device) -> Tensor:
    """Return where the codes of each value's tensor begin, int32 [values]."""
    first = torch.arange(len(lengths), dtype=torch.int32) * _CODES
    return first.repeat_interleave(torch.tensor(lengths)).to(device)


@lru_cache(maxsize=4)
def _bins_of_codes(device: torch.device) -> Tensor:
    """Return the bin of values of each sign and exponent, int64 [512]; 63 for NaN and infinity."""
    code = torch.arange(_CODES)
    exponent = code % (_CODES // 2)
    octave = (exponent - _BIAS).clamp(LOWEST, HIGHEST) - LOWEST
    index = torch.where(code < _CODES // 2, OCTAVES + octave, OCTAVES - octave)
    return index.masked_fill_(exponent == _CODES // 2 - 1, BINS).to(device)
