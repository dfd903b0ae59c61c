"""Which places of a picture matter: a patch is moved over it and the answer watched.

Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014), section 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnwidgets.attribution.asked import METHODS, positions_in, target_of, whole_pixels
from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.grid import Grid, Listed
from cnnwidgets.attribution.measures import activation_of, measured
from cnnwidgets.attribution.occlusion_map import OcclusionMap
from cnnwidgets.attribution.patches import PatchedPasses
from cnnwidgets.attribution.sweep import Sweep
from cnnwidgets.errors import nearest
from cnnwidgets.network import Network, as_network

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any, Literal, TypeAlias

    from torch import Tensor, nn

    from cnnwidgets.attribution.fills import Fill
    from cnnwidgets.images import Picture

    Method: TypeAlias = Literal["auto", "incremental", "full", "draft"]

GIGABYTE = 10**9


def occlusion(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    window: int | tuple[int, int] = 32,
    stride: int | tuple[int, int] = 16,
    positions: Sequence[tuple[int, int]] | Tensor | None = None,
    fill: Fill = "mean",
    measure: str = "probability",
    activation: str = "auto",
    score: Callable[[Any], Tensor] | None = None,
    method: Method = "auto",
    seed: int = 0,
    memory: float = GIGABYTE,
) -> OcclusionMap:
    """Move a patch over a picture and see what the network says.

    Parameters
    ----------
    net
        A `cnnwidgets.Network` or a bare module; it is not changed.
    image
        As for `Network.prepare`.
    target
        Class index or name; the predicted class by default.
    window, stride
        Size of the patch and the step between its places, in pixels of the network's input; one
        number or (rows, columns).
    positions
        [P, 2]: (row, column) of the first pixel of each patch, instead of a grid. What is over
        the edge is cut off.
    fill
        What the patch shows: ``"mean"``, ``"blur"``, ``"noise"``, a number (after normalisation), a
        colour or a tensor; see `cnnwidgets.attribution.fills.filled`.
    measure
        ``"probability"``, ``"logit"`` or ``"log-odds"`` of the target.
    activation
        What makes probabilities of the network's outputs: ``"softmax"``; ``"sigmoid"`` for
        several labels at once, each a question of its own; ``"none"`` where they are
        probabilities already. ``"auto"``: none if the forward ends in softmax or sigmoid,
        sigmoid for a single output, else softmax.
    score
        For a network that is no classifier: a function from what it returns for a batch of N to
        a tensor [N] or [N, K]; of maps [N, K, H, W] each is averaged over its positions. One number
        for each picture is followed as it is, as a ``"logit"``.
    method
        ``"incremental"`` computes what the patch changes, exactly; ``"full"`` whole passes;
        ``"auto"`` whichever needs less arithmetic. ``"draft"`` does that in bfloat16: quicker, not
        exact; one patch of each batch is tried exactly too, and the map's `error` says how far
        they are apart. The map says which it was, and why.
    seed
        Of the noise.
    memory
        Bytes that a batch may need.

    Returns
    -------
    OcclusionMap

    Raises
    ------
    ValueError, TypeError
        If an argument makes no sense; the message names it.
    RuntimeError
        If the network's weights changed during the sweep.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> cw.occlusion(net, images[0], window=8, stride=4).scores.shape
    torch.Size([6, 6])
    """
    *_, last = iter_occlusion(
        net,
        image,
        target,
        window=window,
        stride=stride,
        positions=positions,
        fill=fill,
        measure=measure,
        activation=activation,
        score=score,
        method=method,
        seed=seed,
        memory=memory,
    )
    return last


def iter_occlusion(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    window: int | tuple[int, int] = 32,
    stride: int | tuple[int, int] = 16,
    positions: Sequence[tuple[int, int]] | Tensor | None = None,
    fill: Fill = "mean",
    measure: str = "probability",
    activation: str = "auto",
    score: Callable[[Any], Tensor] | None = None,
    method: Method = "auto",
    seed: int = 0,
    memory: float = GIGABYTE,
) -> Generator[OcclusionMap, None, None]:
    """Do as `occlusion` does, and yield the map after each batch, coarse to fine.

    The first places tried are every fourth row and column. Leaving the loop, or closing the
    generator, ends the sweep.
    """
    if method not in METHODS:
        raise ValueError(f"method: {method!r}; {nearest(method, METHODS)}")
    if not memory > 0:
        raise ValueError(f"memory: {memory!r}; give bytes, such as 1e9")
    network = as_network(net, image)
    x = network.prepare(image)
    size = (x.shape[2], x.shape[3])
    extent, step = whole_pixels("window", window, size), whole_pixels("stride", stride)
    places = None if positions is None else positions_in(positions, extent, size)
    layout = Grid.regular(extent, step, size) if places is None else Listed(places, extent)
    patch = filled(network, x, fill, seed=seed)
    passes = PatchedPasses(network, x, score)
    base = passes.logits
    if score is not None and len(base) == 1:
        measure = "logit"
    if activation == "auto":
        activation = activation_of(base, passes.made_by)
    index = target_of(network, target, base)
    measured(base, index, measure, activation)
    sweep = Sweep(passes, patch, layout, method, memory)
    for logits, known in sweep:
        yield OcclusionMap(
            logits,
            known,
            base,
            layout,
            (x.shape[1], *size),
            index,
            measure,
            activation,
            sweep.method,
            sweep.reason,
            sweep.operations,
            sweep.full_operations,
            sweep.exact,
        )
