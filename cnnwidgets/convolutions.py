"""What a layer convolves, and with what: taken from the calls of a pass.

A module's attributes do not tell: its own forward may standardise the weights or pad, it may be
given a part of another layer's output, a hook may have changed either. So the calls of torch's
``conv2d`` are watched, inside of modules too.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnwidgets.provenance import writes
from cnnwidgets.shadow import shadow
from cnnwidgets.tracing import Call, function_name, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cnnwidgets.capture import Step
    from cnnwidgets.layers import Layer
    from cnnwidgets.network import Network
    from cnnwidgets.tracing import Failure

Convolution: TypeAlias = nn.Conv2d | nn.ConvTranspose2d

_ARGUMENTS = {
    "conv2d": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    "conv_transpose2d": (
        *("input", "weight", "bias", "stride", "padding"),
        *("output_padding", "groups", "dilation"),
    ),
    "pad": ("input", "pad", "mode", "value"),
}
_FUNCTIONS: dict[type[Convolution], str] = {
    nn.Conv2d: "conv2d",
    nn.ConvTranspose2d: "conv_transpose2d",
}


class Convolved(NamedTuple):
    """What a layer convolves, and with what.

    Attributes
    ----------
    conv
        A convolution with what the layer's is given; all its tensors are its own.
    x
        Its input.
    changed
        Whether the layer puts out something else than the convolution did: a forward hook.
    """

    conv: Convolution
    x: Tensor
    changed: bool = False


def filter_shape(call: Call) -> tuple[int, ...] | None:
    """Return the shape of a layer's filters, [K, C_in/groups, kh, kw]; None if it has none."""
    if call.output.is_complex():
        return None
    if isinstance(call.module, Convolution):
        conv = call.module
        return conv.out_channels, conv.in_channels // conv.groups, *conv.kernel_size
    name = function_name(call.function) if call.function else ""
    if name not in _FUNCTIONS.values():
        return None
    given = _arguments(name, call.args, call.kwargs)
    first, second, *kernel = given["weight"].shape
    if name == _FUNCTIONS[nn.ConvTranspose2d]:
        first, second = second * given.get("groups", 1), first // given.get("groups", 1)
    return first, second, *kernel


def is_own(layer: Layer) -> bool:
    """Whether a layer's module convolves as torch's class does, with its own weights.

    Not certain without a pass, and so False, for functions, subclasses with a forward of their own,
    hooks, and weights that are not initialised yet.
    """
    kind = _kind(layer.module)
    return kind is not None and not _is_altered(cast("nn.Module", layer.module), kind)


def own_convolution(net: Network, layer: Layer) -> Convolution | None:
    """Return a copy of a layer's module; None where only a pass can tell what it convolves."""
    if not is_own(layer):
        return None
    kind = cast("type[Convolution]", _kind(layer.module))
    # Of the user's own, a parametrisation may change buffers when its weight is read.
    originals = shadow(net.model).originals.items()
    copied = next(own for own, its in originals if its is layer.module)
    names = [name for name in _ARGUMENTS[_FUNCTIONS[kind]] if name != "input"]
    return _made(kind, {name: getattr(copied, name) for name in (*names, "padding_mode")})


def convolved(net: Network, name: str, x: Tensor, step: Step | None = None) -> Convolved:
    """Run a pass as far as a layer, and return what it convolves there.

    Parameters
    ----------
    net
        The network.
    name
        A layer's name.
    x
        A batch [N, C, H, W] on the network's device and of its dtype. Not changed.
    step
        As for `cnnwidgets.capture.capture`.

    Raises
    ------
    ValueError
        If the layer is no two-dimensional convolution, or the pass does not come so far.
    """
    layer = net.layer(name)
    if layer.filters is None:
        raise ValueError(
            f"layer {name!r} is no two-dimensional convolution (its kind: {layer.kind}); "
            "choose one whose filters are not None"
        )
    found: list[Convolved] = []
    failure = _watched(
        net, [name], x, lambda call, watch: found.append(watch.convolved(call)), step
    )
    if found:
        return found[0]
    reason = "" if failure is None else f": {failure.error}"
    raise ValueError(f"the forward pass did not reach {name!r} with this picture{reason}")


def convolutions(
    net: Network, names: Iterable[str], x: Tensor, step: Step | None = None
) -> dict[str, Convolution]:
    """Run one pass and return the convolutions of these layers, without what they are given.

    Layers that the pass does not come to, or that call no ``conv2d``, are left out.
    """
    found: dict[str, Convolution] = {}

    def keep(call: Call, watch: _Watch) -> None:
        with suppress(ValueError):
            found[call.name] = watch.convolved(call).conv

    _watched(net, names, x, keep, step)
    return found


