"""The OcclusionSlider as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.widget_view import WidgetView, pixel

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.browser import Page

ROOT = "section.cnnw-os"

FASHION = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
slider = cw.OcclusionSlider(net, images[0], window=8, stride=2)
slider
"""


class OcclusionSlider(WidgetView):
    """One view of the widget on a page."""

    ROOT = ROOT

    def __init__(self, page: Page, index: int = 0) -> None:
        super().__init__(page, index)
        self.stage = self.root.get_by_role("application")
        self.map = self.root.locator('[data-view="map"]')

    def wait_answered(self, row: int, column: int, *, seconds: float = 10) -> None:
        """Wait until the bars are of the patch at that place."""
        self.wait_with(f'[data-row="{row}"][data-column="{column}"]', seconds=seconds)

    def wait_done(self, places: int, *, seconds: float = 30) -> None:
        """Wait until the map has that many places, and no sweep runs."""
        self.wait_with(f'[data-done="{places}"]', seconds=seconds)
        self.button("Run sweep").wait_for()

    def point(self, row: float, column: float) -> tuple[float, float]:
        """Return where a pixel of the picture is on the page."""
        return pixel(self.stage.locator("canvas").first, row, column)

    def drag(self, start: tuple[int, int], end: tuple[int, int], *, steps: int = 10) -> None:
        """Drag from one pixel of the picture to another."""
        mouse = self.page.page.mouse
        mouse.move(*self.point(*start))
        mouse.down()
        mouse.move(*self.point(*end), steps=steps)
        mouse.up()

    def bar(self, index: int) -> Locator:
        """Return the row of a class."""
        return self.root.locator(f'[data-class="{index}"]')

    def bars(self) -> dict[int, float]:
        """Return class → probability, as the bars hold them."""
        rows = self.root.locator("[data-class]").all()
        return {
            int(row.get_attribute("data-class") or -1): float(
                row.get_attribute("data-probability") or "nan"
            )
            for row in rows
        }
