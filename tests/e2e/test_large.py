"""What is large stays usable: a network as deep as ResNet-152, a picture of 48 megapixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.layer_browser import LayerBrowser

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage

# The fifty blocks of ResNet-152, each of two convolutions.
DEEP = """
import cnnwidgets as cw, numpy as np
from tests.architectures import ResNet
net = cw.Network(ResNet(4, 10, blocks=(3, 8, 36, 3)), input_size=64)
browser = cw.LayerBrowser(net, np.arange(64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8))
browser
"""


def test_a_network_of_fifty_blocks(open_notebook: OpenNotebook) -> None:
    page = open_notebook(DEEP)
    page.run_all()
    shown = LayerBrowser(page)
    shown.wait_state()
    names = page.kernel_eval("[layer.name for layer in net.layers]")
    assert len(names) > 300
    rows = shown.tree.get_by_role("treeitem")
    assert 20 < rows.count() < 80
    assert len(shown.layer_names()) < 15  # the others are folded into their blocks

    at = names.index("layer3.20.conv2")
    shown.choose_layer(names[at])
    shown.wait_painted(shown.tile(0).locator("canvas"))
    chosen = shown.tree.locator('[aria-selected="true"]')
    expect(chosen).to_have_attribute("data-layer", names[at])
    expect(chosen).to_be_in_viewport()
    shown.root.focus()
    for key, attribute, value in [
        ("PageDown", "layer", names[at + 1]),
        ("ArrowRight", "channel", 1),
        ("PageUp", "layer", names[at]),
    ]:
        page.page.keyboard.press(key)
        shown.wait_shown(attribute, value)
    shown.wait_painted(shown.tile(0).locator("canvas"))
    assert rows.count() < 80


def test_a_picture_of_48_megapixels(page: NotebookPage, tmp_path: Path) -> None:
    file = tmp_path / "huge.jpg"
    grain = np.random.default_rng(0).integers(0, 80, (500, 500), np.uint8)
    pixels = np.tile(grain, (12, 16)) + np.linspace(0, 170, 8000, dtype=np.uint8)
    Image.fromarray(pixels).save(file, quality=30)
    assert file.stat().st_size > 4 * 2**20  # more than one message holds
    shown = LayerBrowser(page)
    shown.wait_state()
    shown.root.locator('input[type="file"]').set_input_files(file)
    card = shown.root.locator('.cnnw-lb-card[data-slot="a"]')
    card.get_by_text(file.name).wait_for()
    shown.wait_state()
    expected = page.kernel_eval(f"[row[1] for row in net.predict({str(file)!r})]")
    assert card.locator(".cnnw-bars [title]").all_inner_texts() == expected
    shown.wait_painted(shown.tile(0).locator("canvas"))
    assert page.kernel_eval("browser._pictures['a']['name']") == file.name