def _watched(
    net: Network,
    names: Iterable[str],
    x: Tensor,
    keep: Callable[[Call, _Watch], None],
    step: Step | None,
) -> Failure | None:
    """Run a pass as far as the last of these layers, with what each called at hand."""
    order = [layer.name for layer in net.graph]
    waiting = set(names)
    total = 1 + max(order.index(name) for name in waiting)
    done = count(1)
    watch = _Watch()

    def on_call(call: Call) -> None:
        if call.name in waiting:
            waiting.remove(call.name)
            keep(call, watch)
        watch.forget()
        if step is not None:
            step(min(next(done), total), total)
        if not waiting:
            raise _ReachedError

    copied = shadow(net.model)
    try:
        with torch.inference_mode(mode=False), torch.no_grad(), watch:
            return trace(copied, x.detach().clone(), on_call).failure
    except _ReachedError:
        return None


class _ReachedError(BaseException):
    """Ends a pass; not an `Exception`, which the model might catch."""


class _Called(NamedTuple):
    name: str
    given: dict[str, Any]
    result: Tensor
    version: int


class _Watch(TorchFunctionMode):
    """Remembers the convolutions and paddings computed since the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self._called: list[_Called] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        name = function_name(func)
        if name in _ARGUMENTS:
            given = _arguments(name, args, kwargs or {})
            self._called.append(_Called(name, given, result, writes(result)))
        return result

    def forget(self) -> None:
        """Forget what belonged to another layer."""
        self._called.clear()

    def convolved(self, call: Call) -> Convolved:
        """Return what a layer that has just been computed convolves."""
        convs = [one for one in self._called if one.name != "pad"]
        if not convs:
            raise ValueError(f"layer {call.name!r} computes without torch's conv2d")
        # What a forward hook convolves comes later.
        found = next((one for one in convs if one.result is call.output), convs[0])
        given, result = dict(found.given), found.result
        for one in self._called:
            if one.result is given["input"] and _pads_for(call.module, one):
                own = {name: getattr(call.module, name) for name in ("padding", "padding_mode")}
                given |= {"input": one.given["input"], **own}
        for name in ("input", "weight", "bias"):
            if given.get(name) is not None:
                given[name] = given[name].detach().to(result.dtype)  # as autocast does
        changed = call.output is not result or writes(result) != found.version
        kind = next(kind for kind, name in _FUNCTIONS.items() if name == found.name)
        return Convolved(_made(kind, given), given["input"], changed)


def _arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a function's arguments by their names."""
    return {**dict(zip(_ARGUMENTS[name], args)), **kwargs}  # noqa: B905 - the rest are defaults


def _kind(module: nn.Module | None) -> type[Convolution] | None:
    return next((kind for kind in _FUNCTIONS if isinstance(module, kind)), None)


def _is_altered(module: nn.Module, kind: type[nn.Module]) -> bool:
    forwards = ("forward", "_conv_forward")
    return bool(
        any(getattr(type(module), name, None) is not getattr(kind, name, None) for name in forwards)
        or any(name in vars(module) for name in forwards)
        or module._forward_hooks  # noqa: SLF001 - there is no public way to ask
        or module._forward_pre_hooks  # noqa: SLF001 - lazy modules have one, too
    )


def _pads_for(module: nn.Module | None, called: _Called) -> bool:
    """Whether a padding is what ``Conv2d`` does first, in other modes than zeros."""
    return (
        called.name == "pad"
        and isinstance(module, nn.Conv2d)
        and called.given.get("mode") == module.padding_mode
        and list(called.given["pad"]) == list(module._reversed_padding_repeated_twice)  # noqa: SLF001
    )


def _made(kind: type[Convolution], given: dict[str, Any]) -> Convolution:
    """Make a convolution of what ``conv2d`` was given, with copies of the tensors."""
    weight, bias, groups = given["weight"], given.get("bias"), given.get("groups", 1)
    first, second, *kernel = weight.shape
    channels = (second * groups, first) if kind is nn.Conv2d else (first, second * groups)
    conv = kind(
        *channels,
        kernel_size=tuple(kernel),
        bias=bias is not None,
        groups=groups,
        device="meta",  # where nothing is drawn from the user's random numbers
        **{name: _setting(given[name]) for name in _SETTINGS if name in given},
    )
    conv.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    conv.bias = None if bias is None else nn.Parameter(bias.detach().clone(), requires_grad=False)
    return conv


def _setting(value: Any) -> Any:  # noqa: ANN401 - a number, a sequence of one or two, or a word
    if isinstance(value, str):
        return value
    return (value, value) if isinstance(value, int) else (tuple(value) * 2)[:2]


_SETTINGS = ("stride", "padding", "dilation", "output_padding", "padding_mode")
