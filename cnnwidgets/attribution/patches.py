"""Passes over a picture with patches on it, whole or incremental."""

from __future__ import annotations

from contextlib import nullcontext
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from cnnwidgets.attribution.incremental.axis import Span
from cnnwidgets.attribution.incremental.folding import folded, lowered
from cnnwidgets.attribution.incremental.program import Meter, Program
from cnnwidgets.attribution.incremental.tape import Recorder, Untapable, spliced
from cnnwidgets.attribution.incremental.windows import Maps, Patched, Place
from cnnwidgets.attribution.measures import require_function
from cnnwidgets.classes import first_output, scores
from cnnwidgets.errors import naming_shape
from cnnwidgets.fingerprint import state_of
from cnnwidgets.isolation import PrivateDice, isolated
from cnnwidgets.shadow import shadow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import EllipsisType

    from cnnwidgets.attribution.incremental.forecast import Forecast
    from cnnwidgets.attribution.incremental.tape import Tape
    from cnnwidgets.network import Network

    Score = Callable[[Any], Tensor]

TOLERANCE = 1e-4
"""By which logits of an incremental pass may differ from a full one, relative to the largest."""


_DEPENDS = "its answer for one picture depends on the others with it"

HANDING = 1_500_000
"""Multiply-adds that take about as long as cutting out what one operation sees of the windows."""


class Cost(NamedTuple):
    """What a pass needs: multiply-adds of convolutions and dense layers, and bytes of memory."""

    operations: int
    bytes: int


