"""Take the pictures of the README from a real JupyterLab: light, dark, and a 480 px column.

Usage: ``make screenshots``.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.e2e.browser import Browser, Page
from tests.e2e.layer_browser import FASHION, ROOT, LayerBrowser
from tests.e2e.notebook_page import NotebookPage
from tests.e2e.server import Server

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LIMIT = 300_000  # bytes


def shoot(page: Page, name: str) -> None:
    """Save the widget as an optimised PNG."""
    page.page.mouse.move(0, 0)
    page.page.evaluate("() => document.activeElement?.blur()")
    page.page.wait_for_timeout(300)  # transitions
    path = IMAGES / f"{name}.png"
    page.locate(ROOT).screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        picture.convert("RGB").save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB")
    if size > LIMIT:
        raise ValueError(f"{path.name} has {size:,} bytes; at most {LIMIT:,} are wanted")


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Server("lab") as server, Browser() as browser:
        page = NotebookPage(browser.context(), server, server.write(FASHION))
        page.run_all()
        shown = LayerBrowser(page)
        shown.wait_state()
        shown.choose_layer("block1.conv2")
        for theme in ("light", "dark"):
            page.command("apputils:change-theme", theme=f"JupyterLab {theme.title()}")
            shoot(page, f"layer-browser-{theme}")
        page.command("apputils:change-theme", theme="JupyterLab Light")
        shown.enlarge(3)
        shown.hover("map", 9, 12, click=True)
        shown.receipt.locator("[data-equal]").wait_for()
        shoot(page, "layer-browser-receipt")
        page.page.keyboard.press("Escape")
        shown.root.focus()
        page.page.keyboard.press("Escape")
        page.page.keyboard.press("Escape")
        shown.set_width(480)
        shown.wait_painted(shown.tile(0).locator("canvas"))
        shoot(page, "layer-browser-480")
        page.close()


if __name__ == "__main__":
    main()
