"""What `help` tells first: the names that there are, each with a line."""

from __future__ import annotations

import inspect
import pydoc
import re
from typing import Any

import pytest
from anywidget import AnyWidget
from traitlets import Int

import cnnwidgets as cw
from cnnwidgets.widgets.base import Widget

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
def test_the_traits_of_widgets(widget: type[Widget]) -> None:
    public = {
        name
        for name in widget.class_traits(sync=True)
        if not name.startswith("_") and name not in AnyWidget.class_traits()
    }
    _, _, section = (inspect.getdoc(widget) or "").partition("Traits\n------\n")
    assert set(re.findall(r"^(\w+)\n    \S", section, re.MULTILINE)) == public


def test_what_stands_under_a_trait_is_what_help_says() -> None:
    line = (
        "Edge of the patch in pixels of the network's input; a seventh of the picture by default."
    )
    assert f"\nwindow\n    {line}\nstride\n" in (inspect.getdoc(cw.OcclusionSlider) or "")
    assert f" |  window\n |      {line}\n" in pydoc.plain(pydoc.render_doc(cw.OcclusionSlider))
    assert "Share of the work that is done" in (inspect.getdoc(cw.OcclusionSlider) or "")


def test_a_widget_of_ones_own_needs_no_source() -> None:
    exec_globals = {"Widget": Widget, "Int": Int, "__name__": "__main__"}
    exec("class Own(Widget):\n    '''Mine.'''\n    size = Int()\n", exec_globals)  # noqa: S102
    assert inspect.getdoc(exec_globals["Own"]) == "Mine."
