"""Requests from the browser: what they hold, and how a widget says which it answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from cnnwidgets.errors import nearest
from cnnwidgets.widgets.stream import PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnwidgets.widgets.base import Widget

    Asked = tuple[str, dict[str, Any]]
    """A request's name and arguments."""

    Handler = Callable[[Any, "Request"], "Answer"]
    H = TypeVar("H", bound=Handler)
    T = TypeVar("T")


class RequestError(ValueError):
    """A request makes no sense, or no longer does; the sentence says what to do."""


@dataclass(frozen=True)
class Answer:
    """What a request gets back: a value that is JSON, and packed tensors."""

    value: dict[str, Any] = field(default_factory=dict)
    tensors: Sequence[bytes] = ()


WORTH_TELLING = 0.5
"""Seconds after which a page is told how far the answer is."""


def _never() -> None:
    """Do nothing: nobody can cancel."""


def _nobody(_done: int, _total: int) -> None:
    """Do nothing: nobody watches."""


@dataclass(frozen=True)
class Request:
    """One request, checked as its arguments are read.

    Attributes
    ----------
    name, args
        What is asked for.
    buffers
        Bytes that came with it.
    page
        The page that asks; ``""`` for the kernel itself.
    check
        Call it between batches: it raises `Cancelled` when the answer is no longer wanted.
    progress
        Tell the page (done, total).
    begun
        When it was asked, on the monotonic clock.
    """

    name: str
    args: dict[str, Any]
    buffers: Sequence[memoryview] = ()
    page: str = ""
    check: Callable[[], None] = _never
    progress: Callable[[int, int], None] = _nobody
    begun: float = field(default_factory=time.monotonic)

    def step(self, done: int, total: int) -> None:
        """Go on if the answer is still wanted, and say how far it is if it takes long."""
        self.check()
        if time.monotonic() - self.begun >= WORTH_TELLING:
            self.progress(done, total)

    def get(self, name: str, kind: type[T]) -> T:
        """Return an argument of this type, or raise a RequestError that names it."""
        value = self.args.get(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise RequestError(
                f"{self.name}: {name} must be {kind.__name__}, not {type(value).__name__}"
            )
        return value

    def choose(self, name: str, options: Sequence[str]) -> str:
        """Return an argument that is one of these words."""
        value = self.get(name, str)
        if value not in options:
            raise RequestError(f"{self.name}: {name} is {value!r}; {nearest(value, options)}")
        return value

    def index(self, name: str, count: int) -> int:
        """Return an argument that is an index below `count`."""
        value = self.get(name, int)
        if not 0 <= value < count:
            choice = f"choose 0 to {count - 1}" if count else "there is none"
            raise RequestError(f"{self.name}: {name} is {value}; {choice}")
        return value

    def span(self, count: int, most: int) -> tuple[int, int]:
        """Return the half-open range `first` … `last`, cut off at `count`."""
        first, last = self.get("first", int), self.get("last", int)
        if not 0 <= first < last or first >= count:
            raise RequestError(
                f"{self.name}: first {first}, last {last} is no range of 0 to {count}"
            )
        if last - first > most:
            raise RequestError(f"{self.name}: {last - first} are too many at once; ask for {most}")
        return first, min(last, count)


def answers(name: str) -> Callable[[H], H]:
    """Mark a widget's method as what answers requests of this name, on the worker's thread."""

    def mark(method: H) -> H:
        method.__dict__["_answers"] = name
        return method

    return mark


def handlers(cls: type[Widget]) -> dict[str, Handler]:
    """Collect the methods of a class that answer requests, by the requests' names."""
    found: dict[str, Handler] = {}
    for base in reversed(cls.__mro__):
        for method in vars(base).values():
            name = getattr(method, "_answers", None)
            if callable(method) and isinstance(name, str):
                found[name] = method
    return found


def seldom(progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Tell progress as often as frames may be sent, and always the end."""
    last = -1.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done >= total or now - last >= 1 / PER_SECOND:
            last = now
            progress(done, total)

    return tell


def printed(what: str) -> Callable[[float], None]:
    """Print how far something is, on one line, once that takes long; the next line replaces it."""
    last = time.monotonic()

    def tell(share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= WORTH_TELLING:
            last = now
            print(f"{what}, {share:.0%}", end="\r", flush=True)  # noqa: T201

    return tell
