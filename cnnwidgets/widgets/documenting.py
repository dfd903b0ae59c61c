"""The docstrings under a widget's traits, brought to where `help` and ``?`` find them."""

from __future__ import annotations

import ast
import inspect
import sys
from itertools import pairwise
from pathlib import Path
from textwrap import indent

from anywidget import AnyWidget
from traitlets import TraitType


def describe_traits(widget: type) -> None:
    """Give the traits of a class the docstrings under them, and list the public ones in its own.

    Parameters
    ----------
    widget
        The class, with its traits as attributes. Without its source nothing is done.
    """
    for name, text in _under_attributes(widget).items():
        if isinstance(vars(widget).get(name), TraitType):
            vars(widget)[name].__doc__ = text
    own = widget.__mro__[: widget.__mro__.index(AnyWidget)]
    described = {
        name: trait.__doc__
        for kind in reversed(own)
        for name, trait in vars(kind).items()
        if isinstance(trait, TraitType) and not name.startswith("_") and "__doc__" in vars(trait)
    }
    if described and "__doc__" in vars(widget) and widget.__doc__:
        listed = "\n".join(
            f"{name}\n{indent(text or '', '    ')}" for name, text in described.items()
        )
        widget.__doc__ = f"{inspect.cleandoc(widget.__doc__)}\n\nTraits\n------\n{listed}\n"


def _under_attributes(widget: type) -> dict[str, str]:
    """Return attribute → docstring, of which Python itself keeps none."""
    file = getattr(sys.modules.get(widget.__module__), "__file__", None)
    if not file or not Path(file).is_file():
        return {}
    body = ast.parse(Path(file).read_text(encoding="utf-8")).body
    found = (x for x in body if isinstance(x, ast.ClassDef) and x.name == widget.__qualname__)
    return {
        target.id: inspect.cleandoc(text)
        for kind in found
        for attribute, below in pairwise(kind.body)
        for target in _targets(attribute)
        if isinstance(target, ast.Name) and (text := _text(below)) is not None
    }


def _targets(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AnnAssign) else []


def _text(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        return value if isinstance(value, str) else None
    return None
