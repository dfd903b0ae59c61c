"""The page that to_html writes: opened from disk, offline, under a strict policy."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.layer_browser import LayerBrowser, value_of
from tests.e2e.server import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.browser import Page

WRITE = """
import sys
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
browser = cw.LayerBrowser(net, images[0], layer="block1.conv1")
browser.to_html(sys.argv[1])
print(net.activations(images[0], ["block1.conv1"])["block1.conv1"][0, 0, 5, 6].item())
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    path = tmp_path_factory.mktemp("export") / "page.html"
    printed = subprocess.check_output(
        [sys.executable, "-c", WRITE, str(path)], cwd=REPOSITORY, text=True
    )
    return path, float(printed.splitlines()[-1])


def test_replays_from_disk(exported: tuple[Path, float], open_file: Callable[[Path], Page]) -> None:
    path, torch_says = exported
    page = open_file(path)
    shown = LayerBrowser(page)
    shown.wait_state("replay")
    policy = page.locate('meta[http-equiv="Content-Security-Policy"]').get_attribute("content")
    assert policy
    assert "default-src 'none'" in policy

    shown.enlarge(0)
    assert value_of(shown.hover("map", 5, 6)) == pytest.approx(torch_says, rel=1e-6)
    shown.root.focus()
    page.page.keyboard.press("Escape")
    shown.tree.locator('[data-layer="block1.conv2"]').click()
    shown.wait_shown("layer", "block1.conv2")
    shown.wait_painted(shown.tile(0).locator("canvas"))
    expect(shown.root.get_by_role("alert")).to_have_count(0)


def test_a_unit_says_that_its_receipt_is_not_in_the_page(
    exported: tuple[Path, float], open_file: Callable[[Path], Page]
) -> None:
    page = open_file(exported[0])
    shown = LayerBrowser(page)
    shown.wait_state("replay")
    shown.enlarge(0)
    shown.hover("map", 5, 6, click=True)
    expect(shown.receipt).to_contain_text("Receipt of row 5, column 6, channel 0")
    said = shown.receipt.get_by_role("status")
    expect(said).to_have_text("This page was saved without this part; open the notebook to see it.")
    expect(shown.receipt).to_have_attribute("data-current", "true")  # else it is dimmed
    said.scroll_into_view_if_needed()
    expect(said).to_be_in_viewport()
    expect(shown.receipt.get_by_role("button")).to_have_text(["Close"])
    shown.receipt.get_by_role("button", name="Close").click()
    expect(shown.receipt).to_have_count(0)


def test_the_policy_forbids_every_address(
    exported: tuple[Path, float], open_file: Callable[[Path], Page]
) -> None:
    page = open_file(exported[0])
    answer = page.page.evaluate(
        "() => fetch('https://example.org/').then(() => 'answered', () => 'refused')"
    )
    assert answer == "refused"
    assert any("Content Security Policy" in problem for problem in page.problems())
    page.forgive("Content Security Policy")
    page.forgive("example.org")
