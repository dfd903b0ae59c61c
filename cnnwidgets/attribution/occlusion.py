"""Which places of a picture matter: a patch is moved over it and the answer watched.

Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014), section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
from torch import Tensor

from cnnwidgets.attribution.fills import filled
from cnnwidgets.attribution.grid import Grid
from cnnwidgets.attribution.measures import measured
from cnnwidgets.attribution.sweep import Sweep
from cnnwidgets.errors import nearest
from cnnwidgets.network import Network, as_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

    from cnnwidgets.attribution.fills import Fill
    from cnnwidgets.images import Picture

Method: TypeAlias = Literal["auto", "incremental", "full"]
METHODS = ("auto", "incremental", "full")
GIGABYTE = 10**9


@dataclass(frozen=True)
class OcclusionMap:
    """What a network says of a picture with a patch at each place of a grid.

    Attributes
    ----------
    logits
        [rows, columns, K], with the patch there; NaN where it was not tried yet.
    base
        [K], the logits without a patch.
    grid
        Where the patches stood.
    target
        Index of the class that is followed.
    measure
        ``"probability"``, ``"logit"`` or ``"log-odds"`` of it.
    shape
        (C, H, W) of the picture.
    method
        ``"incremental"`` or ``"full"``.
    reason
        Why full passes were used though they were not asked for; None if they were not.
    operations, full_operations
        Multiply-adds of convolutions and dense layers that were computed, and that full
        passes would have needed.
    """

    logits: Tensor
    base: Tensor
    grid: Grid
    target: int
    measure: str
    shape: tuple[int, int, int]
    method: str
    reason: str | None
    operations: int
    full_operations: int

    @property
    def scores(self) -> Tensor:
        """[rows, columns]: the measure with the patch there."""
        return measured(self.logits, self.target, self.measure)

    @property
    def baseline(self) -> float:
        """The measure without a patch."""
        return float(measured(self.base, self.target, self.measure))

    @property
    def drop(self) -> Tensor:
        """[rows, columns]: how much lower the measure is with the patch there."""
        return self.baseline - self.scores

    @property
    def positions(self) -> Tensor:
        """[rows, columns, 2]: first row and column of each patch, in pixels."""
        rows, columns = torch.tensor(self.grid.rows), torch.tensor(self.grid.columns)
        return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1)

    @property
    def complete(self) -> bool:
        """Whether every place was tried."""
        return not bool(self.logits[..., 0].isnan().any())

    def following(self, target: int, measure: str | None = None) -> OcclusionMap:
        """Return the same sweep's map of another class or measure; nothing is computed again."""
        return replace(self, target=target, measure=measure or self.measure)

    def attribution(self) -> Tensor:
        """Return what each pixel adds to the measure, [C, H, W], as Captum's `Occlusion` does.

        The mean drop over the patches that covered the pixel; 0 where none did.
        """
        return self._mean(self.drop).nan_to_num(0.0).expand(self.shape)

    def heatmap(self) -> Tensor:
        """Return the mean score of the patches that covered a pixel, [H, W].

        NaN where none did: of these pixels nothing is known.
        """
        return self._mean(self.scores)

    def _mean(self, values: Tensor) -> Tensor:
        total = torch.zeros(self.grid.size, dtype=torch.float64)
        count = torch.zeros(self.grid.size, dtype=torch.float64)
        known = ~values.isnan()
        for row, column in known.nonzero().tolist():
            box = self.grid.box(row, column)
            total[box] += float(values[row, column])
            count[box] += 1
        return (total / count).float()


def occlusion(
    net: Network | nn.Module,
    image: Picture,
    target: int | str | None = None,
    *,
    window: int | tuple[int, int] = 32,
    stride: int | tuple[int, int] = 16,
    fill: Fill = "mean",
    measure: str = "probability",
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
    fill
        What the patch shows: ``"mean"``, ``"blur"``, ``"noise"``, a number, a colour or a tensor;
        see `cnnwidgets.attribution.fills.filled`.
    measure
        ``"probability"``, ``"logit"`` or ``"log-odds"`` of the target.
    method
        ``"incremental"`` computes what the patch changes, exactly; ``"full"`` whole passes;
        ``"auto"`` whichever needs less arithmetic. The map says which it was.
    seed
        Of the noise.
    memory
        Bytes that a batch may need.

    Returns
    -------
    OcclusionMap

    Raises
    ------
    ValueError
        If an argument makes no sense; the message names it.

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
        fill=fill,
        measure=measure,
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
    fill: Fill = "mean",
    measure: str = "probability",
    method: Method = "auto",
    seed: int = 0,
    memory: float = GIGABYTE,
) -> Iterator[OcclusionMap]:
    """Do as `occlusion` does, and yield the map after each batch, coarse to fine.

    The first places tried are a quarter of the rows and columns, evenly spread. Leaving the
    loop ends the sweep.
    """
    network = as_network(net)
    if method not in METHODS:
        raise ValueError(f"method: {method!r}; {nearest(method, METHODS)}")
    x = network.prepare(image)
    size = (x.shape[2], x.shape[3])
    grid = Grid.regular(_pixels("window", window, size), _pixels("stride", stride), size)
    patch = filled(network, x, fill, seed=seed)
    sweep = Sweep(network, x, patch, grid, method, memory)
    index = network.target_index(target, x) if target is not None else int(sweep.base.argmax())
    measured(sweep.base, index, measure)
    for logits in sweep:
        yield OcclusionMap(
            logits,
            sweep.base,
            grid,
            index,
            measure,
            (x.shape[1], *size),
            sweep.method,
            sweep.reason,
            sweep.operations,
            sweep.full_operations,
        )


def _pixels(
    name: str, given: int | Sequence[int], size: tuple[int, int] | None = None
) -> tuple[int, int]:
    pair = (given, given) if isinstance(given, int) else tuple(given)
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in pair)
    if len(pair) != 2 or not whole or min(pair) < 1:  # noqa: PLR2004
        raise ValueError(f"{name}: {given!r}; give pixels, one number or (rows, columns)")
    if size is not None and (pair[0] > size[0] or pair[1] > size[1]):
        raise ValueError(
            f"{name}: {given!r} is larger than the input of {size[0]} × {size[1]} pixels"
        )
    return pair[0], pair[1]
