"""From a patch moved to its bars painted, in a real browser on a real JupyterLab.

Beside it, in the same page and kernel: one incremental pass, and a bare message to the kernel and
back, which is what Jupyter itself takes.
"""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks._table import Figure, report
from tests.e2e.browser import Browser
from tests.e2e.notebook_page import NotebookPage
from tests.e2e.occlusion_slider import OcclusionSlider
from tests.e2e.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

MOVES = 40
SAMPLES = {"ImageNet, 224²": "imagenet", "Fashion, 28²": "fashion"}

SETUP = """
import time
import anywidget
import cnnwidgets as cw

net, images, *_ = cw.samples.{sample}()
slider = cw.OcclusionSlider(net, images[0])
row, column = slider.row, slider.column

def pass_ms():
    probe, times = cw.OcclusionProbe(net, images[0]), []
    for step in range({moves}):
        start = time.perf_counter()
        probe.at(row - step % 7, column + step % 5, slider.window)
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[len(times) // 2]

class Echo(anywidget.AnyWidget):
    _esm = "export default {{ render({{ model }}) {{ globalThis.echo = model; }} }}"

    def __init__(self):
        super().__init__()
        self.on_msg(lambda _, content, buffers: self.send(content))

Echo()
"""

PROBES = """
globalThis.rest = (ms) => new Promise((done) => setTimeout(done, ms));

globalThis.echoes = async (count) => {
  const times = [];
  let answered;
  const listen = () => answered();
  globalThis.echo.on("msg:custom", listen);
  for (let i = 0; i < count; i++) {
    await rest(60);
    const start = performance.now();
    const back = new Promise((done) => { answered = done; });
    globalThis.echo.send({ i });
    await back;
    times.push(performance.now() - start);
  }
  globalThis.echo.off("msg:custom", listen);
  return times;
};

// Puts the pointer down on the patch; returns what drags it to a place, and where it then is.
globalThis.grab = () => {
  const root = document.querySelector(".cnnw-os");
  const stage = root.querySelector("[role=application]");
  const { width: pixels } = stage.querySelector("canvas");
  const { left, top, width } = stage.getBoundingClientRect();
  const scale = width / pixels;
  const from = [Number(root.dataset.row), Number(root.dataset.column)];
  stage.setPointerCapture = () => {};
  const fire = (type, row, column) => stage.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, button: 0,
    clientX: left + (column + 1.5) * scale, clientY: top + (row + 1.5) * scale }));
  fire("pointerdown", ...from);
  globalThis.middle ??= from;
  const reach = Math.floor(pixels / 3);
  const at = (i) => middle.map((start, axis) =>
    start + Math.round(reach * Math.sin((i + 1) / (axis + 4))));
  return { at, to: (place) => fire("pointermove", ...place), drop: () => fire("pointerup", ...from),
    shown: () => `${root.dataset.row},${root.dataset.column}` };
};

// One move, its answer, a rest, the next.
globalThis.moves = async (count) => {
  const patch = grab();
  const times = [];
  for (let i = 0; i < count; i++) {
    await rest(60);
    const place = patch.at(i);
    if (patch.shown() === `${place}`) continue;
    const start = performance.now();
    patch.to(place);
    while (patch.shown() !== `${place}`) await new Promise(requestAnimationFrame);
    times.push(performance.now() - start);
  }
  patch.drop();
  return times;
};

// A drag without a rest: how old each of the places is when its bars are painted.
globalThis.drag = async (count) => {
  const patch = grab();
  const moved = new Map();
  const times = [];
  let [last, before] = [patch.shown(), ""];
  for (let i = 0; i < 3 * count; i++) {
    const place = patch.at(i / 6);
    if (before !== `${place}`) moved.set(`${place}`, performance.now());
    before = `${place}`;
    patch.to(place);
    await new Promise(requestAnimationFrame);
    const now = patch.shown();
    if (now !== last && moved.has(now)) times.push(performance.now() - moved.get(now));
    last = now;
  }
  patch.drop();
  return times;
};
"""


def measure(context: BrowserContext, server: Server, name: str, sample: str) -> list[Figure]:
    """Measure one sample network."""
    setup = SETUP.format(sample=sample, moves=MOVES)
    page = NotebookPage(context, server, server.write(setup, "slider"))
    page.run_all()
    OcclusionSlider(page).wait_state()
    page.page.evaluate(f"() => {{ {PROBES} }}")
    times: dict[str, Any] = {}
    for what in ("moves", "echoes", "drag"):
        page.page.wait_for_timeout(1000)
        times[what] = median(page.page.evaluate(f"(count) => {what}(count)", MOVES))
    one = page.kernel_eval("pass_ms()")
    page.close()
    print(f"{name}: a bare message and back {times['echoes']:.0f} ms, one pass {one:.1f} ms")
    return [
        Figure(f"{name}: patch moved → bars painted", times["moves"], 120, "ms"),
        Figure(f"{name}: the same beyond one pass", times["moves"] - one, 60, "ms"),
        Figure(f"{name}: while dragging, age of the bars", times["drag"], 120, "ms"),
    ]


def main() -> int:
    """Measure everything and print it."""
    figures: list[Figure] = []
    with Server("lab") as server, Browser() as browser:
        context = browser.context()
        for name, sample in SAMPLES.items():
            figures += measure(context, server, name, sample)
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
