"""While a cell runs a loop of its own, the widget is answered: ipykernel would queue it behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.layer_browser import FASHION, LayerBrowser

if TYPE_CHECKING:
    from tests.e2e.conftest import OpenNotebook

LOOP = """
import time
browser.channel = 1  # the running cell has sent on the widget's comm
print("looping")
for _ in range(600):
    time.sleep(0.1)
    if browser.layer == "block2.conv1":
        print("noticed")
        break
"""


def test_it_is_answered_while_a_cell_runs(open_notebook: OpenNotebook) -> None:
    page = open_notebook(FASHION, LOOP)
    page.run_cell(0)
    shown = LayerBrowser(page)
    shown.wait_state()
    page.run_cell(1, wait=False)
    page.wait_for(".jp-OutputArea-output", has_text="looping")
    shown.choose_layer("block1.conv2")
    shown.wait_painted(shown.tile(0).locator("canvas"))
    assert page.locate(".jp-OutputArea-output", has_text="noticed").count() == 0
    shown.choose_layer("block2.conv1")
    page.wait_for(".jp-OutputArea-output", has_text="noticed", seconds=10)
    page.wait_idle(seconds=10)
