"""Words for error messages: what to do about an unknown name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTED = 8


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
        option is near, else ``choose one of 'a', 'b', … (40 in all)``.

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
        if near := get_close_matches(name.lower(), lower, n=1):
            return f"did you mean {lower[near[0]]!r}?"
    listed = ", ".join(map(repr, names[:_LISTED]))
    if len(names) > _LISTED:
        return f"choose one of {listed}, … ({len(names)} in all)"
    return f"choose one of {listed}" if len(names) > 1 else f"the only one is {listed}"
