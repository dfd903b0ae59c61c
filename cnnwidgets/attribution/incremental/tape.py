"""The calls of one forward, recorded so that they can be made again for any number of pictures.

What a forward calls is seen with a picture, and again with two. A number that doubles grows with
the batch; whatever else differs makes the forward one that cannot be taped, and so does
a forward that decides by values, draws random numbers or writes to memory that is seen twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnwidgets.isolation import PrivateDice, draws
from cnnwidgets.shadow import tensors
from cnnwidgets.tracing import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Function: TypeAlias = Callable[..., Any]
    T = TypeVar("T")

_METADATA = frozenset(
    str.split(
        "shape size dim ndim ndimension device get_device dtype type is_floating_point is_complex "
        "is_cuda is_contiguous is_sparse is_quantized is_nested is_mkldnn is_meta is_leaf layout "
        "numel nelement len element_size requires_grad is_inference hash grad_fn format repr str"
    )
)
_MEMORY = frozenset(str.split("as_strided stride storage_offset data_ptr set resize storage"))
"""Functions of how values lie in memory, which is not the same for windows."""


_WEIGHTED = frozenset({"batch_norm", "conv2d", "linear"})
"""Functions that are later computed with a ReLU included, which makes 0 of NaN."""
LARGEST = 1e19
"""About the square root of the largest float32: no product of smaller numbers is infinite."""

_HELD = 3  # what a function reads, what it makes, and what waits for later


class Untapable(Exception):  # noqa: N818 - an answer more than an error
    """Says why the calls of a forward cannot be made again."""


@dataclass(frozen=True)
class Slot:
    """Stands for a value of the forward, by its number; the picture is 0."""

    index: int


@dataclass(frozen=True)
class Grown:
    """Stands for a whole number that grows with the batch."""

    each: int


@dataclass(frozen=True)
class Call:
    """One call of a torch function.

    Attributes
    ----------
    name, function
        Which.
    args, kwargs
        What it was given, with `Slot` for values of the forward and `Grown` for numbers.
    result
        What it returned, with `Slot` for tensors; of one that writes, what it wrote.
    writes
        Whether it writes to its first argument.
    fresh
        Whether its result is memory of its own.
    """

    name: str
    function: Function
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any
    writes: bool
    fresh: bool


class Tape(NamedTuple):
    """The calls that lead to a value."""

    calls: list[Call]
    output: Slot

    @property
    def maker(self) -> str | None:
        """The name of the function that made the value."""
        makers = (call.name for call in reversed(self.calls) if self.output in slots(call.result))
        return next(makers, None)


class Recorder(TorchFunctionMode):
    """Notes the calls of a forward; it computes as without.

    Parameters
    ----------
    x
        The batch that the forward is given.

    Attributes
    ----------
    calls
        What was called.
    refused
        Why it cannot be called again; None if it can.
    bytes
        About what a pass needs, by the largest result.
    """

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.refused = None if tame(x) else "the picture is NaN, infinite or huge somewhere"
        self.bytes = 0
        self._count = 0
        self._slots: dict[int, Slot] = {}
        self._memory: dict[int, Tensor | None] = {}
        self._held: list[Tensor] = []
        self._dice = PrivateDice(x.device)
        self._number(x)

    def slot(self, output: Tensor) -> Slot:
        """Return what stands for a tensor that the forward made."""
        if self.refused is not None:
            raise Untapable(self.refused)
        if id(output) not in self._slots:
            raise Untapable("its answer does not come out of torch functions of the picture")
        return self._slots[id(output)]

    def __torch_function__(
        self,
        func: Function,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        kwargs = kwargs or {}
        name = function_name(func)
        if name in _METADATA or self.refused is not None:
            return self._rolled(func, args, kwargs)
        given = list(tensors((args, kwargs)))
        versions = [tensor._version for tensor in given]  # noqa: SLF001 - autograd's own count
        template = self._template((args, kwargs))
        result = self._rolled(func, args, kwargs)
        self.bytes = max([self.bytes, *(_HELD * tensor.nbytes for tensor in tensors(result))])
        written = [t for t, v in zip(given, versions, strict=True) if t._version != v]  # noqa: SLF001
        self.refused = self.refused or self._refusal(name, args, given, written, result)
        if self.refused is None:
            self._note(name, func, template, given, written, result)
        return result

    def _rolled(self, func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
        """Call a function; one that draws random numbers ends the record."""
        if not draws(func):
            return func(*args, **kwargs)

        @wraps(func)
        def watched(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            state = torch.get_rng_state()
            result = func(*args, **kwargs)
            if not torch.equal(state, torch.get_rng_state()):
                self.refused = f"it draws random numbers ({function_name(func)})"
            return result

        return self._dice.roll(watched, args, kwargs)

    def _refusal(
        self,
        name: str,
        args: tuple[Any, ...],
        given: list[Tensor],
        written: list[Tensor],
        result: object,
    ) -> str | None:
        """Say why a call cannot be made again, if so."""
        known = any(id(tensor) in self._slots for tensor in given)
        silent = result is not None and next(tensors(result), None) is None
        first = written and args and written[0] is args[0]
        reasons = {
            "it asks how a tensor lies in memory": known and name in _MEMORY,
            "it decides by values": known and silent,
            "its numbers are NaN, infinite or huge": name in _WEIGHTED
            and not all(map(tame, tensors(result))),
            "it writes to several tensors": written and not (first and len(written) == 1),
            "it changes a tensor of the model": first and id(args[0]) not in self._slots,
            "it writes to memory that tensors share": first and self._shared(args[0]),
        }
        return next((f"{reason} ({name})" for reason, so in reasons.items() if so), None)

    def _shared(self, tensor: Tensor) -> bool:
        return self._memory.get(_address(tensor), tensor) is None

    def _note(  # noqa: PLR0917
        self,
        name: str,
        func: Function,
        template: Any,  # noqa: ANN401
        given: list[Tensor],
        written: list[Tensor],
        result: Any,  # noqa: ANN401
    ) -> None:
        made = written or list(tensors(result))
        if not written and all(id(tensor) in self._slots for tensor in made):
            return  # what it was given, as it is
        before = set(map(_address, given))
        fresh = before.isdisjoint(map(_address, made))
        for tensor in made:
            self._number(tensor)
        returned = self._template(written[0] if written else result)
        args, kwargs = template
        self.calls.append(Call(name, func, args, kwargs, returned, bool(written), fresh))

    def _number(self, tensor: Tensor) -> None:
        self._slots[id(tensor)] = Slot(self._count)
        self._count += 1
        self._held.append(tensor)  # or its id could come back as another's
        address = _address(tensor)
        alone = self._memory.setdefault(address, tensor) is tensor
        self._memory[address] = tensor if alone else None

    def _template(self, value: Any) -> Any:  # noqa: ANN401
        return mapped(value, lambda x: self._slots.get(id(x), x) if isinstance(x, Tensor) else x)


def spliced(one: Recorder, two: Recorder, output: tuple[Slot, Slot]) -> Tape:
    """Make the tape of a forward seen with one picture and with two.

    Raises
    ------
    Untapable
        If what it called is not the same but for the size of the batch.
    """
    if len(one.calls) != len(two.calls) or output[0] != output[1]:
        raise Untapable("it does something else with more pictures")
    return Tape([_same(a, b) for a, b in zip(one.calls, two.calls, strict=True)], output[0])


def _same(one: Call, two: Call) -> Call:
    if (one.name, one.writes, one.result) != (two.name, two.writes, two.result):
        raise Untapable(f"it does something else with more pictures ({one.name})")
    try:
        args, kwargs = _grown((one.args, one.kwargs), (two.args, two.kwargs))
    except Untapable as error:
        raise Untapable(f"{error} ({one.name})") from None
    return Call(
        one.name, one.function, args, kwargs, one.result, one.writes, one.fresh and two.fresh
    )


def _grown(one: Any, two: Any) -> Any:  # noqa: ANN401
    """Merge what a function was given in both forwards."""
    if type(one) is not type(two):
        raise Untapable("it is given something else with more pictures")
    if isinstance(one, (Slot, Tensor)):
        equal = one is two or (torch.equal(one, two) if isinstance(one, Tensor) else one == two)
    elif isinstance(one, (tuple, list)) and len(one) == len(two):
        merged = [_grown(a, b) for a, b in zip(one, two, strict=True)]
        return merged if isinstance(one, list) else tuple(merged)
    elif isinstance(one, dict) and one.keys() == two.keys():
        return {key: _grown(one[key], two[key]) for key in one}
    elif isinstance(one, slice):
        parts = ((one.start, two.start), (one.stop, two.stop), (one.step, two.step))
        return slice(*(_grown(a, b) for a, b in parts))
    elif type(one) is int and one and two == 2 * one:
        return Grown(one)
    else:
        equal = one == two
    if not equal:
        raise Untapable("it is given something else with more pictures")
    return one


def filled(template: Any, values: list[Any], batch: int) -> Any:  # noqa: ANN401
    """Put values where their slots are, and numbers for this size of the batch."""

    def put(part: Any) -> Any:  # noqa: ANN401
        if type(part) is Slot:
            return values[part.index]
        return part.each * batch if type(part) is Grown else part

    return mapped(template, put)


def slots(template: Any) -> list[Slot]:  # noqa: ANN401
    """List the slots in what a function was given or returned."""
    found: list[Slot] = []

    def note(part: Any) -> Any:  # noqa: ANN401
        if type(part) is Slot:
            found.append(part)
        return part

    mapped(template, note)
    return found


def replaced(template: Any, known: dict[int, Any]) -> Any:  # noqa: ANN401
    """Put known values where their slots are."""
    return mapped(
        template, lambda part: known.get(part.index, part) if type(part) is Slot else part
    )


def grows(template: Any) -> bool:  # noqa: ANN401
    """Whether a number in it grows with the batch."""
    found: list[bool] = []
    mapped(template, lambda part: found.append(type(part) is Grown))
    return any(found)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """Change every part of nested lists, tuples, mappings and slices."""
    kind = type(value)
    if kind in {Slot, Grown}:
        return change(value)
    if isinstance(value, tuple):
        return tuple(mapped(part, change) for part in value)
    if kind is list:
        return [mapped(part, change) for part in value]
    if kind is dict:
        return {key: mapped(part, change) for key, part in value.items()}
    if kind is slice:
        return slice(*(mapped(part, change) for part in (value.start, value.stop, value.step)))
    return change(value)


def tame(x: Tensor) -> bool:
    """Whether all numbers are finite, and so far from infinity that their products are."""
    if not x.numel() or not x.is_floating_point():
        return True
    least, most = x.detach().aminmax()
    return bool(-least < LARGEST) and bool(most < LARGEST)


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
