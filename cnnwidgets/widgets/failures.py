"""Errors that end a widget's work: said in a sentence, kept without what the work held."""

from __future__ import annotations

from traceback import clear_frames


def without_calls(error: BaseException) -> BaseException:
    """Free the variables of the calls that an error, and those behind it, ended; return it.

    The call that caught it is only taken off its traceback, since that one goes on: to clear the
    frame of a generator that waits would close it.
    """
    behind, met = [error], set()
    while behind:
        one = behind.pop()
        if id(one) not in met and one.__traceback__ is not None:
            one.__traceback__ = one.__traceback__.tb_next
            clear_frames(one.__traceback__)
            behind += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        met.add(id(one))
    return error


def sentence(error: BaseException) -> str:
    """Say an error in one sentence: its first line, and its type unless it is a plain refusal."""
    first = str(error).strip().partition("\n")[0]
    if first and isinstance(error, ValueError):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
