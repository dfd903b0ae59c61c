"""The TrainingMonitor as a reader meets it: by roles, names and what is written on screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.widget_view import WidgetView

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ROOT = "section.cnnw-tm"

SMALL = """
import time
from collections import OrderedDict
from pathlib import Path
import torch
from torch import nn
import cnnwidgets as cw

torch.set_num_threads(1)
images, labels = cw.samples.fashion_training()
x = torch.from_numpy(images[:512, None]).float() / 255
y = torch.from_numpy(labels[:512])
names = cw.samples.fashion()[0].classes

def network():
    torch.manual_seed(0)
    return cw.Network(nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 6, 5, stride=2), relu1=nn.ReLU(),
        conv2=nn.Conv2d(6, 8, 3, stride=2), relu2=nn.ReLU(),
        flatten=nn.Flatten(), fc=nn.Linear(200, 10),
    )), classes=names, input_size=(1, 28, 28), mean=0.0, std=1.0)

def train(net, optimizer, steps=None, until=None, pause=0.0):
    step = 0
    while step != steps and not (until and Path(until).exists()):
        picked = torch.arange(32 * step, 32 * (step + 1)) % len(x)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net.model(x[picked]), y[picked]).backward()
        optimizer.step()
        step += 1
        time.sleep(pause)

def sgd(net, lr=0.05):
    return torch.optim.SGD(net.model.parameters(), lr)

def row(run, step):
    return min(range(len(run.steps)), key=lambda i: abs(run.steps[i] - step))

def statistics(run, layer, quantity, step):
    found = run.statistics(layer, quantity)
    return [float(getattr(found, name)[row(run, step)]) for name in ("mean", "std", "norm")]

def shares(run, layer, quantity, step, ranges):
    steps, edges, found = run.histograms(layer, quantity)
    cut = lambda value: abs(edges - value).argmin()
    held = [found[row(run, step), cut(low) : cut(high)].sum() for low, high in ranges]
    return dict(zip(ranges, map(float, held)))

def chances(run, step, picture=0):
    return dict(zip(names, run.probed(step).output[picture].softmax(0).tolist()))