class PatchedPasses:
    """Answers what a network says of one picture under patches.

    Parameters
    ----------
    net
        The network, as it is now.
    x
        The prepared picture [1, C, H, W].
    score
        Makes [N] or [N, K] of what the model returns; by default its logits.

    Attributes
    ----------
    logits
        [K], without a patch.
    made_by
        The torch function that the logits come out of; None where that is not known.
    reason
        Why only full passes are possible; None if incremental ones are.
    alone
        Whether pictures must be shown one by one: the answer for one depends on the others.
    averaged
        Whether the answers are maps, each of which counts by its mean over the positions.
    full_cost
        Of a full pass over one picture; no operations where only full passes are possible.

    Raises
    ------
    ValueError
        If the model has layers that its first pass has yet to build.
    """

    def __init__(self, net: Network, x: Tensor, score: Score | None = None) -> None:
        require_function(score)
        _require_built(net)
        self._net, self._score = net, score
        self._weights = net.weights_version()
        self._model = shadow(net.model).model
        self._picture = Maps(x.detach().clone(memory_format=torch.contiguous_format))
        self._shown: tuple[Tensor, Maps] | None = None  # the last fill
        self._tape: Tape | None = None
        self._program: Program | None = None
        self.made_by: str | None = None
        self.reason: str | None = None
        self.alone = self.averaged = False
        with isolated(x.device, grad=False):
            self._study(self._picture.values)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the picture."""
        return self._picture.size

    @property
    def outdated(self) -> bool:
        """Whether the network's weights have changed since."""
        return self._weights != self._net.weights_version()

    @property
    def operations(self) -> int:
        """Multiply-adds of convolutions and dense layers so far."""
        return self._program.operations if self._program else 0

    def over(self, x: Tensor) -> PatchedPasses:
        """Return passes over another picture [1, C, H, W] of this size, for about one full pass."""
        other = copy(self)
        other._turn_to(x)  # noqa: SLF001 - one of us
        return other

    def lowered(self) -> PatchedPasses:
        """Return passes that compute in bfloat16: quicker, and not exact.

        Raises
        ------
        Untapable
            If there are only full passes, or these are not possible in bfloat16.
        """
        if self._tape is None or self._program is None:
            raise Untapable(str(self.reason))
        other = copy(self)
        other._tape = lowered(self._tape)  # noqa: SLF001 - one of us
        try:
            other._turn_to(self._picture.values.bfloat16())  # noqa: SLF001
        except RuntimeError as error:
            raise Untapable(f"not possible in bfloat16: {error}") from error
        other.full_cost = other.cost(other._picture.values)  # noqa: SLF001
        return other

    def _turn_to(self, x: Tensor) -> None:
        self._shown = None
        self._picture = Maps(x.detach().clone(memory_format=torch.contiguous_format))
        if self._tape is not None and self._program is not None:
            with torch.inference_mode():
                self._program = Program(self._tape, self._picture.values)
        self.logits = self.whole(x)[0]

    @property
    def forecast(self) -> Forecast:
        """What incremental passes will need."""
        return self._taped().forecast

    def place(self, rows: Sequence[int], columns: Sequence[int], window: tuple[int, int]) -> Place:
        """Tell where the windows of patches stand: inside the picture."""
        return Place(*map(_inside, (rows, columns), window, self.size))

    def dragged(self, fill: Tensor, row: int, column: int, window: tuple[int, int]) -> Patched:
        """Lay one patch over the picture, which will be elsewhere next; see `patched`."""
        place = self.place([row], [column], window)
        roaming = Place(*(span._replace(roams=True) for span in place))
        return self._laid(fill, [row], [column], roaming)

    def patched(
        self, fill: Tensor, rows: Sequence[int], columns: Sequence[int], window: tuple[int, int]
    ) -> Patched:
        """Lay patches over the picture, at each crossing of rows and columns.

        One that would go over the edge ends there: its window is moved inside, and shows
        the picture where the patch is not.
        """
        return self._laid(fill, rows, columns, self.place(rows, columns, window))

    def _laid(
        self, fill: Tensor, rows: Sequence[int], columns: Sequence[int], place: Place
    ) -> Patched:
        if self._shown is None or self._shown[0] is not fill:
            self._shown = fill, Maps(fill.to(self._picture.values))
        values = self._shown[1].pieces(place)
        off = [start - at for start, at in zip(rows, place.rows.starts, strict=True)]
        aside = [start - at for start, at in zip(columns, place.columns.starts, strict=True)]
        if any(off) or any(aside):
            bare = self._picture.pieces(place)
            for index, by in enumerate(off):
                _uncover(values[index], bare[index], 1, by)
            for index, by in enumerate(aside):
                _uncover(values[:, index], bare[:, index], 2, by)
        return Patched(self._picture, values.flatten(0, 1).permute(0, 3, 1, 2), place)

    def incremental(self, patched: Patched) -> Tensor:
        """Return the logits [N, K], computing only what the patches change."""
        return self._replayed(patched)

    def quickest(self, patched: Patched) -> Tensor:
        """Return the logits [N, K] by incremental or full passes, whichever are quicker."""
        if self._program is None:
            return self.full(patched)
        forecast = self._program.forecast
        needed = forecast.operations(patched.place) + HANDING * forecast.calls
        worth = needed < self.full_cost.operations
        return self.incremental(patched) if worth else self.full(patched)

    def full(self, patched: Patched) -> Tensor:
        """Return the logits [N, K] of full passes over the patched pictures."""
        return self.whole(patched.whole)

    def whole(self, pictures: Tensor) -> Tensor:
        """Return the logits [N, K] of full passes over any pictures [N, C, H, W]."""
        if self._program is not None:
            return self._replayed(pictures)
        with isolated(pictures.device, grad=False):
            if self.alone:
                return torch.cat([self._plain(one[None]) for one in pictures])
            return self._plain(pictures)

    def cost(self, x: Tensor | Patched) -> Cost:
        """Measure an incremental pass, or a full one over a batch [1, C, H, W]."""
        program = self._taped()
        meter, before = Meter(), program.operations
        with torch.inference_mode():
            program.run(x, meter)
        return Cost(program.operations - before, meter.most)

    def _taped(self) -> Program:
        if self._program is None:
            raise RuntimeError(f"there are only full passes: {self.reason}")
        return self._program

    def _study(self, x: Tensor) -> None:
        """See what the forward does with one picture, and with two; find what can be saved."""
        one, answer = self._recorded(x)
        self.logits = answer[0].clone()
        self.full_cost = Cost(0, one.bytes)
        try:
            self._program = self._taken_apart(x, one, answer)
        except Untapable as reason:
            self.reason = str(reason)
        else:
            self._picture = self._program.picture
            self.full_cost = self.cost(x)

    def _taken_apart(self, x: Tensor, one: Recorder, answer: Tensor) -> Program:
        box = _middle(*self.size)
        changed = x.clone()
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
        changed[box] = noise.to(x)[box]
        self.alone = True
        try:
            two, both = self._recorded(torch.cat([x, changed]))
        except Exception as error:  # noqa: BLE001 - whatever the model does with a batch
            raise Untapable(f"{type(error).__name__} with two pictures: {error}") from None
        if not _close(both[:1], answer):
            raise Untapable(one.refused or _DEPENDS)
        self.alone = False
        tape = spliced(one, two, (one.slot(answer), two.slot(both)))
        self.made_by = tape.maker
        self._tape = folded(tape)
        program = Program(self._tape, x)
        place = Place(*(Span((part.start,), part.stop - part.start) for part in box[1:]))
        if not _close(program.run(Patched(program.picture, changed[box], place)), both[1:]):
            raise Untapable("its passes cannot be taken apart")
        return program

    def _recorded(self, x: Tensor) -> tuple[Recorder, Tensor]:
        x = x.clone()
        with Recorder(x) as recorder:
            return recorder, self._answer(x)

    def _answer(self, x: Tensor) -> Tensor:
        with naming_shape(self._net, x):
            output = self._model(x)
        if self._score is not None:
            output = self._score(output)
            if not isinstance(output, Tensor) or output.shape[:1] != x.shape[:1]:
                raise ValueError(f"score: {_shape(output)} for {_shape(x)}; return [N] or [N, K]")
        answer = scores(output)
        self.averaged = first_output(output).numel() > answer.numel()
        if len(answer) != len(x):
            raise ValueError(
                f"the model gives {_shape(first_output(output))} for {_shape(x)}: nothing for each "
                "picture. Pass score=, a function from what it returns to [N] or [N, K]"
            )
        return answer

    def _replayed(self, x: Tensor | Patched) -> Tensor:
        # Nothing of the user's runs here: what `isolated` guards against cannot happen.
        device = self._picture.values.device.type
        autocast = torch.is_autocast_enabled(device)
        with torch.autocast(device, enabled=False) if autocast else nullcontext():
            with torch.inference_mode():
                found = self._taped().run(x)
            return found.clone()

    def _plain(self, x: Tensor) -> Tensor:
        with _Dice(x.device):
            return self._answer(x)


