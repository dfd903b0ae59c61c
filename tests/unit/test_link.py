"""Linked widgets share what they have in common, both ways."""

from __future__ import annotations

from typing import Any

import anywidget
import pytest
import torch
from traitlets import Int, TraitError, Unicode, validate

import cnnwidgets as cw


class Left(anywidget.AnyWidget):
    _esm = ""
    layer = Unicode("conv1").tag(sync=True)
    channel = Int(0).tag(sync=True)
    progress = Int(0, read_only=True).tag(sync=True)
    _hidden = Int(0).tag(sync=True)
    local = Int(0)


class Right(Left):
    step = Int(0).tag(sync=True)

    @validate("layer")
    def _known(self, proposal: Any) -> str:
        if proposal.value == "conv9":
            raise TraitError("no such layer")
        return str(proposal.value)


def test_both_ways_until_unlinked() -> None:
    left, right, third = Left(layer="fc"), Right(), Right()
    link = cw.link(left, right, third)
    assert set(link.names) == {"layer", "channel", "step"}
    assert right.layer == third.layer == "fc"
    third.channel = 5
    assert left.channel == right.channel == 5
    right.step = 3
    assert third.step == 3
    left._hidden = left.local = 1
    assert right._hidden == right.local == 0
    link.unlink()
    link.unlink()
    left.layer = "conv1"
    assert right.layer == "fc"


def test_a_widget_without_that_layer_stays_where_it_is() -> None:
    left, right, third = Left(), Right(), Left()
    cw.link(left, right, third)
    left.layer = "conv9"
    assert right.layer == "conv1"
    assert third.layer == "conv9"
    right.layer = "conv2"
    assert left.layer == third.layer == "conv2"


def test_nothing_to_link() -> None:
    with pytest.raises(ValueError, match="link: Left, AnyWidget share no trait such as layer"):
        cw.link(Left(), anywidget.AnyWidget(_esm=""))


LEFT = Left()


@pytest.mark.parametrize(
    ("widgets", "message"),
    [
        ((), r"link: give two or more different widgets: cw\.link\(a, b\)"),
        ((LEFT,), "two or more different"),
        ((LEFT, LEFT), "two or more different"),
        (([LEFT, Right()],), r"one by one: cw\.link\(a, b\), not cw\.link\(\[a, b\]\)"),
        ((LEFT, torch.nn.Linear(1, 1)), "link: Linear is no widget; give some"),
        ((LEFT, Left), "link: Left is a class; make a widget of it first"),
    ],
)
def test_what_cannot_be_linked(widgets: tuple[Any, ...], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        cw.link(*widgets)


def test_public_names() -> None:
    assert set(cw.__all__) <= set(dir(cw))
    assert cw.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="did you mean 'LayerBrowser'"):
        cw.LayerBrowse  # noqa: B018
