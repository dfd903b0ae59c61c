"""Looking through a network: layers, maps, exact values, fields, the receipt of a unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.layer_browser import FASHION, LayerBrowser, value_of

if TYPE_CHECKING:
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage
    from tests.e2e.server import Host

CONV = "block1.conv2"


@pytest.fixture
def shown(page: NotebookPage) -> LayerBrowser:
    browser = LayerBrowser(page)
    browser.wait_state()
    return browser


@pytest.mark.parametrize("host", ["lab", "notebook"])
def test_opens_and_browses(open_notebook: OpenNotebook, host: Host) -> None:
    page = open_notebook(FASHION, host=host)
    page.run_all()
    shown = LayerBrowser(page)
    shown.wait_state()
    names = page.kernel_eval("[layer.name for layer in net.layers]")
    listed = shown.layer_names()
    assert len(listed) > 10
    assert listed == names[: len(listed)]

    shown.choose_layer(CONV)
    channels = page.kernel_eval(f"net.layer({CONV!r}).output_shape[0]")
    expect(shown.grid).to_have_accessible_name(f"{channels} channels of {CONV}")
    shown.wait_painted(shown.tile(0).locator("canvas"))
    assert page.kernel_eval("browser.layer") == CONV

    page.kernel_eval(f"setattr(browser, 'layer', {names[0]!r})")
    shown.wait_shown("layer", names[0])
    page.screenshot(f"layer-browser-{host}")


LISTENING = """
from cnnwidgets.widgets.base import Widget
asked, submit = [], Widget._submit

def listen(self, identity, request, lane):
    asked.append(request.name)
    submit(self, identity, request, lane)

