"""A tape made ready to run: on whole batches, and on windows of patched maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from cnnwidgets.attribution.incremental.axis import Span
from cnnwidgets.attribution.incremental.convolution import Convolution
from cnnwidgets.attribution.incremental.dense import Dense
from cnnwidgets.attribution.incremental.forecast import Forecast
from cnnwidgets.attribution.incremental.local import LOCAL, PASSED
from cnnwidgets.attribution.incremental.sliding import AveragePool, MaxPool, slide
from cnnwidgets.attribution.incremental.tape import Call, Slot, filled, slots
from cnnwidgets.attribution.incremental.windows import Maps, Patched, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnwidgets.attribution.incremental.local import Rule
    from cnnwidgets.attribution.incremental.sliding import Sliding
    from cnnwidgets.attribution.incremental.tape import Tape

_MAP_AXES = 4


@dataclass
class Step:
    """A call of the tape, and what is to be known to make it.

    Attributes
    ----------
    call
        What is called.
    reads, makes
        Indices of the values that it is given, and that it makes.
    sliding
        The function, if it slides over maps.
    rule
        What computes any other within windows; None if nothing does.
    last
        Indices of values that nothing reads later.
    owns
        Whether it may write over its first argument.
    cost
        Multiply-adds for each number that it makes.
    whole
        Multiply-adds for one picture.
    moves
        By how many rows and columns what it makes is moved against what it reads.
    """

    call: Call
    reads: tuple[int, ...]
    makes: tuple[int, ...]
    sliding: Sliding | None
    rule: Rule | None
    last: tuple[int, ...] = ()
    owns: bool = False
    cost: float = 0.0
    whole: int = 0
    moves: tuple[int, int] = (0, 0)

    @property
    def local(self) -> bool:
        """Whether it can be computed within windows."""
        return self.sliding is not None or self.rule is not None

    @property
    def weights(self) -> int:
        """How many numbers are read for every batch, however small."""
        function = self.call.function
        return function.weight.numel() if isinstance(function, (Convolution, Dense)) else 0

    @classmethod
    def of(cls, call: Call) -> Step:
        """Make one that knows nothing of the other steps."""
        reads = tuple(dict.fromkeys(slot.index for slot in slots((call.args, call.kwargs))))
        makes = tuple(slot.index for slot in slots(call.result))
        if isinstance(call.function, (Convolution, MaxPool, AveragePool)):
            return cls(call, reads, makes, call.function, None)
        return cls(call, reads, makes, None, LOCAL.get(call.name) if reads else None)


class Program:
    """Answers what a forward gives for a picture with patches on it.

    Parameters
    ----------
    tape
        The forward.
    x
        The picture [1, C, H, W].

    Attributes
    ----------
    picture
        Its maps.
    operations
        Multiply-adds of convolutions and dense layers so far.
    forecast
        What passes over patches will need.
    """

    def __init__(self, tape: Tape, x: Tensor) -> None:
        self.picture = Maps(x)
        self.operations = 0
        self._output = tape.output.index
        self._steps = [Step.of(call) for call in tape.calls]
        self._maps = {0: self.picture}
        self._size = 1 + max((index for step in self._steps for index in step.makes), default=0)
        self._learn(x)
        self._settle()
        self._plan()
        sizes = {index: maps.size for index, maps in self._maps.items()}
        self.forecast = Forecast(self._steps, sizes)

    def run(self, x: Tensor | Patched, meter: Meter | None = None) -> Tensor:
        """Run the forward on a batch [N, C, H, W], or on copies of the picture with patches."""
        values: list[Any] = [None] * self._size
        values[0] = x
        batch = len(x.windows if isinstance(x, Patched) else x)
        for step in self._steps:
            self._take(step, values, batch)
            if meter is not None:
                meter.note(step, values)
            for index in step.last:
                values[index] = None
        output: Tensor = _whole(values[self._output])
        return output

    def _take(self, step: Step, values: list[Any], batch: int) -> None:
        """Take one step: within windows where that is possible."""
        if step.sliding is not None:
            self._slide(step.sliding, step, values)
        elif step.rule is None or not self._within(step, values, batch):
            self._call(step, values, batch)
        if step.cost:
            made = values[step.makes[0]]
            numbers = made.windows.numel() if isinstance(made, Patched) else made.numel()
            self.operations += round(step.cost * numbers)

    def _slide(self, sliding: Sliding, step: Step, values: list[Any]) -> None:
        x, index = values[step.reads[0]], step.makes[0]
        local = isinstance(x, Patched)
        values[index] = slide(sliding, x, self._maps[index]) if local else sliding(x)

    def _within(self, step: Step, values: list[Any], batch: int) -> bool:
        """Compute within windows; return whether that was possible."""
        call = step.call
        if step.rule is None or not any(isinstance(values[i], Patched) for i in step.reads):
            return False
        args, kwargs = filled(call.args, values, batch), filled(call.kwargs, values, batch)
        if call.writes and not step.owns and isinstance(args[0], Patched):
            first = args[0]
            args = Patched(first.maps, first.windows.clone(), first.place), *args[1:]
        found = step.rule(call.function, args, kwargs)
        if found is None:
            return False
        windows, place = found
        for index, one in _parts(call.result, windows):
            maps = self._maps[index]
            values[index] = one if place.size == maps.size else Patched(maps, one, place)
        return True

    def _call(self, step: Step, values: list[Any], batch: int) -> None:
        """Make a call as the forward made it, with whole batches."""
        call = step.call
        args = _whole(filled(call.args, values, batch))
        kwargs = _whole(filled(call.kwargs, values, batch))
        if call.writes and not step.owns:
            args = args[0].clone(), *args[1:]
        result = call.function(*args, **kwargs)
        for index, one in _parts(call.result, args[0] if call.writes else result):
            values[index] = one

    def _learn(self, x: Tensor) -> None:
        """Run the forward on the bare picture, keep its maps and count what it costs."""
        values: list[Any] = [None] * self._size
        values[0] = x
        for step in self._steps:
            self._take(step, values, 1)
            step.cost = _cost(step.call, values)
            step.whole = round(step.cost * values[step.makes[0]].numel()) if step.cost else 0
            if not step.local or not all(index in self._maps for index in step.reads):
                step.rule = None
                continue
            made = {index: values[index] for index in step.makes}
            if all(one.ndim == _MAP_AXES and len(one) == 1 for one in made.values()):
                self._maps.update({index: Maps(one) for index, one in made.items()})
            else:
                step.rule = None

    def _settle(self) -> None:
        """Give up rules that cannot compute even what a single pixel in the middle changes."""
        row, column = (size // 2 for size in self.picture.size)
        place = Place(Span((row,), 1), Span((column,), 1))
        pixel = self.picture.values[:, :, row : row + 1, column : column + 1]
        values: list[Any] = [None] * self._size
        values[0] = Patched(self.picture, pixel, place)
        for step in self._steps:
            self._take(step, values, 1)
            if step.rule is None:
                continue
            given, made = values[step.reads[0]], values[step.makes[0]]
            if not isinstance(made, Patched):
                step.rule = None
            elif step.call.name in PASSED and isinstance(given, Patched):
                down, across = zip(made.place, given.place, strict=True)
                step.moves = _apart(*down), _apart(*across)

    def _plan(self) -> None:
        """Find out what is read last where, and what may be written over."""
        later = {self._output}
        for step in reversed(self._steps):
            used = {*step.reads, *step.makes}
            step.last = tuple(used - later)
            later |= used
        fresh = {
            index
            for step in self._steps
            for index in step.makes
            if step.call.fresh and step.call.name not in PASSED
        }
        for step in self._steps:
            if step.call.writes and isinstance(step.call.args[0], Slot):
                first = step.call.args[0].index
                step.owns = first in fresh and first in step.last


class Meter:
    """Measures how much memory a run needs at most.

    Attributes
    ----------
    most
        In bytes.
    """

    def __init__(self) -> None:
        self.most = 0

    def note(self, step: Step, values: list[Any]) -> None:
        """Add up what there is after a step, with the pieces that it was computed of."""
        held = sum(map(_bytes, values))
        made = values[step.makes[0]]
        if step.sliding is not None and isinstance(made, Patched):
            down, across = step.sliding.axes
            (height, width), x = made.place.size, values[step.reads[0]].windows
            held += x[:, :, 0, 0].nbytes * down.halo(height) * across.halo(width)
        self.most = max(self.most, held)


def _apart(one: Span, other: Span) -> int:
    return one.starts[0] - other.starts[0]


def _bytes(value: Any) -> int:  # noqa: ANN401
    if isinstance(value, Patched):
        return value.windows.nbytes + (0 if value.copies is None else value.copies.nbytes)
    return value.nbytes if isinstance(value, Tensor) else 0


def _cost(call: Call, values: list[Any]) -> float:
    """Count the multiply-adds of a convolution or dense layer for each number that it makes."""
    if isinstance(call.function, (Convolution, Dense)):
        return float(call.function.weight[0].numel())
    if call.name not in {"linear", "conv_transpose2d"}:
        return 0.0
    x, weight = (values[part.index] if isinstance(part, Slot) else part for part in call.args[:2])
    if call.name == "linear":
        return float(weight.shape[-1])
    return float(x.numel() * weight[0].numel() / values[call.result.index].numel())


def _parts(template: Any, result: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401
    """Pair the slots of what a call returns with what it returned."""
    if type(template) is Slot:
        yield template.index, result
    elif isinstance(template, (tuple, list)):
        for part, one in zip(template, result, strict=True):
            yield from _parts(part, one)


def _whole(value: Any) -> Any:  # noqa: ANN401
    """Make whole batches of all patched maps in nested arguments."""
    if isinstance(value, Patched):
        return value.whole
    if isinstance(value, (tuple, list)):
        return type(value)([_whole(part) for part in value])
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    return value
