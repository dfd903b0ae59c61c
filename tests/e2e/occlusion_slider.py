"""The OcclusionSlider as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


class OcclusionSlider:
    """One view of the widget on a page.

    Parameters
    ----------
    page
        The page that shows it.
    index
        Which of several views.
    """

    def __init__(self, page: Page, index: int = 0) -> None:
        self.page = page
        self.root = page.locate(ROOT).nth(index)
        self.stage = self.root.get_by_role("application")
        self.map = self.root.locator('[data-view="map"]')

    def wait_state(self, state: str = "ready", *, seconds: float = 30) -> None:
        """Wait until the widget says that it is in that state."""
        found = self.page.locate(f'{ROOT}[data-state="{state}"]').and_(self.root)
        found.wait_for(timeout=seconds * 1000)

    def wait_answered(self, row: int, column: int, *, seconds: float = 10) -> None:
        """Wait until the bars are of the patch at that place."""
        place = f'[data-row="{row}"][data-column="{column}"]'
        self.page.locate(ROOT + place).and_(self.root).wait_for(timeout=seconds * 1000)

    def wait_done(self, places: int, *, seconds: float = 30) -> None:
        """Wait until the map has that many places, and no sweep runs."""
        found = self.page.locate(f'{ROOT}[data-done="{places}"]').and_(self.root)
        found.wait_for(timeout=seconds * 1000)
        self.button("Run sweep").wait_for()

    def point(self, row: float, column: float) -> tuple[float, float]:
        """Return where a pixel of the picture is on the page."""
        self.stage.scroll_into_view_if_needed()
        box = self.stage.bounding_box()
        assert box, "the picture is not on screen"
        canvas = self.stage.locator("canvas").first
        height, width = canvas.evaluate("canvas => [canvas.height, canvas.width]")
        return (
            box["x"] + (column + 0.5) / width * box["width"],
            box["y"] + (row + 0.5) / height * box["height"],
        )

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

    def button(self, name: str) -> Locator:
        """Return one of its buttons."""
        return self.root.get_by_role("button", name=name, exact=True)

    def select(self, label: str, option: str) -> None:
        """Choose from one of the drop-down lists."""
        self.root.get_by_role("combobox", name=label, exact=True).select_option(label=option)

    def slide(self, label: str, value: int) -> None:
        """Move one of the sliders."""
        self.root.get_by_role("slider", name=label).fill(str(value))
