"""Run in a kernel that one test after another uses: clears what a test left, or tells of it."""

from __future__ import annotations

import sys

from IPython.core.interactiveshell import InteractiveShell
from ipywidgets import Widget

_before: dict[object, dict[str, object]] = {}


def remember() -> None:
    """Remember the package as it is now."""
    import cnnwidgets  # noqa: PLC0415 - only now: another test wants a kernel without it

    if not _before:
        for name in cnnwidgets.__all__:  # they load on first use
            getattr(cnnwidgets, name)
        _before.update({owner: dict(vars(owner)) for owner in _owners()})


def clear() -> list[str] | None:
    """Close every widget and forget every name.

    Returns
    -------
    list of str or None
        What has another value in the package than was remembered; None in a new kernel, where
        nothing was.
    """
    changed = [
        f"{owner.__name__}.{name}"  # type: ignore[attr-defined]
        for owner, before in _before.items()
        for name, value in before.items()
        if vars(owner).get(name) is not value
    ]
    Widget.close_all()
    InteractiveShell.instance().reset()  # type: ignore[no-untyped-call]
    return changed if _before else None


def _owners() -> set[object]:
    modules = [m for name, m in sys.modules.items() if name.partition(".")[0] == "cnnwidgets"]
    found = [value for module in modules for value in vars(module).values()]
    classes = [x for x in found if isinstance(x, type) and x.__module__.startswith("cnnwidgets")]
    return {*modules, *classes}
