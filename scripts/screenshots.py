"""Take the pictures of the README from a real JupyterLab: light, dark, and a 480 px column.

Usage: ``make screenshots``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.e2e import layer_browser
from tests.e2e.browser import Browser, Page
from tests.e2e.layer_browser import LayerBrowser
from tests.e2e.notebook_page import NotebookPage
from tests.e2e.occlusion_slider import OcclusionSlider
from tests.e2e.saliency_viewer import SaliencyViewer
from tests.e2e.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LIMIT = 600_000  # bytes

SLIDER = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
slider = cw.OcclusionSlider(net, images[7], window=6, stride=1)
slider
"""
VIEWER = """
import cnnwidgets as cw
net, photographs = cw.samples.imagenet()[:2]
viewer = cw.SaliencyViewer(net, photographs[0], compare=["smoothgrad", "grad_cam"])
viewer
"""


def shoot(page: Page, root: Locator, name: str) -> None:
    """Save a widget as an optimised PNG."""
    page.page.mouse.move(0, 0)
    page.page.evaluate("() => document.activeElement?.blur()")
    page.page.wait_for_timeout(300)  # transitions
    path = IMAGES / f"{name}.png"
    root.screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        picture.convert("RGB").save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB")
    if size > LIMIT:
        raise ValueError(f"{path.name} has {size:,} bytes; at most {LIMIT:,} are wanted")


def both_themes(page: NotebookPage, root: Locator, name: str) -> None:
    """Save a widget in the light and in the dark theme, and go on in the light one."""
    for theme in ("Dark", "Light"):
        page.set_theme(theme)
        shoot(page, root, f"{name}-{theme.lower()}")


def narrow(page: NotebookPage, root: Locator, name: str) -> None:
    """Save a widget in a narrow column."""
    page.page.set_viewport_size({"width": 1280, "height": 1800})
    root.evaluate("root => { root.parentElement.style.width = '480px'; }")
    page.page.wait_for_timeout(500)
    shoot(page, root, f"{name}-480")


def layers(page: NotebookPage) -> None:
    """Take the LayerBrowser: maps of a layer, and the receipt of a unit."""
    shown = LayerBrowser(page)
    shown.wait_state()
    shown.choose_layer("block1.conv2")
    both_themes(page, shown.root, "layer-browser")
    shown.enlarge(3)
    shown.hover("map", 9, 12, click=True)
    shown.receipt.locator("[data-equal]").wait_for()
    shoot(page, shown.root, "layer-browser-receipt")
    page.page.keyboard.press("Escape")
    shown.root.focus()
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Escape")
    narrow(page, shown.root, "layer-browser")


def occlusion(page: NotebookPage) -> None:
    """Take the OcclusionSlider: a patch that changes the answer, over the map of a sweep."""
    shown = OcclusionSlider(page)
    shown.wait_state()
    page.kernel_eval("slider.run() or slider.wait()")
    page.kernel_eval("slider.set_trait('row', 20) or slider.set_trait('column', 13)")
    shown.wait_answered(20, 13)
    both_themes(page, shown.root, "occlusion-slider")
    narrow(page, shown.root, "occlusion-slider")


def saliency(page: NotebookPage) -> None:
    """Take the SaliencyViewer: three methods on one photograph."""
    shown = SaliencyViewer(page)
    shown.wait_state()
    page.kernel_eval("viewer.run() or viewer.wait()")
    page.page.wait_for_timeout(2000)
    both_themes(page, shown.root, "saliency-viewer")
    narrow(page, shown.root, "saliency-viewer")


SCENES: tuple[tuple[str, Callable[[NotebookPage], None]], ...] = (
    (layer_browser.FASHION, layers),
    (SLIDER, occlusion),
    (VIEWER, saliency),
)


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Server("lab") as server, Browser() as browser:
        for cell, take in SCENES:
            page = NotebookPage(browser.context(), server, server.write(cell))
            page.run_all()
            take(page)
            page.close()


if __name__ == "__main__":
    main()
