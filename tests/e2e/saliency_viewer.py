"""The SaliencyViewer as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.widget_view import WidgetView, pixel

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ROOT = "section.cnnw-sv"

FASHION = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
viewer = cw.SaliencyViewer(net, images[0], 0)
viewer
"""


class SaliencyViewer(WidgetView):
    """One view of the widget on a page."""

    ROOT = ROOT

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
        self.page.page.mouse.move(*pixel(stage.locator("canvas"), row, column))

    def value(self, identity: str, row: int, column: int) -> float:
        """Read a map's value at a pixel."""
        self.point(identity, row, column)
        reading = self.tile(identity).get_by_text(f"row {row}, column {column}: ")
        reading.wait_for()
        return float(self.tile(identity).get_attribute("data-value") or "nan")

    def number(self, identity: str, name: str) -> float:
        """Return a number that a map carries: "high", "similarity", "done"."""
        return float(self.tile(identity).get_attribute(f"data-{name}") or "nan")

    def run(self) -> None:
        """Compute what is shown, and wait for it."""
        self.button("Run").click()
        self.root.get_by_text("All maps shown are computed.").wait_for(timeout=60_000)

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
