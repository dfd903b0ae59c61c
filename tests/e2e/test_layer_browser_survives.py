"""What a notebook goes through: restarts, reloads, failures, NaN, thousands of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.layer_browser import FASHION, ROOT, LayerBrowser

if TYPE_CHECKING:
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage

MODULES = "import cnnwidgets as cw, numpy as np, torch\nfrom torch import nn\n"
PICTURE = "np.arange(32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8)"


def opened(open_notebook: OpenNotebook, *cells: str) -> tuple[NotebookPage, LayerBrowser]:
    page = open_notebook(*cells)
    page.run_all()
    shown = LayerBrowser(page)
    shown.wait_state()
    return page, shown


def test_reload_of_the_page(open_notebook: OpenNotebook) -> None:
    listen = "said = []\nbrowser.on_msg(lambda _, content, __: said.append(content['kind']))"
    page, shown = opened(open_notebook, FASHION, listen)
    shown.choose_layer("block2.conv1")
    shown.tile(5).click()
    shown.wait_shown("channel", 5)
    page.command("docmanager:save")
    page.reload()
    shown.wait_state()
    shown.wait_shown("layer", "block2.conv1")
    shown.wait_shown("channel", 5)
    shown.choose_layer("block1.conv1")
    shown.wait_painted(shown.tile(0).locator("canvas"))
    assert page.kernel_eval("said.count('bye')") == 1  # by the page before
    assert page.kernel_eval("len(browser._pages)") == 1
    assert page.kernel_eval("browser._slots.passes.held") > 0
    page.clear_outputs()
    expect(page.locate(ROOT)).to_have_count(0)
    assert page.kernel_eval("browser._slots.passes.held") == 0


def test_restart_of_the_kernel(open_notebook: OpenNotebook) -> None:
    page, shown = opened(open_notebook, FASHION)
    shown.choose_layer("block1.conv1")
    shown.enlarge(1)
    before = shown.hover("map", 3, 3)
    page.restart_kernel()
    shown.wait_state("gone")
    expect(shown.root.get_by_text("run the cell again")).to_be_visible()
    assert shown.hover("map", 2, 2) != before
    assert shown.hover("map", 3, 3) == before
    page.run_cell(0)
    shown.wait_state()
    shown.choose_layer("block2.conv1")


def test_cell_run_twice_and_output_cleared(open_notebook: OpenNotebook) -> None:
    page, shown = opened(open_notebook, FASHION, "browser")
    page.clear_outputs()
    expect(page.locate(ROOT)).to_have_count(0)
    page.run_cell(0)
    page.run_cell(0)
    expect(page.locate(ROOT)).to_have_count(1)
    shown.wait_state()
    page.clear_outputs()
    page.kernel_eval("setattr(browser, 'layer', 'block2.conv1')")
    page.run_cell(1)
    shown.wait_shown("layer", "block2.conv1")
    shown.wait_state()


def test_html_in_names_is_text(open_notebook: OpenNotebook) -> None:
    evil = "<img src=x onerror=window.hacked=1>"
    page, shown = opened(
        open_notebook,
        f"""{MODULES}
evil = {evil!r}
model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 900, 3))
net = cw.Network(model, classes=[evil, "<b>two</b>", "&amp;"], input_size=32)
cw.LayerBrowser(net, {PICTURE}, images={{evil: {PICTURE}}})
""",
    )
    expect(shown.root.get_by_text(evil).first).to_be_visible()
    expect(shown.root.get_by_text("<b>two</b>").first).to_be_visible()
    assert shown.root.locator("img").count() == 0
    assert page.page.evaluate("() => window.hacked") is None


def test_a_model_that_fails(open_notebook: OpenNotebook) -> None:
    page = open_notebook(
        f"""{MODULES}
model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(5, 2, 3))
cw.LayerBrowser(cw.Network(model, input_size=32), {PICTURE})
"""
    )
    page.run_all()
    shown = LayerBrowser(page)
    shown.root.wait_for()
    failed = shown.tree.locator("[data-error]")
    expect(failed).to_have_attribute("data-layer", "2")
    failed.click()
    expect(shown.panel.get_by_role("alert")).to_contain_text("The model failed here")
    shown.choose_layer("0")
    shown.wait_painted(shown.tile(0).locator("canvas"))


def test_values_that_are_not_numbers(open_notebook: OpenNotebook) -> None:
    page, shown = opened(
        open_notebook,
        f"""{MODULES}
model = nn.Sequential(nn.Conv2d(3, 4, 3))
with torch.no_grad():
    model[0].bias[:2] = torch.tensor([float("nan"), float("inf")])
cw.LayerBrowser(cw.Network(model, input_size=32), {PICTURE})
""",
    )
    expect(shown.legend.get_by_text("not a number")).to_be_visible()
    for channel, written in enumerate(["NaN", "∞"]):
        shown.enlarge(channel, colors=1)  # no value of it is a number
        assert shown.hover("map", 2, 3).endswith(f": {written}")
        page.page.keyboard.press("Escape")


def test_two_thousand_channels(open_notebook: OpenNotebook) -> None:
    page, shown = opened(
        open_notebook,
        f"""{MODULES}
model = nn.Sequential(nn.Conv2d(3, 2048, 3, stride=2))
cw.LayerBrowser(cw.Network(model, input_size=32), {PICTURE})
""",
    )
    assert shown.grid.get_by_role("gridcell").count() < 500
    shown.grid.focus()
    page.page.keyboard.press("End")
    shown.wait_shown("channel", 2047)
    shown.wait_painted(shown.tile(2047).locator("canvas"))


SLOW = f"""{MODULES}
import time

class Slow(nn.Module):
    seconds = 0.0

    def forward(self, x):
        time.sleep(Slow.seconds)
        return x

model = nn.Sequential(nn.Conv2d(3, 8, 3), *(Slow() for _ in range(60)), nn.Conv2d(8, 4, 3))
browser = cw.LayerBrowser(cw.Network(model, input_size=32), {PICTURE})
browser
"""


def test_interrupt_while_it_computes(open_notebook: OpenNotebook) -> None:
    page = open_notebook(SLOW, f"Slow.seconds = 0.5\nbrowser.show(255 - {PICTURE})")
    page.run_cell(0)
    shown = LayerBrowser(page)
    shown.wait_state()
    page.run_cell(1, wait=False)
    page.wait_until("() => cnnwDriver.kernel().status === 'busy'")
    page.page.wait_for_timeout(1500)
    page.interrupt()
    page.wait_idle(seconds=10)  # the whole pass would take 30 seconds
    page.forgive("KeyboardInterrupt")
    page.kernel_eval("setattr(Slow, 'seconds', 0.0)")
    shown.wait_state()
    shown.choose_layer("61")
    shown.wait_painted(shown.tile(0).locator("canvas"))
