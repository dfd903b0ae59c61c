"""The GradientAscentViewer as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.widget_view import WidgetView

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ROOT = "section.cnnw-ga"

FASHION = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
viewer = cw.GradientAscentViewer(net, "class:Trouser", steps=64)
viewer
"""

SLOW = """
import time
batch = viewer._batch

def slowly(*args):
    time.sleep(0.01)
    batch(*args)

viewer._batch = slowly
viewer.steps = 2048
begin = viewer._anew

def patiently():
    climb = begin()
    climb._begin["patience"] = None
    return climb

viewer._anew = patiently
"""
"""A cell that gives tests time: it ends after 2,048 slow steps, not where the score is flat."""


class GradientAscentViewer(WidgetView):
    """One view of the widget on a page."""

    ROOT = ROOT

    @property
    def step(self) -> int:
        """The step that is looked at."""
        return int(self.root.get_attribute("data-step") or -1)

    @property
    def curves(self) -> Locator:
        """The curves, which are a scrub bar as well."""
        return self.root.get_by_role("slider", name="Step, on the curves")

    @property
    def bar(self) -> Locator:
        """The scrub bar."""
        return self.root.get_by_role("slider", name="Step", exact=True)

    def panel(self, index: int = 0) -> Locator:
        """Return one of the pictures, with its words."""
        return self.root.locator(f'[data-panel="{index}"]')

    def wait_step(self, step: int) -> None:
        """Wait until the pictures are those of a step."""
        self.root.locator(f'[data-panel="0"][data-step="{step}"]').wait_for()

    def wait_climbing(self, step: int) -> None:
        """Wait until it has come to a step, or further."""
        self.page.wait_until(
            "([root, step]) => Number(root.dataset.step) >= step",
            [self.root.element_handle(), step],
            seconds=60,
        )

    def choose_class(self, query: str) -> None:
        """Search for a class and take the first one found."""
        self.root.locator("summary", has_text="Class: ").click()
        field = self.root.get_by_role("searchbox", name="Search classes")
        field.fill(query)
        field.press("Enter")
        field.press("Escape")  # what was searched for
        field.press("Escape")  # the panel
        expect(field).to_have_count(0)

    def choose_unit(self, layer: str, channel: int) -> None:
        """Search for a layer and click one of its channels."""
        self.root.locator("summary", has_text="Unit: ").click()
        field = self.root.get_by_role("searchbox", name="Search layers")
        field.fill(layer)
        field.press("Enter")
        self.root.get_by_role("gridcell", name=str(channel), exact=True).click()
        self.page.page.keyboard.press("Escape")
        expect(field).to_have_count(0)

    def start(self) -> None:
        """Run it."""
        self.button("Run").click()
        self.wait_state("running")

    def run(self) -> None:
        """Run it, to its end."""
        before = self.root.get_attribute("data-generation")
        self.button("Run").click()
        self.wait_with(f'[data-state="ended"]:not([data-generation="{before}"])', seconds=60)

    def look(self, step: int) -> None:
        """Go to a step with the bar, and wait for its pictures."""
        self.bar.fill(str(step))
        self.wait_step(step)

    def drag(self, slider: Locator, *shares: float) -> None:
        """Drag through shares of a slider's length."""
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box, "the slider is not on screen"
        mouse, y = self.page.page.mouse, box["y"] + box["height"] / 2
        mouse.move(box["x"] + shares[0] * box["width"], y)
        mouse.down()
        for share in shares[1:]:
            mouse.move(box["x"] + share * box["width"], y, steps=5)
        mouse.up()

    def score(self, panel: int = 0) -> float:
        """Return the score of a picture, unrounded."""
        return float(self.panel(panel).get_attribute("data-score") or "nan")

    def reading(self) -> list[float]:
        """Read step, score and gradient norm under the curves."""
        said = self.curves.locator("output").inner_text()
        names = ("step", "score", "gradient norm")
        return [number(said.partition(f"{name} ")[2]) for name in names]  # then since when

    def answers(self, panel: int = 0) -> list[tuple[str, float]]:
        """Read what the network says of a picture, and what it would say next."""
        line = self.panel(panel).get_by_text(re.compile("^network: ")).inner_text()
        said = re.fullmatch(r"network: (.+)\s([<\d].*)\s%, then (.+)\s([<\d].*)\s%", line)
        assert said, line
        name, share, other, rest = said.groups()
        return [(name, number(share) / 100), (other, number(rest) / 100)]

    def pixels(self, panel: int = 0) -> list[list[int]]:
        """Return the brightness of the pixels of a picture, by row."""
        return self.panel(panel).locator("canvas").evaluate(PIXELS)  # type: ignore[no-any-return]


PIXELS = """canvas => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    return Array.from({ length: height }, (_, row) =>
        Array.from({ length: width }, (_, column) => data[4 * (row * width + column)]));
}"""


def number(text: str) -> float:
    """Return the number that a text begins with; the minus sign on screen is U+2212."""
    plain = text.strip("< ").replace("\N{MINUS SIGN}", "-").replace(",", "")
    found = re.match(r"-?[\d.]+(e-?\d+)?", plain)
    assert found, text
    return float(found.group())
