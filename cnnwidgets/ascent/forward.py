"""A pass that goes no further than the layers that are asked for, and can be differentiated."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from cnnwidgets.ascent.frozen import Frozen
from cnnwidgets.ascent.objectives import OUTPUT, Seen
from cnnwidgets.ascent.turns import Enough, Turns
from cnnwidgets.ascent.watching import Watch
from cnnwidgets.classes import Classes, first_output
from cnnwidgets.isolation import PrivateDraws, isolated
from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from torch import Tensor

    from cnnwidgets.ascent.turns import Turn
    from cnnwidgets.classes import Prediction
    from cnnwidgets.network import Network
    from cnnwidgets.shadow import Shadow
    from cnnwidgets.tracing import Call


class Forward:
    """Runs a network's private copy as far as some layers.

    Parameters
    ----------
    net
        The network.
    layers
        Names of its layers; `OUTPUT` for what it returns.
    x
        A batch of one, [1, C, H, W], of the size that the pictures will have.

    Attributes
    ----------
    first
        What a pass over `x` showed.

    Raises
    ------
    Exception
        Whatever the model raises before it comes to the layers.
    """

    def __init__(self, net: Network, layers: Iterable[str], x: Tensor) -> None:
        self._net = net
        self._wanted = frozenset(layers)
        self._whole = OUTPUT in self._wanted
        self._versions: list[int] = []
        self._frozen: Frozen | None = None
        try:
            self._explore(x, last=x.is_cpu)
        except RuntimeError:  # the model calls view, say, which needs the usual order
            if not x.is_cpu:
                raise
            self._explore(x, last=False)

    def __call__(self, pictures: Tensor) -> Seen:
        """Show the model N pictures [N, C, H, W]; gradients flow back into them."""
        seen: dict[str, Tensor] = {}

        def arrive(turn: Turn, output: Tensor) -> None:
            if (name := self._turns.get(turn)) is None:
                return
            goes_on = self._whole or len(seen) + 1 < len(self._turns)
            seen[name] = output.clone() if goes_on else output  # what follows may overwrite it
            if not goes_on:
                raise Enough

        def watched() -> Turns:
            seen.clear()
            return Turns(self._shadow, self._turns, arrive)

        self._follow()
        output = self._run(pictures, watched)
        return Seen(seen, output, len(pictures))

    def answers(self, pictures: Tensor) -> list[Prediction | None]:
        """Return the likeliest class of each picture [N, C, H, W]; None if there are no classes."""
        if not self._classifies:
            return [None] * len(pictures)
        with isolated(pictures.device, grad=False):
            self._follow()
            logits = first_output(self._run(pictures, nullcontext))
        return [self._net.classes.ranking(row[None], 1)[0] for row in logits]

    def _run(self, pictures: Tensor, watched: Callable[[], AbstractContextManager[object]]) -> Any:  # noqa: ANN401
        """Return what the model returns; None if what watches ends the pass."""
        output = None
        with self._dice(), self._frozen or nullcontext(), watched(), suppress(Enough):
            output = self._shadow.model(self._given(pictures))
        if self._frozen is not None and self._frozen.astray:
            self._frozen.give_up()
            return self._run(pictures, watched)
        return output

    def _dice(self) -> AbstractContextManager[object]:
        """Return what to enter for a pass: private dice cost a little, and few models draw."""
        return PrivateDraws(self._net.device) if self._draws else nullcontext()

    def _given(self, pictures: Tensor) -> Tensor:
        """Return a copy, which the model may overwrite, as it wants it."""
        return pictures.to(self._net.dtype).clone(memory_format=self._format)

    def _follow(self) -> None:
        """Take over what the model has learned since; a write through ``.data`` is not noticed."""
        versions = self._counts()
        if versions == self._versions:
            return
        self._versions = versions
        for original, own in self._pairs:
            if not isinstance(own, nn.Parameter):  # which shares the original's memory
                own.copy_(original.detach())
        if self._frozen is not None:
            self._frozen.renew()

    def _counts(self) -> list[int]:
        """Return how often each parameter and buffer has been written to."""
        return [one._version for one in self._counted]  # noqa: SLF001 - `writes`, without asking

    def _explore(self, x: Tensor, *, last: bool) -> None:
        """Find when it is the turn of each layer, and what the model returns, by one pass."""
        self._shadow = shadow(self._net.model)
        self._pairs = list(_pairs(self._shadow))
        self._counted = [original for original, _ in self._pairs if not original.is_inference()]
        self._versions = self._counts()
        self._format = torch.channels_last if last else torch.contiguous_format
        seen: dict[str, Tensor] = {}
        self._turns: dict[Turn, str] = {}
        draws, turns, watch = PrivateDraws(x.device), Turns(self._shadow), Watch()

        def on_call(call: Call) -> None:
            if call.name in self._wanted:
                seen[call.name] = call.output.detach().clone()
                self._turns[turns.last(call)] = call.name

        with (
            isolated(x.device, grad=True),
            draws,
            turns,
            watch,
        ):  # gradients make some layers take turns
            given = self._given(x.detach().requires_grad_())
            output, failure = trace(self._shadow, given, on_call, grad=True)
        missing = self._wanted - {OUTPUT} - seen.keys()
        if failure is not None and (self._whole or missing):
            raise failure.error
        if missing:
            raise ValueError(f"the network does not come by layer {min(missing)!r} at this size")
        watch.returned(output)
        self._frozen = Frozen(self._shadow, watch) if x.is_cpu else None
        self._draws = draws.dice.rolled
        self._classifies = failure is None and _is_classifier(output)
        self.first = Seen(seen, output, len(x))


def _pairs(shadow: Shadow) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the parameters and buffers of a model, each with its copy's."""
    for own, original in shadow.originals.items():
        for kind in ("_parameters", "_buffers"):
            mine = getattr(own, kind)
            for key, value in getattr(original, kind).items():
                if value is not None and mine.get(key) is not None and not is_lazy(value):
                    yield value, mine[key]


def _is_classifier(output: Any) -> bool:  # noqa: ANN401 - whatever the model returns
    try:
        logits = first_output(output)
        Classes().ranking(logits, 1)
    except ValueError:
        return False
    return len(logits) == 1
