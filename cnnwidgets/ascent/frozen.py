"""A copy's convolutions, laid out once for many passes, with the norms that follow them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnnwidgets.ascent.convolving import FrozenConvolution, Options
from cnnwidgets.attribution.incremental.convolution import Convolution, known
from cnnwidgets.shadow import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cnnwidgets.shadow import Shadow


class _Filters(NamedTuple):
    """What `torch.conv2d` is given besides maps."""

    weight: Tensor
    bias: Tensor | None = None
    stride: int | Sequence[int] = 1
    padding: int | str | Sequence[int] = 0
    dilation: int | Sequence[int] = 1
    groups: int = 1


class _Norm(NamedTuple):
    """What `torch.nn.functional.batch_norm` is given besides maps."""

    mean: Tensor | None
    variance: Tensor | None
    weight: Tensor | None = None
    bias: Tensor | None = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5


class Watch(TorchFunctionMode):
    """Notes which convolutions a pass calls, and what reads their results."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[_Filters, Tensor]] = []
        self._readers: dict[int, list[_Norm | None]] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if result is None or next(tensors(result), None) is not None:  # not, say, a shape
            norm = _norming(*args, **kwargs)[1] if func is functional.batch_norm else None
            self._read((args, kwargs), norm)
        if func is torch.conv2d:
            self.made.append((_convolving(*args, **kwargs)[1], result))  # its id stays its own
            self._readers[id(result)] = []
        return result

    def returned(self, output: object) -> None:
        """Take what the pass returned as read."""
        self._read(output, None)

    def norm(self, made: Tensor) -> _Norm | None:
        """Return the norm that alone reads what a convolution returned, if so."""
        readers = self._readers[id(made)]
        return readers[0] if len(readers) == 1 else None

    def _read(self, values: object, norm: _Norm | None) -> None:
        for one in tensors(values):
            if id(one) in self._readers:
                self._readers[id(one)].append(norm)


class Frozen(TorchFunctionMode):
    """While it is entered, convolutions that are ready take the place of a copy's own.

    Parameters
    ----------
    shadow
        The copy. Where it has hooks, norms stay apart, as hooks see what lies between.
    watch
        What a pass over it called.

    Attributes
    ----------
    astray
        Whether a pass went another way than the watched one, so that norms are missing.
    """

    def __init__(self, shadow: Shadow, watch: Watch) -> None:
        super().__init__()
        own = {id(one) for one in (*shadow.model.parameters(), *shadow.model.buffers())}
        uses = Counter(id(filters.weight) for filters, _ in watch.made)
        hooked = any(one._forward_hooks or one._forward_pre_hooks for one in shadow.names)  # noqa: SLF001
        self._filters = {
            id(one.weight): one for one, _ in watch.made if _fits(one) and id(one.weight) in own
        }
        self._norms: dict[int, _Norm] = {}
        for filters, made in () if hooked else watch.made:
            norm = watch.norm(made)
            if norm is not None and uses[id(filters.weight)] == 1 and _fixed(norm, own):
                self._norms[id(filters.weight)] = norm
        self._ready: dict[int, FrozenConvolution] = {}
        self._open: dict[int, tuple[Tensor, _Norm]] = {}
        self.astray = False

    def renew(self, *, norms: bool = True) -> None:
        """Take over weights that have changed; leave the norms to the model, if so asked."""
        self._ready.clear()
        self.astray = False
        if not norms:
            self._norms.clear()

    def __enter__(self) -> None:
        self._open.clear()
        super().__enter__()  # type: ignore[no-untyped-call]

    def __exit__(self, *raised: object) -> None:
        self.astray |= bool(self._open)
        super().__exit__(*raised)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        found = None
        if func is torch.conv2d:
            found = self._convolved(*_convolving(*args, **kwargs))
        elif func is functional.batch_norm:
            found = self._normed(*_norming(*args, **kwargs))
        return func(*args, **kwargs) if found is None else found

    def _convolved(self, x: Tensor, filters: _Filters) -> Tensor | None:
        key = id(filters.weight)
        own = self._filters.get(key)
        if own is None or x.ndim != 4 or x.dtype != torch.float32:  # noqa: PLR2004 - [N, C, H, W]
            return None
        if filters.bias is not own.bias or filters[2:] != own[2:]:
            return None
        norm = self._norms.get(key)
        if key not in self._ready:
            self._ready[key] = _frozen(own, norm)
        made = self._ready[key](x)
        if norm is not None:
            self._open[id(made)] = made, norm
        return made

    def _normed(self, x: Tensor, norm: _Norm) -> Tensor | None:
        """Return what has been normed already as it is."""
        made, own = self._open.pop(id(x), (None, norm))
        self.astray |= own.mean is not norm.mean
        return made


def _convolving(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, _Filters]:  # noqa: A002, ANN401
    return input, _Filters(*args, **kwargs)


def _norming(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, _Norm]:  # noqa: A002, ANN401
    return input, _Norm(*args, **kwargs)


def _fits(filters: _Filters) -> bool:
    single = filters.weight.dtype == torch.float32 and known(filters.weight)
    return single and not isinstance(filters.padding, str)


def _fixed(norm: _Norm, own: set[int]) -> bool:
    """Whether a norm evaluates, by what the model holds."""
    given = [one for one in norm[:4] if one is not None]
    kept = norm.mean is not None and norm.variance is not None and not norm.training
    return kept and all(id(one) in own and one.dtype == torch.float32 for one in given)


def _frozen(filters: _Filters, norm: _Norm | None) -> FrozenConvolution:
    weight, bias, *how = filters
    given: Any = how
    options = Options.of(*given)
    convolution = Convolution(weight, bias, *options)
    if norm is not None:
        convolution = convolution.normed(*norm)  # type: ignore[arg-type]
    return FrozenConvolution(convolution, options)
