"""From `optimizer.step()` to the painted curve, while the cell trains; then scrubbing long runs.

In a real browser on a real JupyterLab. The long runs are three of 10,000 steps of the sample
network, and go on to 20,000 to see whether the page stays as large as it is.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import Figure, report
from tests.e2e.browser import Browser
from tests.e2e.notebook_page import NotebookPage
from tests.e2e.server import Server
from tests.e2e.training_monitor import ROOT, TrainingMonitor

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, CDPSession, WebSocket
    from playwright.sync_api import Page as Tab

SECONDS = 12
STEPS = 10_000
FRAMES = 90

SETUP = """
import time
import numpy as np
import torch
from torch.nn.functional import cross_entropy
import cnnwidgets as cw
from cnnwidgets.samples.fashion_net import FashionNet
from cnnwidgets.training.history import History
from cnnwidgets.training.run import Run
from cnnwidgets.training.table import Table

torch.set_num_threads(1)
images, labels = cw.samples.fashion_training()
x = torch.from_numpy(images[:, None]).float() / 255
y = torch.from_numpy(labels)
stamps = []

def train(model, seconds):
    optimizer = torch.optim.Adam(model.parameters())
    end = time.time() + seconds
    while time.time() < end:
        picked = torch.randint(0, len(x), (32,))
        optimizer.zero_grad()
        cross_entropy(model(x[picked]), y[picked]).backward()
        optimizer.step()
        stamps.append(1000 * time.time())
"""
LIVE = f"""
model = FashionNet()
with cw.watch(model, "live") as run:
    train(model, {SECONDS})
"""
LONG = f"""
keys = list(run.history.keys)
tables = [Table(keys, np.stack(rows)) for rows in zip(*map(run.history.rows, keys))]
runs = [Run(f"run {{i}}", History()) for i in range(3)]

def go_on(first, last):
    for which, one in enumerate(runs):
        for step in range(first, last):
            for curve in ("loss", "learning_rate", "gradient_norm"):
                one.history.add_scalar(curve, step, step / 50, 2 + which + (step % 7) / step)
            if step % 10 == 0:
                one.history.add_table(step, step / 50, tables[step // 10 % len(tables)])

go_on(1, {STEPS} + 1)
monitor = cw.TrainingMonitor(*runs)
monitor
"""

# How far the loss is drawn, and when, in each frame in which it is another step.
WATCH = """([chart]) => {
  globalThis.painted = [];
  const look = () => {
    const to = Number(chart.dataset.to);
    if (to !== painted.at(-1)?.[0]) painted.push([to, performance.timeOrigin + performance.now()]);
    if (chart.isConnected) requestAnimationFrame(look);
  };
  look();
}"""

# Frames a second while the scrub bar is moved as fast as frames come.
SCRUB = """async ([slider, frames]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const last = Number(slider.max);
  const to = (i) => {
    slider.value = Math.round(last * (0.5 + 0.5 * Math.sin(i / 9)));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  };
  for (let i = 0; i < 5; i++) { to(i); await frame(); }
  const start = performance.now();
  for (let i = 0; i < frames; i++) { to(i + 5); await frame(); }
  return 1000 * frames / (performance.now() - start);
}"""


class Wire:
    """Counts what a context's pages are sent of the news of runs."""

    def __init__(self, context: BrowserContext) -> None:
        self.times: list[float] = []
        context.on("page", self._listen)

    def _listen(self, tab: Tab) -> None:
        tab.on("websocket", self._hear)

    def _hear(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._take)

    def _take(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes) and b'"news"' in payload and b'"rows_from"' in payload:
            self.times.append(time.monotonic())

    def a_second(self) -> float:
        """Return how many came in a second, from the first to the last."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])


def megabytes(session: CDPSession) -> float:
    """Return what the page's scripts hold, buffers too, after a collection."""
    session.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = session.send("Runtime.getHeapUsage")
    return float(used["usedSize"] + used.get("backingStorageSize", 0)) / 1e6


def live(page: NotebookPage, wire: Wire) -> list[Figure]:
    """Measure a cell that trains."""
    page.run_cell(0)
    page.run_cell(1, wait=False)
    shown = TrainingMonitor(page)
    shown.wait_state("training")
    page.page.evaluate(WATCH, [shown.chart("loss").element_handle()])
    page.wait_idle()
    shown.wait_state()
    painted = np.array(page.page.evaluate("() => painted"))
    stamps = np.array(page.kernel_eval("stamps"))
    steps = np.arange(int(painted[0, 0]) + 1, int(painted[-1, 0]) + 1)
    ages = painted[np.searchsorted(painted[:, 0], steps), 1] - stamps[steps - 1]
    print(f"{len(stamps)} steps in {SECONDS} s, {len(painted)} times painted")
    return [
        Figure("optimizer.step() → painted curve, median", median(ages), 300, "ms"),
        Figure("the same, 95th percentile", float(np.percentile(ages, 95)), 600, "ms"),
        Figure("updates on the wire", wire.a_second(), 5, "a second"),
    ]


def long(page: NotebookPage) -> list[Figure]:
    """Measure three long runs."""
    page.page.evaluate(f"() => document.querySelector('{ROOT}').scrollIntoView()")
    session = page.page.context.new_cdp_session(page.page)
    before = megabytes(session)
    page.run_cell(2)
    shown = TrainingMonitor(page, 1)
    shown.wait_reaching(STEPS - 10)
    slider = shown.slider.element_handle()
    figures = []
    for tab in ("Curves", "Distributions", "Layers"):
        shown.choose_tab(tab)
        slider.scroll_into_view_if_needed()
        rate = page.page.evaluate(SCRUB, [slider, FRAMES])
        name = f"scrubbing 3 runs of {STEPS:,} steps: {tab.lower()}"
        figures.append(Figure(name, rate, 30, "frames/s", at_least=True))
    shown.choose_tab("Curves")
    shown.button("Follow").click()
    held = []
    for times in (2, 4):  # from twice as many on, what a page keeps of a run is as long as it gets
        page.kernel_eval(f"go_on({times // 2 * STEPS + 1}, {times * STEPS + 1})")
        shown.wait_reaching(times * STEPS - 10)
        held.append(megabytes(session) - before)
    full, later = held
    return [
        *figures,
        Figure(f"page memory for 3 runs of {2 * STEPS:,} steps", full, 60, "MB"),
        Figure("more of it after as many steps again", later - full, 5, "MB"),
    ]


def main() -> int:
    """Measure everything and print it."""
    with Server("lab") as server, Browser() as browser:
        context = browser.context()
        wire = Wire(context)
        page = NotebookPage(context, server, server.write(SETUP, LIVE, LONG))
        figures = [*live(page, wire), *long(page)]
        page.close()
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
