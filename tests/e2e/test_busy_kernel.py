"""While a cell loops, the widget is answered at once where ipykernel allows it, else says so."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.ipykernels import ipykernel
from tests.e2e.layer_browser import FASHION, LayerBrowser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage

    Looping = Callable[[str, int], tuple[NotebookPage, LayerBrowser]]

LOOP = """
import time
browser.channel = 1  # the running cell has sent on the widget's comm
print("looping")
for _ in range({seconds} * 10):
    time.sleep(0.1)
    if browser.layer == "block2.conv1":
        print("noticed")
        break
"""

OUTPUT = ".jp-OutputArea-output"
ANSWERS_LATE = "6.31.0"
ANSWERS_MEANWHILE = [
    "7.3.0",
    pytest.param(
        "7.4.0",
        marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="needs Python 3.11"),
    ),
]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path | None]:
    return cache(lambda version: ipykernel(version, tmp_path_factory.mktemp("ipykernel")))


@pytest.fixture
def looping(open_notebook: OpenNotebook, packages: Callable[[str], Path | None]) -> Looping:
    """Show the widget under that ipykernel, and start a cell that loops for so many seconds."""

    def start(version: str, seconds: int) -> tuple[NotebookPage, LayerBrowser]:
        page = open_notebook(FASHION, LOOP.format(seconds=seconds), packages=packages(version))
        assert page.kernel_eval("__import__('ipykernel').__version__") == version
        page.run_cell(0)
        shown = LayerBrowser(page)
        shown.wait_state()
        page.run_cell(1, wait=False)
        page.wait_for(OUTPUT, has_text="looping")
        return page, shown

    return start


@pytest.mark.parametrize("version", ANSWERS_MEANWHILE)
def test_it_is_answered_while_a_cell_runs(looping: Looping, version: str) -> None:
    page, shown = looping(version, 60)
    shown.choose_layer("block1.conv2")
    shown.wait_painted(shown.tile(0).locator("canvas"))
    assert page.locate(OUTPUT, has_text="noticed").count() == 0
    shown.choose_layer("block2.conv1")
    page.wait_for(OUTPUT, has_text="noticed", seconds=10)
    page.wait_idle(seconds=10)


def test_it_is_answered_when_the_cell_ends(looping: Looping) -> None:
    page, shown = looping(ANSWERS_LATE, 4)
    shown.click_layer("block1.conv2")
    shown.wait_state("busy", seconds=3)
    expect(shown.root.get_by_text("The kernel is running a cell")).to_be_visible()
    page.wait_idle(seconds=10)
    shown.wait_state()
    shown.wait_painted(shown.tile(0).locator("canvas"))
    expect(shown.root.get_by_text("The kernel is running a cell")).to_have_count(0)


def test_the_cell_can_be_interrupted(looping: Looping) -> None:
    page, shown = looping(ANSWERS_LATE, 60)
    shown.click_layer("block1.conv2")
    button = shown.root.get_by_role("button", name="Interrupt the cell")
    button.press("Enter")
    page.wait_for(OUTPUT, has_text="KeyboardInterrupt", seconds=10)
    page.forgive("KeyboardInterrupt")
    shown.wait_state()
    shown.wait_painted(shown.tile(0).locator("canvas"))
    expect(button).to_have_count(0)
    inside = "root => root.contains(document.activeElement)"
    page.wait_until(inside, shown.root.element_handle())
