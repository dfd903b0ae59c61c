"""Pictures: choosing, uploading, comparing, pinning a channel and changing the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.layer_browser import LayerBrowser

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.notebook_page import NotebookPage

LAYER = "block1.conv1"


@pytest.fixture
def shown(page: NotebookPage) -> LayerBrowser:
    browser = LayerBrowser(page)
    browser.wait_state()
    browser.choose_layer(LAYER)
    return browser


def predictions(shown: LayerBrowser, slot: str = "a") -> list[str]:
    card = shown.root.locator(f'.cnnw-lb-card[data-slot="{slot}"]')
    return card.locator(".cnnw-bars [title]").all_inner_texts()


def test_choosing_a_picture(page: NotebookPage, shown: LayerBrowser) -> None:
    for index in (3, 1):
        shown.show_choice(index)
        expected = page.kernel_eval(f"[row[1] for row in net.predict(images[{index}])]")
        assert predictions(shown) == expected
        current = shown.root.locator('[data-choice][aria-current="true"]')
        expect(current).to_have_attribute("data-choice", str(index))


def test_show_from_the_kernel(page: NotebookPage, shown: LayerBrowser) -> None:
    page.kernel_eval("browser.show(images[7])")
    expected = page.kernel_eval("[row[1] for row in net.predict(images[7])]")
    bars = shown.root.locator('.cnnw-lb-card[data-slot="a"] .cnnw-bars [title]')
    expect(bars).to_have_text(expected)
    shown.wait_painted(shown.tile(0).locator("canvas"))


def test_uploading_a_picture(page: NotebookPage, shown: LayerBrowser, tmp_path: Path) -> None:
    file = tmp_path / "a <b>bold ramp.png"
    Image.fromarray(np.add.outer(np.arange(90), np.arange(120)).astype(np.uint8)).save(file)
    shown.root.locator('input[type="file"]').set_input_files(file)
    expect(shown.root.get_by_text(file.name).first).to_be_visible()
    shown.wait_state()
    expected = page.kernel_eval(f"[row[1] for row in net.predict({str(file)!r})]")
    assert predictions(shown) == expected

    (tmp_path / "broken.png").write_bytes(b"\x89PNG but not really")
    shown.root.locator('input[type="file"]').set_input_files(tmp_path / "broken.png")
    expect(shown.root.get_by_role("alert")).to_contain_text("broken.png")
    assert predictions(shown) == expected


def test_comparing_two_pictures(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.root.get_by_role("button", name="Compare").click()
    shown.root.locator('[data-choice="5"]').click()
    expect(shown.root.locator('.cnnw-lb-card[data-slot="b"] .cnnw-bars')).to_be_visible()
    shown.wait_state()
    assert predictions(shown, "b") == page.kernel_eval("[r[1] for r in net.predict(images[5])]")

    shown.enlarge(0)
    for slot in ("a", "b"):
        shown.wait_painted(shown.view("map", slot).locator("canvas"))
    expect(shown.legend).to_have_count(1)  # one scale for both
    shown.root.get_by_role("button", name="Compare").click()
    expect(shown.view("map", "b")).to_be_hidden()


def test_pinning_a_channel(page: NotebookPage, shown: LayerBrowser) -> None:
    shown.root.focus()
    page.page.keyboard.press("p")
    pins = shown.root.get_by_role("list", name="Pinned channels")
    expect(pins.locator("canvas")).to_have_count(1)
    shown.show_choice(2)
    expect(pins.locator("canvas")).to_have_count(2)  # as it was, and what it does now
    shown.wait_painted(pins.locator("canvas").last)
    page.page.keyboard.press("PageDown")
    pins.get_by_title("Go to this channel").click()
    shown.wait_shown("layer", LAYER)
    pins.get_by_role("button", name=f"Unpin {LAYER} channel 0").click()
    expect(pins).to_be_hidden()
