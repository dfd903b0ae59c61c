"""The LayerBrowser on a VGG16 at 224², in a real browser on a real JupyterLab.

Times run from the call in the kernel, or the click, to the painted maps on the reader's screen;
the plain forward pass that they are held against is measured in the same kernel.
"""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING

from benchmarks._table import Figure, report
from tests.e2e.browser import Browser
from tests.e2e.layer_browser import LayerBrowser
from tests.e2e.notebook_page import NotebookPage
from tests.e2e.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

REPEATS = 5
MEGABYTE = 2**20
FIRST_LAYER = "1.5 × forward + 150 ms"

SETUP = """
import ctypes, gc, os, time
import numpy as np, torch
from PIL import Image
import cnnwidgets as cw
from tests.architectures import vgg16

torch.manual_seed(0)
model = vgg16(width=64, size=224, classes=1000)[0].eval()
net = cw.Network(model, input_size=224)
photographs = [Image.fromarray(photo).convert("RGB") for photo in cw.samples.imagenet()[1]]
pictures = [np.asarray(photo.resize((224, 224))) for photo in photographs]

def forward_ms():
    x = net.prepare(pictures[0])
    times = []
    with torch.inference_mode():
        for _ in range(3):
            start = time.perf_counter()
            model(x)
            times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[1]

def resident():
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)  # else pages that malloc keeps free are counted too
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""

OPEN = "browser = cw.LayerBrowser(net, pictures[0])\nbrowser"

# What JupyterLab needs to show any widget.
EMPTY = """
import anywidget

class Empty(anywidget.AnyWidget):
    _esm = '''export default { render({ el }) {
      const canvas = document.createElement("canvas");
      canvas.className = "bench-empty";
      el.append(canvas);
    } }'''

Empty()
"""

WIDE = """
wide = torch.nn.Sequential(torch.nn.Conv2d(3, 2048, 3, stride=16))
browser = cw.LayerBrowser(cw.Network(wide, input_size=224), pictures[0])
browser
"""

# What is on screen; undefined while any visible tile is not painted. Looking must cost next to
# nothing: the model computes on the same cores. So a few pixels of every eighth tile stand for it.
PROBES = """
globalThis.seen = () => {
  const grid = document.querySelector(".cnnw-lb [role=grid]");
  if (!grid) return undefined;
  const edge = grid.getBoundingClientRect();
  const visible = [...grid.querySelectorAll("canvas")].filter((canvas) => {
    const { top, bottom } = canvas.getBoundingClientRect();
    return bottom > edge.top && top < edge.bottom;
  });
  const waits = ({ style, width }) => style.visibility === "hidden" || !width;
  if (!visible.length || visible.some(waits)) return undefined;
  const samples = visible.filter((_, i) => i % 8 === 0).map((canvas) => {
    const { width, height } = canvas;
    return canvas.getContext("2d").getImageData(0, height >> 1, Math.min(width, 32), 1).data.join();
  });
  return { caption: grid.getAttribute("aria-label"), samples };
};

// Reading pixels costs as much as a core has: look only when something was drawn.
globalThis.draws = 0;
for (const name of ["drawImage", "putImageData"]) {
  const original = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...args) {
    globalThis.draws++;
    return original.apply(this, args);
  };
}

// Milliseconds from the start of `act` until every visible tile shows something else.
globalThis.untilPainted = async (act) => {
  const before = globalThis.seen();
  let looked = globalThis.draws;
  const other = (now) =>
    now.caption !== before?.caption ||
    now.samples.every((sample, i) => sample !== before.samples[i]);
  const start = performance.now();
  act();
  for (;;) {
    await new Promise(requestAnimationFrame);
    const now = looked !== globalThis.draws && globalThis.seen();
    looked = globalThis.draws;
    if (now && other(now)) return performance.now() - start;
    if (performance.now() - start > 60000) throw Error("nothing new was painted in 60 s");
  }
};