"""
"""A first cell: a network that trains in a moment, and what a run has, as numbers."""


class TrainingMonitor(WidgetView):
    """One view of the widget on a page."""

    ROOT = ROOT

    @property
    def timeline(self) -> Locator:
        """The scrub bar with its buttons."""
        return self.root.locator(".cnnw-tm-timeline")

    @property
    def slider(self) -> Locator:
        """What is dragged along the recorded steps."""
        return self.timeline.get_by_role("slider", name="Recorded step")

    @property
    def step(self) -> int:
        """The chosen step."""
        return int(self.timeline.get_attribute("data-step") or -1)

    @property
    def stops(self) -> int:
        """Of how many steps layers or snapshots were recorded."""
        return int(self.timeline.get_attribute("data-stops") or -1)

    def wait_step(self, step: int) -> None:
        """Wait until that step is shown."""
        expect(self.timeline).to_have_attribute("data-step", str(step))

    def wait_stops(self, least: int, *, seconds: float = 60) -> None:
        """Wait until so many steps were recorded."""
        self.page.wait_until(
            "([bar, least]) => Number(bar.dataset.stops) >= least",
            [self.timeline.element_handle(), least],
            seconds=seconds,
        )

    def wait_reaching(self, step: int, *, seconds: float = 60) -> None:
        """Wait until the curves go on to that step, or further."""
        self.page.wait_until(
            "([chart, step]) => Number(chart.dataset.to) >= step",
            [self.chart("loss").element_handle(), step],
            seconds=seconds,
        )

    def drag(self, *shares: float) -> None:
        """Drag the scrub bar's thumb through shares of its length."""
        box = self.slider.bounding_box()
        assert box, "the scrub bar is not on screen"
        mouse, thumb = self.page.page.mouse, 8
        places = [box["x"] + thumb + share * (box["width"] - 2 * thumb) for share in shares]
        mouse.move(places[0], box["y"] + box["height"] / 2)
        mouse.down()
        for place in places[1:]:
            mouse.move(place, box["y"] + box["height"] / 2, steps=5)
        mouse.up()

    def go(self, index: int) -> int:
        """Go to one of the stops, counted from the last one where negative; return its step."""
        self.slider.press("End" if index < 0 else "Home")
        for _ in range(-1 - index if index < 0 else index):
            self.slider.press("ArrowLeft" if index < 0 else "ArrowRight")
        self.root.evaluate(DRAWN)
        return self.step

    def choose_tab(self, name: str) -> None:
        """Click one of Curves, Distributions, Layers, Snapshots, Findings."""
        self.root.get_by_role("tab", name=name).click()
        self.root.get_by_role("tabpanel", name=name).wait_for()

    def run(self, identity: str = "0") -> Locator:
        """Return a run's place in the list of runs."""
        return self.root.get_by_role("list", name="Runs").locator(f'[data-run="{identity}"]')

    def wait_run(self, words: str, identity: str = "0") -> None:
        """Wait until one of these is said of a run: "training", "paused", "ended|stopped"."""
        said = re.compile(f"^({words})$")
        expect(self.run(identity)).to_have_attribute("data-state", said, timeout=30_000)

    def chart(self, title: str) -> Locator:
        """Return the chart of a curve."""
        return self.root.locator(f'.cnnw-tm-chart[data-title="{title}"]')

    def value(self, title: str, run: str = "0") -> float:
        """Read what is written of a curve at the chosen step."""
        return number(self.chart(title).locator(f'[data-run="{run}"] output').inner_text())

    def panel(self, run: str) -> Locator:
        """Return what is drawn of the run of that name."""
        return self.root.get_by_role("article", name=run, exact=True)

    def statistics(self, run: str) -> list[float]:
        """Read mean, standard deviation and norm under a run's histogram."""
        line = self.panel(run).locator(".cnnw-tm-numbers")
        return [number(line.get_by_text(re.compile(f"^{name} ")).inner_text()) for name in SAID]

    def bins(self, run: str) -> dict[tuple[float, float], float]:
        """Walk through a run's histogram by keys; return bins' edges and shares."""
        figure = self.panel(run).get_by_role("application", name=re.compile("^Histogram of"))
        found: dict[tuple[float, float], float] = {}
        for _ in range(BINS):
            figure.press("ArrowRight")
            edges, _, share = self.panel(run).locator("output").last.inner_text().partition(":")
            low, high = map(number, re.split("[…±]", edges))  # or 0 ± high
            found[low or -high, high] = number(share) / 100
        return found

    def weight(self, run: str, down: int) -> tuple[int, list[int], float]:
        """Walk so many rows down in a run's weights; return step, place and value that are read."""
        panel = self.panel(run)
        figure = panel.get_by_role("application", name=re.compile("^weights of"))
        before = panel.locator("output").inner_text()
        for _ in range(down):
            figure.press("ArrowDown")
        expect(panel.locator("output")).not_to_have_text(before)
        place, _, value = panel.locator("output").inner_text().partition(":")
        step, *axes = (int(found) for found in re.findall(r"\d+", place))
        return step, axes, number(value)

    def scales(self, run: str) -> list[list[str]]:
        """Return what is written at the axes of a run's figures."""
        figures = self.panel(run).get_by_role("application").all()
        return [figure.locator("text").all_inner_texts() for figure in figures]

    def snapshot(self) -> int:
        """Wait until the maps of the snapshot are drawn; return its step."""
        title = self.root.get_by_role("heading", name=re.compile("^Snapshot of step")).inner_text()
        at = title.split("step ")[1].split()[0].replace(",", "")
        maps = self.root.locator(".cnnw-tm-maps")
        expect(maps).to_have_attribute("data-at", at, timeout=30_000)
        return int(at)

    def choose_channel(self, channel: int) -> None:
        """Select one of the maps or filters of the snapshot."""
        tile = self.root.locator(f'.cnnw-tm-maps [data-at="{channel}"]')
        tile.click()
        expect(tile).to_have_attribute("aria-selected", "true")

    def ends(self) -> list[float]:
        """Read the lowest and the highest value of the selected map."""
        said = self.root.locator(".cnnw-tm-maps > output").inner_text()
        return [number(end) for end in said.rpartition(":")[2].split("…")]

    def chances(self) -> dict[str, float]:
        """Read the probabilities of the chosen probe picture's classes."""
        rows = self.root.locator(".cnnw-tm-probe .cnnw-bars li").all()
        said = [(row.locator("span"), row.locator("output")) for row in rows]
        return {name.inner_text(): number(share.inner_text()) / 100 for name, share in said}


DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
BINS = 8
SAID = ("mean", "std", "norm")


def number(text: str) -> float:
    """Return the number in a text; the minus sign on screen is U+2212."""
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "")
    found = re.search(r"-?[\d.]+(e-?\d+)?", plain)
    assert found, text
    return float(found.group())
