"""What `help` tells first: the names that there are, each with a line."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import cnnwidgets as cw

USED_BY_WIDGETS = {
    *("preview", "recorded", "foreseen", "answer", "stream", "set_state", "in_words"),
    *("panels", "current"),
}


def listed(thing: Any) -> set[str]:
    """Names on a line of their own that a description follows."""
    text = inspect.getdoc(thing) or ""
    return set(re.findall(r"^(\w+)(?:\(.*\))?\n    \S", text, re.MULTILINE))


def functions(module: Any) -> set[str]:
    own = inspect.getmembers(module, inspect.isfunction)
    return {
        name
        for name, one in own
        if not name.startswith("_") and one.__module__.startswith(module.__name__)
    }


def test_the_package() -> None:
    assert listed(cw) == set(cw.__all__)


@pytest.mark.parametrize("module", [cw.arithmetic, cw.attribution, cw.samples])
def test_modules_of_functions(module: Any) -> None:
    assert listed(module) == functions(module)


@pytest.mark.parametrize(
    "widget",
    [
        cw.GradientAscentViewer,
        cw.LayerBrowser,
        cw.OcclusionSlider,
        cw.SaliencyViewer,
        cw.TrainingMonitor,
    ],
)
def test_the_methods_of_widgets(widget: type) -> None:
    own = (vars(kind) for kind in widget.__mro__ if kind.__module__.startswith(cw.__name__))
    methods = {name for members in own for name in members if inspect.isfunction(members[name])}
    public = {name for name in methods if not name.startswith("_")} - USED_BY_WIDGETS
    _, _, section = (inspect.getdoc(widget) or "").partition("Methods\n-------\n")
    names = set(re.findall(r"^(\w+)\(", section, re.MULTILINE))
    assert names == public
    for name in names:
        assert inspect.getdoc(getattr(widget, name)), name
