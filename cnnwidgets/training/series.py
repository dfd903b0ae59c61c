"""What was measured of one layer and quantity, over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Histograms(NamedTuple):
    """Histograms of one layer and quantity over the run.

    Attributes
    ----------
    steps
        int64 [recorded steps]
    edges
        float64 [250]: bin ``i`` is from ``edges[i]`` to ``edges[i + 1]``; four bins to an octave.
    shares
        float32 [recorded steps, 249]: the share of the values in each bin, to one part in 2,000;
        NaN where it was not measured. Values beyond the edges are in the outermost bins, NaN and
        infinity in none.
    """

    steps: NDArray[np.int64]
    edges: NDArray[np.float64]
    shares: NDArray[np.float32]


class Statistics(NamedTuple):
    """Numbers of one layer and quantity over the run, float32 [recorded steps]; NaN: not measured.

    Attributes
    ----------
    steps
        int64 [recorded steps]
    norm, mean, std
        Euclidean norm, mean and standard deviation of all values: that of the population, divided
        by n, as ``torch.std(correction=0)``.
    zeros
        Share of values that are zero; of tensors of more than 8,192 values it is that of as many,
        spread evenly.
    nans, infs
        How many values are NaN, or infinite.
    update
        Of weights and biases: the norm of what the step changed, divided by their norm; of more
        than 65,536 values that of as many at most, spread evenly. Healthy are 0.0001 to 0.01.
    dead
        Of activations of a layer that a ReLU follows: the share of its units that were positive
        nowhere in the last 8 to 16 recorded batches.
    """

    steps: NDArray[np.int64]
    norm: NDArray[np.float32]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    zeros: NDArray[np.float32]
    nans: NDArray[np.float32]
    infs: NDArray[np.float32]
    update: NDArray[np.float32]
    dead: NDArray[np.float32]
