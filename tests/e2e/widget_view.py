"""A widget as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.browser import Page


class WidgetView:
    """One view of a widget on a page.

    Parameters
    ----------
    page
        The page that shows it.
    index
        Which of several views.
    """

    ROOT: ClassVar[str]
    """What its outermost element is found by."""

    def __init__(self, page: Page, index: int = 0) -> None:
        self.page = page
        self.root = page.locate(self.ROOT).nth(index)

    def wait_with(self, attributes: str, *, seconds: float = 10) -> None:
        """Wait until the root has attributes, written as in CSS."""
        found = self.page.locate(self.ROOT + attributes).and_(self.root)
        found.wait_for(timeout=seconds * 1000)

    def wait_state(self, state: str = "ready", *, seconds: float = 30) -> None:
        """Wait until the widget says that it is in that state."""
        self.wait_with(f'[data-state="{state}"]', seconds=seconds)

    def set_width(self, pixels: int) -> None:
        """Give the widget a column of that many pixels."""
        self.root.evaluate(
            "(root, width) => { root.parentElement.style.width = `${width}px`; }", pixels
        )

    def button(self, name: str) -> Locator:
        """Return one of its buttons."""
        return self.root.get_by_role("button", name=name, exact=True)

    def select(self, label: str, option: str) -> None:
        """Choose from one of the drop-down lists."""
        self.root.get_by_role("combobox", name=label, exact=True).select_option(label=option)

    def slide(self, label: str, value: float) -> None:
        """Move one of the sliders."""
        self.root.get_by_role("slider", name=label).fill(str(value))


def pixel(canvas: Locator, row: float, column: float) -> tuple[float, float]:
    """Return where the middle of a pixel of a picture is on the page, scrolled into view."""
    canvas.scroll_into_view_if_needed()
    height, width = canvas.evaluate("canvas => [canvas.height, canvas.width]")
    box = canvas.bounding_box()
    assert box, "the picture is not on screen"
    return (
        box["x"] + (column + 0.5) / width * box["width"],
        box["y"] + (row + 0.5) / height * box["height"],
    )
