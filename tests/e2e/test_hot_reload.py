"""While somebody works on the front-end, a rebuilt file shows in the live widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.layer_browser import FASHION, LayerBrowser

if TYPE_CHECKING:
    from tests.e2e.conftest import OpenNotebook

# In a copy, so that nobody else gets the changed file.
PREPARE = """
import os, shutil
from pathlib import Path
from cnnwidgets.widgets import bundles
os.environ["ANYWIDGET_HMR"] = "1"
bundles.STATIC = Path(shutil.copytree(bundles.STATIC, Path("static").absolute()))
"""

REBUILD = """
script, style = (bundles.STATIC / f"layer_browser.{kind}" for kind in ("js", "css"))
script.write_text(script.read_text().replace("Search layers", "Rebuilt"))
style.write_text(style.read_text() + ".cnnw-lb { outline-style: dotted }")
"""


def test_a_rebuilt_front_end_shows_in_the_live_widget(open_notebook: OpenNotebook) -> None:
    page = open_notebook(PREPARE + FASHION, REBUILD, fresh=True)
    page.run_cell(0)
    shown = LayerBrowser(page)
    shown.wait_state()
    shown.choose_layer("block1.conv2")
    page.run_cell(1)
    shown.root.get_by_placeholder("Rebuilt").wait_for()
    page.wait_until(
        "() => getComputedStyle(document.querySelector('.cnnw-lb')).outlineStyle === 'dotted'"
    )
    shown.wait_shown("layer", "block1.conv2")
    shown.choose_layer("block2.conv1")
    shown.wait_painted(shown.tile(0).locator("canvas"))
