"""The GradientAscentViewer as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.browser import Page

ROOT = "section.cnnw-ga"

FASHION = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
viewer = cw.GradientAscentViewer(net, "class:Trouser", steps=64)
viewer
"""


class GradientAscentViewer:
    """One view of the widget on a page.

    Parameters
    ----------
    page
        The page that shows it.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locate(ROOT)

    def wait_state(self, state: str, *, seconds: float = 60) -> None:
        """Wait until the widget says that it is in that state."""
        self.page.locate(f'{ROOT}[data-state="{state}"]').wait_for(timeout=seconds * 1000)

    def wait_step(self, step: int, panel: int = 0) -> None:
        """Wait until a picture is that of a step."""
        self.root.locator(f'[data-panel="{panel}"][data-step="{step}"]').wait_for()

    def wait_climbing(self, step: int) -> None:
        """Wait until it has come to a step, or further."""
        self.page.wait_until(
            f"(step) => Number(document.querySelector('{ROOT}').dataset.step) >= step", step
        )

    def button(self, name: str) -> Locator:
        """Return one of its buttons."""
        return self.root.get_by_role("button", name=name, exact=True)

    def run(self) -> None:
        """Run it, to its end."""
        self.button("Run").click()
        self.wait_state("running")
        self.wait_state("ended")

    def look(self, step: int) -> None:
        """Go to a step with the bar."""
        self.root.get_by_role("slider", name="Step", exact=True).fill(str(step))

    def select(self, label: str, option: str) -> None:
        """Choose from one of the drop-down lists."""
        self.root.get_by_role("combobox", name=label, exact=True).select_option(label=option)

    def number(self, name: str, panel: int = 0) -> float:
        """Return a number that a picture carries: "score", "step"."""
        found = self.root.locator(f'[data-panel="{panel}"]').get_attribute(f"data-{name}")
        return float(found or "nan")

    def pixels(self, panel: int = 0) -> list[list[int]]:
        """Return the brightness of the pixels of a picture, by row."""
        return self.root.locator(f'[data-panel="{panel}"] canvas').evaluate(  # type: ignore[no-any-return]
            """canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                return Array.from({ length: height }, (_, row) =>
                    Array.from({ length: width }, (_, column) => data[4 * (row * width + column)]));
            }"""
        )