class _Dice(TorchFunctionMode):
    """Draws the same random numbers in every pass, and none of the user's."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._dice = PrivateDice(device)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        return self._dice.roll(func, args, kwargs or {})


def _close(found: Tensor, expected: Tensor) -> bool:
    atol = TOLERANCE * float(expected.nan_to_num().abs().max())
    return torch.allclose(found, expected, rtol=0, atol=atol, equal_nan=True)


def _shape(value: object) -> str:
    return f"a tensor {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _middle(height: int, width: int) -> tuple[EllipsisType, slice, slice]:
    """Return a box of a quarter of the height and width, near the middle."""
    down, across = (slice(size // 4, -(-size // 2)) for size in (height, width))
    return ..., down, across


def _inside(starts: Sequence[int], length: int, size: int) -> Span:
    return Span(tuple(min(max(0, start), size - length) for start in starts), length)


def _uncover(values: Tensor, bare: Tensor, axis: int, by: int) -> None:
    """Show the picture where a patch was moved away from, by so many pixels along an axis."""
    if by:
        start = 0 if by > 0 else values.shape[axis] + by
        values.narrow(axis, start, abs(by)).copy_(bare.narrow(axis, start, abs(by)))


def _require_built(net: Network) -> None:
    if any(map(is_lazy, state_of(net.model))):
        raise ValueError(
            "net: the model has layers that get their weights in its first pass; "
            "run it once, on a batch of pictures, before asking what it says under a patch"
        )
