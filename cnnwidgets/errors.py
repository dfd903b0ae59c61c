"""Words for error messages: what to do about an unknown name, or another shape."""

from __future__ import annotations

from contextlib import contextmanager
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from cnnwidgets.network import Network

P = ParamSpec("P")
_LISTED = 8
_SAID = 3
_PART = 3
"""Letters of a name from which on it is looked for inside the options."""


class NoGradientError(ValueError):
    """Nothing that could be differentiated leads from the score to what was asked for."""


def known_keywords(init: Callable[P, None]) -> Callable[P, None]:
    """Let a constructor name the nearest of its keywords when it is given an unknown one."""
    known = list(signature(init).parameters)[1:]

    @wraps(init)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        for name in kwargs:
            if name not in known:
                kind = type(args[0]).__name__
                raise TypeError(f"{kind}: there is no keyword {name!r}; {nearest(name, known)}")
        init(*args, **kwargs)

    return checked


def nearest(name: object, options: Iterable[str]) -> str:
    """Say what was probably meant by an unknown name.

    Parameters
    ----------
    name
        What was given. Anything; only a string can be near an option.
    options
        The names that exist.

    Returns
    -------
    str
        A phrase to end an error message with: ``did you mean 'conv1'?`` when an
        option is near, ends with the name after a dot, or is the only one that contains it, else
        ``choose one of 'a', 'b', … (40 in all)``.

    Examples
    --------
    >>> nearest("coler", ["color", "unit"])
    "did you mean 'color'?"
    """
    names = list(dict.fromkeys(options))
    if not names:
        return "there are none to choose from"
    if isinstance(name, str):
        lower = {option.lower(): option for option in reversed(names)}
        ending = [option for option in reversed(lower) if option.rpartition(".")[2] == name.lower()]
        near = ending[:_SAID] or get_close_matches(name.lower(), lower, n=1)
        containing = [option for option in lower if name.lower() in option]
        if not near and len(name) >= _PART and len(containing) == 1:
            near = containing
        if near:
            return f"did you mean {' or '.join(repr(lower[option]) for option in near)}?"
    listed = ", ".join(map(repr, names[:_LISTED]))
    if len(names) > _LISTED:
        return f"choose one of {listed}, … ({len(names)} in all)"
    return f"choose one of {listed}" if len(names) > 1 else f"the only one is {listed}"


@contextmanager
def naming_shape(net: Network, x: Tensor) -> Iterator[None]:
    """Raise what a pass over `x` raises, and say if `x` has another shape than the input."""
    try:
        yield
    except Exception as error:
        given, takes = tuple(x.shape[1:]), net.input_shape
        if given == takes or net.graph.error is not None:
            raise
        shapes = ["×".join(map(str, shape)) for shape in (given, takes)]
        raise ValueError(
            f"image: {shapes[0]} where the network takes {shapes[1]}; {error}"
        ) from error
