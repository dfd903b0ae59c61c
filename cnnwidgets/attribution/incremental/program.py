"""A tape made ready to run: on whole batches, and on windows of patched maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from cnnwidgets.attribution.incremental.convolution import Convolution
from cnnwidgets.attribution.incremental.local import LOCAL, PASSED
from cnnwidgets.attribution.incremental.sliding import AveragePool, MaxPool, slide
from cnnwidgets.attribution.incremental.tape import Call, Slot, filled, slots
from cnnwidgets.attribution.incremental.windows import Maps, Patched

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnwidgets.attribution.incremental.local import Rule
    from cnnwidgets.attribution.incremental.sliding import Sliding
    from cnnwidgets.attribution.incremental.tape import Tape

_MAP_AXES = 4
_SLIDING = (Convolution, MaxPool, AveragePool)


@dataclass
class Step:
    """A call of the tape, and what is to be known to make it.

    Attributes
    ----------
    call
        What is called.
    reads
        Indices of the values that it is given.
    makes
        Indices of the values that it makes.
    rule
        What computes it within windows; None if nothing does.
    sliding
        The function, if it slides over maps.
    last
        Indices of values that nothing reads later.
    owns
        Whether it may write over its first argument.
    cost
        Multiply-adds for each number that it makes.
    """

    call: Call
    reads: tuple[int, ...]
    makes: tuple[int, ...]
    rule: Rule | None
    sliding: Sliding | None
    last: tuple[int, ...] = ()
    owns: bool = False
    cost: float = field(default=0.0)


class Program:
    """Answers for a picture what a forward gives with patches on it.

    Parameters
    ----------
    tape
        The forward.
    x
        The picture [1, C, H, W].

    Attributes
    ----------
    operations
        Multiply-adds of convolutions and dense layers so far.
    """

    def __init__(self, tape: Tape, x: Tensor) -> None:
        self.operations = 0.0
        self._output = tape.output.index
        self._steps = [_step(call) for call in tape.calls]
        self._count = 1 + max((made for step in self._steps for made in step.makes), default=0)
        self._maps: list[Maps | None] = [None] * self._count
        self._learn(x)
        self._free()
        self.picture = self._maps[0]

    def run(self, x: Tensor | Patched) -> Tensor:
        """Run the forward on a batch [N, C, H, W], or on copies of the picture with patches."""
        batch = len(x.windows if isinstance(x, Patched) else x)
        values: list[Any] = [None] * self._count
        values[0] = x
        for step in self._steps:
            self._take(step, values, batch)
            for index in step.last:
                values[index] = None
        output = values[self._output]
        return output.whole if isinstance(output, Patched) else output

    def _take(self, step: Step, values: list[Any], batch: int) -> None:
        """Take one step: within windows where that is possible."""
        if step.sliding is not None:
            x, made = values[step.reads[0]], step.makes[0]
            local = isinstance(x, Patched)
            y = slide(step.sliding, x, self._maps[made]) if local else step.sliding(x)
            values[made] = self._settled(y)
            if step.cost:
                numbers = y.windows.numel() if isinstance(y, Patched) else y.numel()
                self.operations += step.cost * numbers
            return
        call = step.call
        args = filled(call.args, values, batch)
        kwargs = filled(call.kwargs, values, batch)
        found = None
        if step.rule is not None and any(isinstance(values[i], Patched) for i in step.reads):
            if call.writes and not step.owns and isinstance(args[0], Patched):
                args = (_copied(args[0]), *args[1:])
            found = step.rule(call.function, args, kwargs)
        if found is None:
            args, kwargs = _whole(args), _whole(kwargs)
            if call.writes and not step.owns:
                args = (args[0].clone(), *args[1:])
            result = call.function(*args, **kwargs)
            self._store(call.result, args[0] if call.writes else result, values)
            if step.cost:
                self.operations += step.cost * result.numel()
        else:
            result, place = found
            self._store(call.result, result, values, place)

    def _store(self, template: Any, result: Any, values: list[Any], place=None) -> None:
        if type(template) is Slot:
            if place is not None:
                result = self._settled(Patched(self._maps[template.index], result, place))
            values[template.index] = result
        elif isinstance(template, (tuple, list)):
            for part, one in zip(template, result, strict=True):
                self._store(part, one, values, place)

    @staticmethod
    def _settled(y: Patched | Tensor) -> Patched | Tensor:
        """Return the windows of maps that they cover."""
        covered = isinstance(y, Patched) and y.place.size == y.maps.size
        return y.windows if covered else y

    def _learn(self, x: Tensor) -> None:
        """Run the forward on the bare picture and keep its maps."""
        values: list[Any] = [None] * self._count
        values[0] = x
        self._maps[0] = Maps(x)
        for step in self._steps:
            self._take(step, values, 1)
            known = all(self._maps[index] is not None for index in step.reads)
            if known and (step.rule or step.sliding):
                for index in step.makes:
                    if values[index].ndim == _MAP_AXES and len(values[index]) == 1:
                        self._maps[index] = Maps(values[index])
            if any(self._maps[index] is None for index in step.makes):
                step.rule = None
        self.logits = values[self._output]

    def _free(self) -> None:
        """Find out what is read last where, and what may be written over."""
        later = {self._output}
        made = {index: step for step in self._steps for index in step.makes}
        for step in reversed(self._steps):
            read = set(step.reads)
            step.last = tuple((read | set(step.makes)) - later)
            later |= read
        for step in self._steps:
            if step.call.writes:
                first = step.reads[0]
                source = made.get(first)
                own = source is not None and source.call.fresh and source.call.name not in PASSED
                step.owns = own and first in step.last


def _step(call: Call) -> Step:
    reads = tuple(dict.fromkeys(slot.index for slot in slots((call.args, call.kwargs))))
    makes = tuple(slot.index for slot in slots(call.result))
    slides = isinstance(call.function, _SLIDING)
    return Step(
        call,
        reads,
        makes,
        LOCAL.get(call.name) if reads and not slides else None,
        call.function if slides else None,
        cost=_cost(call),
    )


def _cost(call: Call) -> float:
    if isinstance(call.function, Convolution):
        return float(call.function.weight[0].numel())
    return 0.0


def _copied(x: Patched) -> Patched:
    return Patched(x.maps, x.windows.clone(), x.place)


def _whole(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Patched):
        return value.whole
    if isinstance(value, (tuple, list)) and not isinstance(value, Slot):
        return type(value)([_whole(part) for part in value])
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    return value
