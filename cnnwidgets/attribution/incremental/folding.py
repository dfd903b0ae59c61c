"""Fewer and better calls for the same answer: constants worked out, norms and ReLUs folded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cnnwidgets.attribution.incremental.bounded import bounded
from cnnwidgets.attribution.incremental.convolution import Convolution, Limits
from cnnwidgets.attribution.incremental.dense import Dense
from cnnwidgets.attribution.incremental.sliding import MaxPool, average_pool
from cnnwidgets.attribution.incremental.tape import Slot, Tape, grows, mapped, replaced, slots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnwidgets.attribution.incremental.tape import Call


def folded(tape: Tape) -> Tape:
    """Return a tape of fewer calls; its answer differs by rounding only."""
    tape = _without_constants(_needed(tape))
    return _fused(Tape([_bound(call) for call in tape.calls], tape.output))


def lowered(tape: Tape) -> Tape:
    """Return a tape that computes in bfloat16."""

    def lower(part: Any) -> Any:  # noqa: ANN401
        floats = isinstance(part, Tensor) and part.is_floating_point()
        return part.bfloat16() if floats else part

    calls = []
    for call in tape.calls:
        function = call.function
        if isinstance(function, (Convolution, Dense)):
            function = function.lowered()
        args, kwargs = mapped((call.args, call.kwargs), lower)
        calls.append(replace(call, function=function, args=args, kwargs=kwargs))
    return Tape(calls, tape.output)


def _needed(tape: Tape) -> Tape:
    """Leave out what the output does not depend on."""
    needed, kept = {tape.output}, []
    for call in reversed(tape.calls):
        if not needed.isdisjoint(slots(call.result)):
            kept.append(call)
            needed.update(slots((call.args, call.kwargs)))
    return Tape(kept[::-1], tape.output)


def _without_constants(tape: Tape) -> Tape:
    """Work out what depends neither on the picture nor on the size of the batch."""
    known: dict[int, Any] = {}
    kept = []
    for call in tape.calls:
        given = call.args, call.kwargs
        if known and any(slot.index in known for slot in slots(given)):
            given = replaced(given, known)
        args, kwargs = given
        if slots(given) or grows(given):
            kept.append(replace(call, args=args, kwargs=kwargs))
            continue
        if call.writes:
            args = (args[0].clone(), *args[1:])
        result = call.function(*args, **kwargs)
        _learn(known, call.result, args[0] if call.writes else result)
    return Tape(kept, tape.output)


def _learn(known: dict[int, Any], template: Any, result: Any) -> None:  # noqa: ANN401
    if isinstance(template, Slot):
        known[template.index] = result
    elif isinstance(template, (tuple, list)):
        for part, one in zip(template, result, strict=True):
            _learn(known, part, one)


def _bound(call: Call) -> Call:
    """Bind weights and options; reshape what may lie differently in memory."""
    if call.name == "view" and not any(isinstance(part, torch.dtype) for part in call.args):
        return replace(call, function=Tensor.reshape)
    if call.name not in _BINDING:
        return call
    found = _BINDING[call.name](*call.args, **call.kwargs)
    if found is None:
        return call
    x, function = found
    return replace(call, function=function, args=(x,), kwargs={})


def _convolution(input: Any, weight: Any, bias: Any = None, *args: Any, **kwargs: Any) -> Any:  # noqa: A002, ANN401
    if not isinstance(input, Slot) or not isinstance(weight, Tensor) or isinstance(bias, Slot):
        return None
    return input, Convolution(weight, bias, *args, **kwargs)


def _dense(input: Any, weight: Any, bias: Any = None) -> Any:  # noqa: A002, ANN401
    if not isinstance(input, Slot) or not isinstance(weight, Tensor) or isinstance(bias, Slot):
        return None
    return input, Dense(weight, bias)


def _max_pool(  # noqa: PLR0917
    input: Any,  # noqa: A002, ANN401
    kernel_size: Any,  # noqa: ANN401
    stride: Any = None,  # noqa: ANN401
    padding: Any = 0,  # noqa: ANN401
    dilation: Any = 1,  # noqa: ANN401
    ceil_mode: bool = False,  # noqa: FBT001, FBT002
    return_indices: bool = False,  # noqa: FBT001, FBT002
) -> Any:  # noqa: ANN401
    if return_indices:
        return None
    return input, MaxPool(kernel_size, stride, padding, dilation, ceil_mode)


def _average_pool(input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002, ANN401
    pool = average_pool(*args, **kwargs)
    return None if pool is None else (input, pool)


_BINDING: dict[str, Callable[..., Any]] = {
    "conv2d": _convolution,
    "linear": _dense,
    "max_pool2d": _max_pool,
    "avg_pool2d": _average_pool,
}


def _fused(tape: Tape) -> Tape:
    """Make norms and ReLUs part of the convolution or dense layer that they alone read."""
    readers = Counter(slot for call in tape.calls for slot in slots((call.args, call.kwargs)))
    readers[tape.output] += 1
    kept: list[Call] = []
    maker: dict[Slot, int] = {}
    tame = True
    for call in tape.calls:
        tame = tame and bounded(call)
        source = call.args[0] if call.args and isinstance(call.args[0], Slot) else None
        at = maker.get(source) if source is not None and readers[source] == 1 else None
        joins = tame or call.name == "batch_norm"
        better = None if at is None or not joins else _joined(kept[at].function, call)
        if at is None or better is None:
            at = len(kept)
            kept.append(call)
        else:
            kept[at] = replace(kept[at], function=better, result=call.result)
        if isinstance(kept[at].function, (Convolution, Dense)):
            maker[call.result] = at
    return Tape(kept, tape.output)


def _joined(maker: object, call: Call) -> Convolution | Dense | None:
    """Return a convolution or dense layer with this call after it, if it can be part of it."""
    if not isinstance(maker, (Convolution, Dense)) or not maker.is_plain:
        return None
    match call.name, call.args[1:], call.kwargs:
        case "batch_norm", options, keywords if _fixed(options, keywords):
            return maker.normed(*options, **keywords) if isinstance(maker, Convolution) else None
        case "relu", _, _:
            return maker.limited(Limits())
        case "relu6", _, _:
            return maker.limited(Limits(6.0))
        case "hardtanh", options, keywords:
            return _limited(maker, *options, **keywords)
    return None


def _limited(
    maker: Convolution | Dense,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,  # noqa: ARG001, FBT001, FBT002 - an argument of torch's
) -> Convolution | Dense | None:
    return maker.limited(Limits(float(max_val))) if min_val == 0 else None


def _fixed(options: Sequence[Any], keywords: dict[str, Any]) -> bool:
    """Whether a batch norm has its statistics and evaluates."""
    mean, variance = (*options, None, None)[:2]
    training = keywords.get("training", options[4] if len(options) > 4 else False)  # noqa: PLR2004
    kept = isinstance(mean, Tensor) and isinstance(variance, Tensor) and not training
    return kept and not slots((options, keywords))
