"""Public traits of all widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anywidget
import pytest

import cnnwidgets as cw
from cnnwidgets.widgets.base import Widget

if TYPE_CHECKING:
    from collections.abc import Iterator


def _kinds(of: type[Widget]) -> Iterator[type[Widget]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)


WIDGETS = sorted(
    {
        kind
        for kind in (getattr(cw, name) for name in cw.__all__)
        if isinstance(kind, type) and issubclass(kind, Widget)
    },
    key=lambda kind: kind.__name__,
)


def hidden(kind: type[Widget]) -> set[str]:
    """Traits by whose names ipywidgets or traitlets know something else, such as `blur`."""
    theirs = anywidget.AnyWidget
    own = set(kind.class_traits()) - set(theirs.class_traits())
    return own & set(dir(theirs))


@pytest.mark.parametrize("kind", WIDGETS)
def test_no_trait_hides_what_all_widgets_have(kind: type[Widget]) -> None:
    assert hidden(kind) == set()


def test_all_widgets_are_looked_at() -> None:
    bundled = {one for one in _kinds(Widget) if one.__module__.startswith("cnnwidgets.")}
    assert {one for one in bundled if "_bundle" in vars(one)} == set(WIDGETS)
