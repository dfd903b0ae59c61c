"""What a reader sees: words that stand out in both themes, focus rings, the predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.layer_browser import LayerBrowser

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.notebook_page import NotebookPage

LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")
READABLE = 4.5  # contrast that the Web Content Accessibility Guidelines ask of small text
VISIBLE = 3.0  # and of the parts of a control


@pytest.fixture
def shown(page: NotebookPage) -> LayerBrowser:
    browser = LayerBrowser(page)
    browser.wait_state()
    browser.choose_layer("block1.conv2")
    page.page.evaluate(LOOK)
    return browser


def look(shown: LayerBrowser, what: str) -> Any:
    return shown.root.evaluate(f"(root) => cnnwLook.{what}(root)")


def test_words_stand_out_in_both_themes(page: NotebookPage, shown: LayerBrowser) -> None:
    surfaces, colors = {}, {}
    for theme in ("Dark", "Light"):  # in the end as other tests expect it
        page.set_theme(theme)
        shown.enlarge(3)
        shown.hover("map", 9, 12, click=True)
        shown.receipt.locator("[data-equal]").wait_for()
        cells = [words for words in look(shown, "words") if words[0][-1].isdigit()]
        assert len(cells) > 100
        assert [(text, ratio) for text, ratio, _ in cells if ratio < READABLE] == []
        for _ in range(2):
            page.page.keyboard.press("Escape")
        shown.tile(3).wait_for()
        words = look(shown, "words")
        assert {"Maps", "Mean", "T-shirt/top"} <= {text for text, _, _ in words}
        assert [(text, ratio) for text, ratio, _ in words if ratio < READABLE] == []
        surfaces[theme] = sum(look(shown, "surface")) / 3
        colors[theme] = {color for _, _, color in words}
    assert surfaces["Dark"] < 60
    assert surfaces["Light"] > 200
    assert colors["Dark"].isdisjoint(colors["Light"])

    assert look(shown, "moving") > 0
    page.page.emulate_media(reduced_motion="reduce")
    assert look(shown, "moving") == 0


def rings(shown: LayerBrowser) -> dict[str, float]:
    """Press Tab through the widget: role → how far the focus ring stands out, at least."""
    page = shown.page.page
    found: dict[str, float] = {}
    shown.root.focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if not shown.root.evaluate("(root) => root.contains(document.activeElement)"):
            break
        role, contrast = page.evaluate("() => cnnwLook.ring()")
        found[role] = min(contrast, found.get(role, contrast))
    return found


def test_the_focus_and_the_predictions_are_always_seen(shown: LayerBrowser) -> None:
    predictions = shown.root.locator(".cnnw-lb-card .cnnw-bars li")
    expect(predictions).to_have_count(5)
    for width in (None, 480):
        if width:
            shown.set_width(width)
        in_view(predictions)
        found = rings(shown)
        assert {"tab", "gridcell", "button", "select"} <= set(found)
        assert ("treeitem" in found) is (width is None)  # folded away in a narrow column
        assert {role for role, ring in found.items() if ring < VISIBLE} == set()

        shown.enlarge(2)
        in_view(predictions)
        shown.hover("map", 4, 6, click=True)
        expect(shown.receipt.locator("[data-equal]")).to_be_in_viewport()
        in_view(predictions)
        found = rings(shown)
        assert "application" in found
        assert {role for role, ring in found.items() if ring < VISIBLE} == set()
        shown.receipt.get_by_role("button", name="Copy as code").focus()
        shown.page.page.keyboard.press("Tab")
        expect(shown.receipt.get_by_role("button", name="Close")).to_be_focused()
        assert shown.page.page.evaluate("() => cnnwLook.ring()")[1] >= VISIBLE
        for _ in range(2):
            shown.page.page.keyboard.press("Escape")
        shown.grid.wait_for()


def in_view(items: Locator) -> None:
    for item in items.all():
        expect(item).to_be_in_viewport(ratio=1)
