"""What one unit wants to see: gradient ascent on a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnwidgets.ascent.climbing import Ascent
from cnnwidgets.ascent.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

    from cnnwidgets.ascent.asked import Asked
    from cnnwidgets.ascent.frame import Frame
    from cnnwidgets.network import Network


def ascend(
    net: Network | nn.Module,
    objective: Asked,
    *,
    steps: int = 256,
    lr: float = 0.05,
    optimizer: str = "adam",
    parametrization: str = "fourier",
    tv: float | None = None,
    l2: float = 0.0,
    p_norm: float = 0.0,
    scale: float = 1.0,
    clip: float = 0.0,
    blur_sigma: float = 0.0,
    jitter: float | None = None,
    zoom: float | None = None,
    rotation: float | None = None,
    start: Any = "noise",  # noqa: ANN401 - a picture in any form
    seed: int = 0,
    direction: int = 1,
    size: int | Sequence[int] | None = None,
    patience: int | None = 64,
) -> Iterator[Frame]:
    """Change a picture until a unit answers it as strongly as it can (activation maximisation).

    Erhan et al., "Visualizing Higher-Layer Features of a Deep Network" (2009); Simonyan, Vedaldi &
    Zisserman, "Deep Inside Convolutional Networks" (2014), section 2; the defaults follow Olah,
    Mordvintsev & Schubert, "Feature Visualization" (Distill 2017).

    Parameters
    ----------
    net
        The network or a bare module. It is not changed; each step goes by its weights as they are.
    objective
        What is to rise: ``"layer:channel"``, `Class`, `Channel`, `Neuron`, `Logit`, `Probability`,
        `Direction`, sums and multiples of these, or a function of what the model returns for N
        pictures to [N].
    steps
        Most steps.
    lr
        Step size: of a Fourier coefficient, or of a pixel in [0, 1]. From step 128 to
        step 256 it falls to a fifth, by a cosine (Loshchilov & Hutter 2017).
    optimizer
        ``"adam"`` (Kingma & Ba 2015) or ``"sgd"`` with normalised gradients (Mordvintsev, Olah &
        Tyka 2015), whose steps change the picture by as much.
    parametrization
        ``"fourier"``: decorrelated coefficients, and a sigmoid to the valid range (Olah et al.
        2017); ``"pixel"``: the pixels, clipped to it.
    tv
        Weight of the total variation (Mahendran & Vedaldi 2015), in the score's unit; by default
        one that follows the unit, so that it pulls at pixels about half as much as the score
        does.
    l2
        Weight of the mean square of pixel − mean (Simonyan et al. 2014).
    p_norm
        Weight of the mean of (pixel − mean)⁶ (Mahendran & Vedaldi 2015).
    scale
        What white is where black is 0, for these weights. They are of means over the picture and of
        pixels, so that they mean the same for every size and normalisation. Sources have pixels in
        [0, 255]: with 255 their weights can be taken as published; a weight w of `tv` or `l2` is
        then one of w · 255² at 1, one of `p_norm` w · 255⁶.
    clip
        Share of the pixels, those nearest the mean, that are set to it after each step (Yosinski
        et al. 2015).
    blur_sigma
        Standard deviation in pixels of a Gaussian, every 4 steps (Yosinski et al. 2015).
    jitter
        Most pixels by which each step sees the picture moved (Mordvintsev et al. 2015); by default
        1/16 of its shorter side, for a `Neuron` at most a quarter of its layer's jump.
    zoom, rotation
        Most by which it sees it larger or smaller, as a share, and turned, in degrees (Olah et al.
        2017); by default 0.05 and 5, or 0.2 and 10 for pictures from 64 pixels on, but of a
        `Neuron`.
    start
        ``"noise"``, ``"zeros"`` (black), ``"mean"`` of the data, or an image (deep dream). Noise
        is faint; where a unit does not react to it, as behind a ReLU that is off, its contrast is
        doubled until it does, seven times at most.
    seed
        Of the noise and of all moves. Global random states are neither used nor changed.
    direction
        1, or −1 to minimise: the SadMap.
    size
        Height and width in pixels; by default the network's. A layer's units can be asked at any
        size, classes only at those that the network takes.
    patience
        Ends when the mean score of so many steps is not above that of the ones before; None never.

    Yields
    ------
    Frame
        The start, then the picture after each step. The `note` of the last one says why it ended
        before `steps`: it does not rise, its gradient is zero, or its score is not a number, in
        which case it is the last good one.

    Raises
    ------
    NoGradientError
        If the objective cannot be differentiated.
    TypeError, ValueError
        If an argument makes no sense; the message names it, and what is nearest.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> *_, last = cw.ascend(net, cw.Class("Trouser"), steps=64)
    >>> last.prediction.name
    'Trouser'
    """
    settings = Settings(
        lr=lr,
        direction=direction,
        tv=tv,
        l2=l2,
        p_norm=p_norm,
        scale=scale,
        clip=clip,
        blur_sigma=blur_sigma,
        jitter=jitter,
        zoom=zoom,
        rotation=rotation,
    )
    ascent = Ascent(
        net,
        objective,
        seed,
        settings,
        steps=steps,
        optimizer=optimizer,
        parametrization=parametrization,
        start=start,
        size=size,
        patience=patience,
    )
    return (frame for (frame,) in ascent)
