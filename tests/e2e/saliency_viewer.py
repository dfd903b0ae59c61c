"""The SaliencyViewer as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.browser import Page

ROOT = "section.cnnw-sv"

FASHION = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
viewer = cw.SaliencyViewer(net, images[0], 0)
viewer
"""


class SaliencyViewer:
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

    def wait_state(self, state: str = "ready", *, seconds: float = 30) -> None:
        """Wait until the widget says that it is in that state."""
        found = self.page.locate(f'{ROOT}[data-state="{state}"]').and_(self.root)
        found.wait_for(timeout=seconds * 1000)

    def tile(self, identity: str) -> Locator:
        """Return a map, named as ``method:class:model``."""
        return self.root.locator(f'[data-id="{identity}"]')

    def wait_map(self, identity: str, state: str = "ready", *, seconds: float = 30) -> Locator:
        """Wait until a map is in a state."""
        found = self.root.locator(f'[data-id="{identity}"][data-state="{state}"]')
        found.wait_for(timeout=seconds * 1000)
        return found

    def point(self, identity: str, row: int, column: int) -> None:
        """Put the pointer on a pixel of a map."""
        stage = self.tile(identity).get_by_role("application")
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        assert box, "the map is not on screen"
        canvas = stage.locator("canvas")
        height, width = canvas.evaluate("canvas => [canvas.height, canvas.width]")
        self.page.page.mouse.move(
            box["x"] + (column + 0.5) / width * box["width"],
            box["y"] + (row + 0.5) / height * box["height"],
        )

    def value(self, identity: str, row: int, column: int) -> float:
        """Read a map's value at a pixel."""
        self.point(identity, row, column)
        reading = self.tile(identity).get_by_text(f"row {row}, column {column}: ")
        reading.wait_for()
        return float(self.tile(identity).get_attribute("data-value") or "nan")

    def number(self, identity: str, name: str) -> float:
        """Return a number that a map carries: "high", "similarity", "done"."""
        return float(self.tile(identity).get_attribute(f"data-{name}") or "nan")

    def button(self, name: str) -> Locator:
        """Return one of its buttons."""
        return self.root.get_by_role("button", name=name, exact=True)

    def run(self) -> None:
        """Compute what is shown, and wait for it."""
        self.button("Run").click()
        self.root.get_by_text("All maps shown are computed.").wait_for(timeout=60_000)

    def select(self, label: str, option: str) -> None:
        """Choose from one of the drop-down lists."""
        self.root.get_by_role("combobox", name=label, exact=True).select_option(label=option)

    def slide(self, label: str, value: float) -> None:
        """Move one of the sliders."""
        self.root.get_by_role("slider", name=label).fill(str(value))

    def choose_class(self, picker: str, query: str) -> None:
        """Search for a class and take the first one found."""
        self.root.locator("summary", has_text=picker).click()
        searched = "classes" if picker == "Class" else "other classes"
        field = self.root.get_by_role("searchbox", name=f"Search {searched}", exact=True)
        field.fill(query)
        field.press("Enter")
        field.press("Escape")
        field.press("Escape")

    def compare(self, *labels: str) -> None:
        """Tick methods to be shown beside the first."""
        summary = self.root.locator("summary", has_text="Compare with")
        summary.click()
        for label in labels:
            self.root.get_by_role("checkbox", name=label, exact=True).check()
        self.page.page.keyboard.press("Escape")

    def set_width(self, pixels: int) -> None:
        """Give the widget so much room."""
        self.root.evaluate(
            "(root, width) => { root.parentElement.style.width = `${width}px`; }", pixels
        )