Widget._submit = listen
"""


def test_the_first_layer_of_a_picture_needs_no_question(open_notebook: OpenNotebook) -> None:
    page = open_notebook(LISTENING + FASHION, fresh=True)
    page.run_all()
    shown = LayerBrowser(page)
    shown.wait_painted(shown.tile(0).locator("canvas"))
    page.kernel_eval("browser.show(images[1])")
    name = page.kernel_eval("browser._pictures['a']['name']")
    shown.root.locator(".cnnw-lb-card figcaption", has_text=name).wait_for()
    shown.wait_painted(shown.tile(0).locator("canvas"))
    assert page.kernel_eval("asked") == []
    shown.choose_layer(CONV)
    assert page.kernel_eval("asked") == ["layer", "maps"]


def test_tabs_and_dense_layers(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.choose_layer(CONV)
    for tab in ("Mean", "Filters", "Gradients", "Maps"):
        shown.choose_tab(tab)
        shown.wait_painted(shown.panel.locator("canvas").last)
        assert page.kernel_eval("browser.view") == tab.lower()

    last = page.kernel_eval("net.layers[-1].name")
    shown.choose_layer(last)
    shown.choose_tab("Units")
    for name in page.kernel_eval("[net.class_name(i) for i in range(3)]"):
        expect(shown.panel.get_by_text(name, exact=True).first).to_be_visible()


def test_search(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.root.focus()
    page.page.keyboard.press("/")
    expect(shown.root.get_by_role("searchbox", name="Search layers")).to_be_focused()
    page.page.keyboard.type("block1.conv2")
    expect(shown.root.locator('[aria-live="polite"]', has_text=" of ")).to_be_visible()
    found = shown.layer_names()
    assert CONV in found
    assert len(found) < page.kernel_eval("len(net.layers)")
    page.page.keyboard.press("Enter")
    shown.wait_shown("layer", found[0])
    page.page.keyboard.press("Control+a")
    page.page.keyboard.type("no such layer")
    expect(shown.root.get_by_text("No layer matches.")).to_be_visible()


def test_hover_reads_the_exact_value(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.choose_layer(CONV)
    shown.enlarge(3)
    for row, column in [(0, 0), (9, 4)]:
        written = value_of(shown.hover("map", row, column))
        torch_says = page.kernel_eval(
            f"net.activations(images[0], [{CONV!r}])[{CONV!r}][0, 3, {row}, {column}].item()"
        )
        assert np.float32(written) == np.float32(torch_says)
    for row, column in [(3, 3), (14, 14), (20, 10)]:
        value = page.kernel_eval(f"int(images[0][{row}, {column}])")
        assert f": grey {value};" in shown.hover("input", row, column)


def test_receptive_fields_both_ways(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.choose_layer(CONV)
    shown.enlarge(1)
    shown.hover("map", 5, 7)
    assert shown.field("input") == page.kernel_eval(f"tuple(net.layer({CONV!r}).field(5, 7))")
    shown.hover("input", 12, 2)
    assert shown.field("map") == page.kernel_eval(f"tuple(net.layer({CONV!r}).seen_by(12, 2))")


def test_the_receipt_equals_torch(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.choose_layer(CONV)
    shown.enlarge(2)
    shown.hover("map", 4, 6, click=True)
    expect(shown.receipt.locator("[data-equal]")).to_have_attribute("data-equal", "true")
    assert page.kernel_eval("tuple(browser.unit)") == (4, 6)

    torch_says = page.kernel_eval(
        f"net.activations(images[0], [{CONV!r}])[{CONV!r}][0, 2, 4, 6].item()"
    )
    result = shown.receipt.locator("footer b").inner_text()
    assert value_of(result) == pytest.approx(torch_says, rel=1e-5)
    assert shown.receipt.locator("[data-channel]").count() > 1

    shown.receipt.get_by_role("button", name=re.compile("copy", re.IGNORECASE)).click()
    code = page.page.evaluate("() => navigator.clipboard.readText()")
    given = "dict(net=net, image=images[0])"
    copied = page.kernel_eval(f"(lambda n: exec({code!r}, n) or n['result'].item())({given})")
    assert copied == pytest.approx(torch_says, rel=1e-5)


def test_a_receipt_leaves_the_large_map_where_it_is(shown: LayerBrowser) -> None:
    shown.choose_layer(CONV)
    shown.enlarge(2)
    canvas = shown.view("map").locator("canvas")
    before = canvas.bounding_box()
    assert before
    assert before["width"] >= 300
    shown.hover("map", 4, 6, click=True)
    expect(shown.receipt.locator("[data-equal]")).to_be_in_viewport(ratio=1)
    expect(shown.receipt.locator("footer b")).to_be_in_viewport(ratio=1)
    assert canvas.bounding_box() == before


def test_a_receipt_comes_into_view_in_a_narrow_column(shown: LayerBrowser) -> None:
    shown.choose_layer(CONV)
    shown.set_width(480)
    shown.enlarge(2)
    shown.hover("map", 4, 6, click=True)
    expect(shown.receipt.locator("[data-equal]")).to_be_in_viewport(ratio=1)
    expect(shown.receipt.get_by_role("heading")).to_be_in_viewport(ratio=1)
    shown.receipt.get_by_role("button", name="Close").click()
    expect(shown.view("map").locator("canvas")).to_be_in_viewport()


@pytest.mark.parametrize("comparing", [False, True])
def test_the_last_line_is_in_view_in_a_narrow_column(
    shown: LayerBrowser, *, comparing: bool
) -> None:
    shown.choose_layer(CONV)
    shown.set_width(480)
    if comparing:
        shown.root.get_by_role("button", name="Compare").click()
        shown.show_choice(5)
    expect(shown.panel.locator(".cnnw-lb-readout")).to_be_in_viewport(ratio=1)


def test_colour_ranges(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.choose_layer(CONV)
    shown.enlarge(0)
    widths = []
    for option, trait in [("channel", "channel"), ("layer", "layer"), ("network", "network")]:
        list_ = shown.panel.get_by_role("combobox", name="Colours")
        labels = list_.locator("option").all_inner_texts()
        shown.select("Colours", next(label for label in labels if option in label))
        assert page.kernel_eval("browser.color_range") == trait
        low, *_, high = shown.legend_range()
        assert value_of(low) == -value_of(high)  # zero is in the middle of the colours
        widths.append(value_of(high))
    assert widths == sorted(widths)
    maps = f"net.activations(images[0], [{CONV!r}])[{CONV!r}]"
    assert widths[0] == pytest.approx(
        page.kernel_eval(f"{maps}[0, 0].abs().max().item()"), rel=1e-3
    )
    assert widths[1] == pytest.approx(page.kernel_eval(f"{maps}.abs().max().item()"), rel=1e-3)


def test_the_keys(page: NotebookPage, shown: LayerBrowser) -> None:
    names = page.kernel_eval("[layer.name for layer in net.layers]")
    press = page.page.keyboard.press
    shown.choose_layer(names[0])
    shown.root.focus()
    press("ArrowRight")
    press("ArrowRight")
    shown.wait_shown("channel", 2)
    press("PageDown")
    shown.wait_shown("layer", names[1])
    press("PageUp")
    shown.wait_shown("layer", names[0])
    press("Enter")
    expect(shown.view("map").get_by_role("application")).to_be_focused()
    press("ArrowDown")
    press("ArrowDown")
    press("Enter")
    expect(shown.receipt).to_be_visible()
    row, column = page.kernel_eval("net.layers[0].output_shape[1:]")
    assert page.kernel_eval("tuple(browser.unit)") == (row // 2 + 1, column // 2)
    press("Escape")
    press("Escape")
    expect(shown.tile(2)).to_be_focused()
    press("?")
    expect(shown.root.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(shown.root.get_by_role("dialog")).to_be_hidden()
    press("x")  # cuts the cell where the host's own keys are not held off
    press("x")
    shown.wait_state()


def test_two_views_go_in_step(open_notebook: OpenNotebook) -> None:
    page = open_notebook(FASHION, "browser")
    page.run_all()
    one, other = LayerBrowser(page), LayerBrowser(page, 1)
    one.wait_state()
    other.wait_state()
    one.choose_layer(CONV)
    other.wait_shown("layer", CONV)
    other.tile(4).click()
    one.wait_shown("channel", 4)