globalThis.framesPerSecond = async (each) => {
  const start = performance.now();
  let frames = 0;
  while (performance.now() - start < 3000) {
    each(frames++);
    await new Promise(requestAnimationFrame);
  }
  return (1000 * frames) / (performance.now() - start);
};
"""

SHOW = """(index) => untilPainted(() => cnnwDriver.kernel().requestExecute(
  { code: `browser.show(pictures[${index}])`, silent: true }))"""
RUN_EMPTY = """async () => {
  const start = performance.now();
  cnnwDriver.select(2);
  cnnwDriver.start("notebook:run-cell");
  while (!document.querySelector(".bench-empty")) await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""
RUN = "() => untilPainted(() => { cnnwDriver.select(1); cnnwDriver.start('notebook:run-cell'); })"
CLICK = """(name) => untilPainted(() =>
  document.querySelector(`.cnnw-lb [role=tree] [data-layer="${name}"]`).click())"""
IDLE = "() => framesPerSecond(() => {})"
SCROLL = """() => {
  const grid = document.querySelector(".cnnw-lb [role=grid]");
  return framesPerSecond((frame) => { grid.scrollTop = 30 * frame; });
}"""


def open_page(context: BrowserContext, server: Server, *cells: str) -> NotebookPage:
    """Open a notebook whose first cell has run, with the probes in the page."""
    page = NotebookPage(context, server, server.write(*cells))
    page.run_cell(0)
    page.page.evaluate(f"() => {{ {PROBES} }}")
    return page


def paint_times(page: NotebookPage) -> list[Figure]:
    """Time the first layer of a new widget, of another picture, and the layers after it."""
    browser = LayerBrowser(page)
    page.kernel_eval("forward_ms()")  # the first passes are slower
    empty, opened, shows, forwards = [], [], [], []
    for _ in range(1 + REPEATS):
        page.clear_outputs()
        empty.append(page.page.evaluate(RUN_EMPTY))
        page.wait_idle()
        opened.append(page.page.evaluate(RUN))
        browser.wait_state()
    for index in range(1, 1 + REPEATS):
        forwards.append(page.kernel_eval("forward_ms()"))  # in turn: the machine has moods
        shows.append(page.page.evaluate(SHOW, index))
        browser.wait_state()
    forward = median(forwards)
    limit = 1.5 * forward + 150
    print(f"one plain forward pass of VGG16 at 224²: {forward:.0f} ms")
    print(f"the very first cell run of a kernel, imports included: {opened[0]:.0f} ms")
    print(f"a cell run, without imports: {median(opened[1:]):.0f} ms to the first layer")
    print(f"a cell run that shows an empty widget: {median(empty[1:]):.0f} ms")
    own = [ours - theirs for ours, theirs in zip(opened[1:], empty[1:], strict=True)]
    clicks = []
    names = page.kernel_eval("[x.name for x in net.layers if len(x.output_shape) == 3]")
    for name in names[1:]:
        if browser.tree.locator(f'[data-layer="{name}"]').count():
            clicks.append(page.page.evaluate(CLICK, name))
            browser.wait_state()
    return [
        Figure(
            f"cell run → first layer, beyond an empty widget's ({FIRST_LAYER})",
            median(own),
            limit,
            "ms",
        ),
        Figure(f"show(picture) → first layer ({FIRST_LAYER})", median(shows), limit, "ms"),
        Figure(
            f"next layer of the same picture, median of {len(clicks)}", median(clicks), 150, "ms"
        ),
    ]


def frame_rate(page: NotebookPage) -> Figure:
    """Scroll 2,048 maps against the same page at rest."""
    page.run_cell(1)
    LayerBrowser(page).wait_state()
    idle = page.page.evaluate(IDLE)
    scrolling = page.page.evaluate(SCROLL)
    return Figure(
        "scrolling 2,048 maps (0.9 × at rest)", scrolling, 0.9 * idle, "fps", at_least=True
    )


def memory(page: NotebookPage) -> Figure:
    """Measure what eight more rounds of opening, looking and closing leave behind in the kernel."""
    sizes = []
    for _ in range(10):
        page.run_cell(1)
        LayerBrowser(page).wait_state()
        page.kernel_eval("browser.close()")
        sizes.append(page.kernel_eval("resident()"))
    grown = (sizes[-1] - sizes[1]) / MEGABYTE
    return Figure("kernel memory left by 8 × open, look, close", grown, 50, "MB")


def main() -> int:
    """Measure everything and print it."""
    figures: list[Figure] = []
    with Server("lab") as server, Browser() as browser:
        context = browser.context()
        page = open_page(context, server, SETUP, OPEN, EMPTY)
        figures += paint_times(page)
        figures.append(memory(page))
        page.close()
        page = open_page(context, server, SETUP, WIDE)
        figures.append(frame_rate(page))
        page.close()
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
