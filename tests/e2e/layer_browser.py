"""The LayerBrowser as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests.e2e.widget_view import WidgetView, pixel

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.browser import Page

ROOT = "section.cnnw-lb"

FASHION = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
browser = cw.LayerBrowser(net, images[0], images=images[:6])
browser
"""

PAINTED = """([canvas, colors]) => {
  const { width, height } = canvas;
  if (!width || !height || canvas.style.visibility === "hidden") return false;
  const { buffer } = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const seen = new Set(new Uint32Array(buffer));
  seen.delete(0);  // transparent: between two maps of a tile
  return seen.size >= colors;
}"""


class Box(NamedTuple):
    """A rectangle on a picture, half-open, in pixels of the picture."""

    top: int
    left: int
    bottom: int
    right: int


class LayerBrowser(WidgetView):
    """One view of the widget on a page."""

    ROOT = ROOT

    def __init__(self, page: Page, index: int = 0) -> None:
        super().__init__(page, index)
        self.tree = self.root.get_by_role("tree", name="Layers")
        self.grid = self.root.get_by_role("grid")
        self.panel = self.root.get_by_role("tabpanel")
        self.legend = self.panel.locator(".cnnw-legend")
        self.receipt = self.root.get_by_role("region", name="Receipt of one unit")

    def wait_shown(self, attribute: str, value: object) -> None:
        """Wait until the root carries ``data-<attribute>`` with that value."""
        self.wait_with(f'[data-{attribute}="{value}"]')

    def layer_names(self) -> list[str]:
        """Return the layers whose rows are in the document (those on screen), top to bottom."""
        rows = self.tree.locator("[data-layer]")
        return [row.get_attribute("data-layer") or "" for row in rows.all()]

    def click_layer(self, name: str) -> None:
        """Find a layer by the search field and click it in the strip."""
        field = self.root.get_by_role("searchbox")
        field.fill(name)
        self.tree.locator(f'[data-layer="{name}"]').click()
        field.fill("")
        self.wait_shown("layer", name)

    def choose_layer(self, name: str) -> None:
        """Find a layer by the search field, click it in the strip and wait for its values."""
        self.click_layer(name)
        self.wait_state()

    def choose_tab(self, name: str) -> None:
        """Click one of Maps, Mean, Filters, Gradients."""
        self.root.get_by_role("tab", name=name).click()
        self.root.get_by_role("tabpanel", name=name).wait_for()
        self.wait_state()

    def tile(self, position: int) -> Locator:
        """Return the tile at a place of the grid."""
        return self.grid.locator(f'[data-at="{position}"]')

    def wait_painted(self, canvas: Locator, *, colors: int = 2) -> None:
        """Wait until a canvas shows that many colours: one of a single colour may be blank."""
        argument = [canvas.element_handle(), colors]
        self.page.page.wait_for_function(PAINTED, arg=argument, timeout=10_000)

    def enlarge(self, channel: int, *, colors: int = 2) -> None:
        """Open the map of a channel; the grid must show it."""
        tile = self.tile(channel)
        layer = self.root.get_attribute("data-layer") or ""
        self.root.get_by_role("grid", name=re.compile(f" of {re.escape(layer)}$")).wait_for()
        self.wait_painted(tile.locator("canvas"), colors=colors)
        tile.click()
        self.view("map").wait_for()
        self.wait_painted(self.view("map").locator("canvas"), colors=colors)

    def view(self, name: str, slot: str = "a") -> Locator:
        """Return the figure of the enlarged ``"map"``, or of the ``"input"`` beside it."""
        return self.panel.locator(f'figure[data-view="{name}"][data-slot="{slot}"]')

    def hover(self, name: str, row: int, column: int, *, click: bool = False) -> str:
        """Point at a pixel of the enlarged map or its input; return what is written under it."""
        figure = self.view(name)
        canvas = figure.locator("canvas")
        x, y = pixel(canvas, row, column)
        self.page.page.mouse.move(x, y)
        if click:
            self.page.page.mouse.click(x, y)
        line = figure.locator("output")
        line.filter(has_text=f"row {row}, column {column}:").wait_for(timeout=5000)
        return line.inner_text()

    def field(self, name: str) -> Box:
        """Return the rectangle that marks a field on the enlarged map or its input."""
        figure = self.view(name)
        canvas = figure.locator("canvas")
        height, width = canvas.evaluate("canvas => [canvas.height, canvas.width]")
        style = figure.locator(".cnnw-field").first.get_attribute("style") or ""
        share = {k: float(v) / 100 for k, v in re.findall(r"(\w+):\s*([\d.]+)%", style)}
        top, left = share["top"] * height, share["left"] * width
        bottom, right = top + share["height"] * height, left + share["width"] * width
        return Box(*(round(edge) for edge in (top, left, bottom, right)))

    def legend_range(self) -> list[str]:
        """Return the ends of the legend, as written."""
        return self.legend.locator("div").first.locator("span").all_inner_texts()

    def select(self, label: str, option: str) -> None:
        """Choose from one of the drop-down lists."""
        self.panel.get_by_role("combobox", name=label).select_option(label=option)
        self.wait_state()

    def show_choice(self, index: int) -> None:
        """Choose one of the offered pictures and wait for it."""
        name = self.root.locator(f'[data-choice="{index}"]').get_attribute("title") or ""
        self.root.locator(f'[data-choice="{index}"]').click()
        self.root.locator(".cnnw-lb-card figcaption", has_text=name).first.wait_for()
        self.wait_state()


def value_of(readout: str) -> float:
    """Return the number at the end of a read-out; the minus sign on screen is U+2212."""
    return float(readout.rpartition(":")[2].strip().replace("\N{MINUS SIGN}", "-"))
