"""A copy's convolutions, laid out once for many passes, with what lies around them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnnwidgets.ascent.calls import Filters, Norm, convolving, following, padding
from cnnwidgets.ascent.convolving import FrozenConvolution
from cnnwidgets.ascent.layouts import Options
from cnnwidgets.attribution.incremental.convolution import Limits, known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cnnwidgets.ascent.calls import Follower, Zeros
    from cnnwidgets.ascent.watching import Made, Watch
    from cnnwidgets.shadow import Shadow


class Astray(BaseException):
    """Ends a pass that goes another way; no `Exception`, which a model may catch."""


class _PutOff(NamedTuple):
    """Padding that the next convolution does itself; `result` has its shape, and is NaN."""

    x: Tensor
    zeros: Zeros
    result: Tensor


class Frozen(TorchFunctionMode):
    """While it is entered, convolutions that are ready take the place of a copy's own.

    They pad their maps, norm and cut off as well where nothing else reads what lies between.

    Parameters
    ----------
    shadow
        The copy. Where it has hooks, convolutions stay alone, as hooks see what lies between.
    watch
        What a pass over it called.

    Attributes
    ----------
    astray
        Whether a pass went another way than the watched one, so that its result is wrong.
    """

    def __init__(self, shadow: Shadow, watch: Watch) -> None:
        super().__init__()
        own = {id(one) for one in (*shadow.model.parameters(), *shadow.model.buffers())}
        self._filters = {
            id(one.weight): one
            for one, *_ in watch.convolved
            if _fits(one) and id(one.weight) in own
        }
        self._followers: dict[int, tuple[Follower, ...]] = {}
        self._turns: set[int] = set()
        if not any(one._forward_hooks or one._forward_pre_hooks for one in shadow.names):  # noqa: SLF001
            self._join(watch, own)
        self._ready: dict[tuple[int, Zeros | None], FrozenConvolution] = {}
        self._open: dict[int, tuple[Tensor, tuple[Follower, ...]]] = {}
        self._put_off: _PutOff | None = None
        self._pads = 0
        self._unfilled: dict[int, Tensor] = {}
        self._nan = torch.full((1, 1, 1, 1), torch.nan)
        self.astray = False

    def _join(self, watch: Watch, own: set[int]) -> None:
        """Find what convolutions can do besides."""
        uses = Counter(id(filters.weight) for filters, *_ in watch.convolved)
        for filters, made, padded in watch.convolved:
            key = id(filters.weight)
            if key not in self._filters:
                continue
            if uses[key] == 1:
                self._followers[key] = _followers(made, own)
            alone = padded is not None and len(padded.made.readers) == 1
            if padded is not None and alone and filters.padded(padded.zeros) is not None:
                self._turns.add(padded.turn)

    def renew(self) -> None:
        """Take over weights that have changed."""
        self._ready.clear()

    def give_up(self) -> None:
        """Leave padding to the model; where that has been done, norms and ReLUs."""
        self.renew()
        self.astray = False
        if self._turns:
            self._turns.clear()
        else:
            self._followers.clear()

    def __enter__(self) -> None:
        self._open.clear()
        self._unfilled.clear()
        self._put_off, self._pads = None, 0
        super().__enter__()  # type: ignore[no-untyped-call]

    def __exit__(self, kind: type[BaseException] | None, *raised: object) -> bool:
        self.astray |= bool(self._open) or self._put_off is not None
        super().__exit__(kind, *raised)  # type: ignore[no-untyped-call]
        return kind is Astray

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        put_off, self._put_off = self._put_off, None
        found = None
        if (
            put_off is None
            and self._unfilled
            and not self._unfilled.keys().isdisjoint(map(id, args))
        ):
            self._leave()
        if func is torch.conv2d:
            found = self._convolved(put_off, *convolving(*args, **kwargs))
        elif put_off is not None:
            self._leave()
        elif func is functional.pad:
            found = self._padded(padding(*args, **kwargs))
        elif self._open and (given := following(func, args, kwargs)) is not None:
            found = self._followed(*given)
        return func(*args, **kwargs) if found is None else found

    def _leave(self) -> NoReturn:
        self.astray = True
        raise Astray

    def _convolved(self, put_off: _PutOff | None, x: Tensor, filters: Filters) -> Tensor | None:
        key, zeros = id(filters.weight), None
        own = self._filters.get(key)
        if own is None or not _alike(own, filters) or x.ndim != 4 or x.dtype != torch.float32:  # noqa: PLR2004 - [N, C, H, W]
            return None if put_off is None else self._leave()
        if put_off is not None:
            if put_off.result is not x:
                self._leave()
            x, zeros, _ = put_off
        followers = self._followers.get(key, ())
        if (key, zeros) not in self._ready:
            self._ready[key, zeros] = _frozen(own, zeros, followers)
        made = self._ready[key, zeros](x)
        if followers:
            self._open[id(made)] = made, followers
        return made

    def _padded(self, given: tuple[Tensor, Zeros] | None) -> Tensor | None:
        """Return maps of the shape that is expected, if a convolution is to pad them."""
        self._pads += 1
        if given is None or self._pads not in self._turns:
            return None
        x, zeros = given
        count, channels, height, width = x.shape
        size = height + zeros.top + zeros.bottom, width + zeros.left + zeros.right
        unfilled = self._nan.expand(count, channels, *size)
        self._put_off = _PutOff(x, zeros, unfilled)
        self._unfilled[id(unfilled)] = unfilled
        return unfilled

    def _followed(self, x: Tensor, follower: Follower) -> Tensor | None:
        """Return what has been normed or cut off already as it is."""
        made, followers = self._open.pop(id(x), (None, ()))
        if made is None:
            return None
        self.astray |= not _same(followers[0], follower)
        if len(followers) > 1:
            self._open[id(x)] = made, followers[1:]
        return made


def _fits(filters: Filters) -> bool:
    single = filters.weight.dtype == torch.float32 and known(filters.weight)
    return single and not isinstance(filters.padding, str)


def _alike(one: Filters, other: Filters) -> bool:
    return one.bias is other.bias and one[2:] == other[2:]


def _followers(made: Made, own: set[int]) -> tuple[Follower, ...]:
    """Return what can be made part of a convolution: a norm, a ReLU, or one after the other."""
    found: list[Follower] = []
    match made.follower:
        case Norm() as norm, after if _fixed(norm, own):
            found.append(norm)
            made = after
    match made.follower:
        case Limits() as limits, after if not after.is_overwritten:  # its gradient goes by it
            found.append(limits)
    return tuple(found)


def _fixed(norm: Norm, own: set[int]) -> bool:
    """Whether a norm evaluates, by what the model holds."""
    given = [one for one in norm[:4] if one is not None]
    kept = norm.mean is not None and norm.variance is not None and not norm.training
    return kept and all(id(one) in own and one.dtype == torch.float32 for one in given)


def _same(one: Follower, other: Follower) -> bool:
    if isinstance(one, Norm) and isinstance(other, Norm):
        return one.mean is other.mean
    return isinstance(one, Limits) and one == other


def _frozen(
    filters: Filters, zeros: Zeros | None, followers: tuple[Follower, ...]
) -> FrozenConvolution:
    weight, bias, *how = filters if zeros is None else filters.padded(zeros) or filters
    given: Any = how
    limits = None
    for one in followers:
        if isinstance(one, Norm):
            weight, bias = one.folded(weight, bias)
        else:
            limits = one
    return FrozenConvolution(weight, bias, Options.of(*given), limits)
