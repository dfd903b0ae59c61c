"""Watching networks learn in a real JupyterLab: live, scrubbed, steered, and after the kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.layer_browser import LayerBrowser
from tests.e2e.training_monitor import ROOT, SMALL, TrainingMonitor, number

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.browser import Page
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage

IN_A_CELL = """
net = network()
with cw.watch(net, "mine", probe=x[:4], every=4, snapshots=16) as run:
    train(net, sgd(net), until={enough!r}, pause=0.01)
"""
IN_THE_BACKGROUND = """
net = network()
optimizer = sgd(net)
run = cw.Recorder(net, "behind", every=4)
run.start(train, net, optimizer, pause=0.01)
"""
SHOWN = "monitor = cw.TrainingMonitor(run)\nmonitor"
TWO = """
nets = [network(), network()]
runs = [cw.Recorder(net, name, every=1, snapshots=8) for net, name in zip(nets, ("slow", "fast"))]
for run, net, rate in zip(runs, nets, (0.01, 0.3)):
    with run:
        train(net, sgd(net, rate), 30)
"""
BOTH = "monitor = cw.TrainingMonitor(*runs)\nmonitor"
LINKED = """
browser = cw.LayerBrowser(nets[1], images[0], layer="conv1")
tied = cw.link(monitor, browser)
browser
"""
LOGGED = """
import torch
import cnnwidgets as cw
from torch.utils.tensorboard import SummaryWriter

with SummaryWriter({folder!r}) as writer:
    for step in (3, 10, 20):
        writer.add_image("probe", torch.full((3, 20, 600), step / 20), step)
cw.TrainingMonitor(cw.load_tensorboard({folder!r}))
"""
OPEN = """sum(
    isinstance(one, cw.TrainingMonitor) and one.comm is not None
    for one in __import__("gc").get_objects()
)"""
CHANNEL = 2  # it changes most


def check_histogram(
    page: NotebookPage, shown: TrainingMonitor, name: str, run: str = "run"
) -> None:
    """Hold the numbers of the histogram that is shown against those of the run."""
    at = f"{run}, 'conv1', 'weights', {shown.step}"
    wanted = page.kernel_eval(f"statistics({at})")
    assert shown.statistics(name) == pytest.approx(wanted, rel=6e-3, abs=1e-6)
    bins = shown.bins(name)
    assert bins == pytest.approx(page.kernel_eval(f"shares({at}, {list(bins)})"), abs=4e-3)
    assert max(bins.values()) > 0.01


def check_weights(page: NotebookPage, shown: TrainingMonitor, name: str, run: str) -> None:
    """Hold some of the single weights that are shown against those of the run."""
    for down in (1, 10):
        step, place, value = shown.weight(name, down)
        wanted = page.kernel_eval(f"{run}.weights({step})['conv1.weight'][{tuple(place)}].item()")
        assert value == pytest.approx(wanted, rel=6e-3)


def channel(step: int) -> str:
    """Return an expression for the map that the probe's first picture has at a snapshot."""
    return f"run.probed({step}).activations['conv1'][0, {CHANNEL}].float()"


def ends(page: NotebookPage, values: str) -> list[float]:
    """Ask the kernel for the lowest and the highest value of a tensor."""
    found: list[float] = page.kernel_eval(f"[float(f({values})) for f in (torch.min, torch.max)]")
    return found


def test_two_steps_are_compared(open_notebook: OpenNotebook) -> None:
    cell = IN_A_CELL.format(enough="").replace("pause=0.01", "steps=40")
    page = open_notebook(SMALL, cell)
    page.run_all()
    shown = TrainingMonitor(page)
    shown.wait_state()
    shown.choose_tab("Snapshots")
    shown.button("Pin").click()
    last, first = 40, shown.go(0)
    shown.button(f"Pinned: {last}").wait_for()
    shown.root.get_by_role("checkbox", name=f"difference from the pinned step, {last}").check()
    assert shown.snapshot() == first
    shown.choose_channel(CHANNEL)
    wanted = ends(page, f"{channel(first)} - {channel(last)}")
    assert shown.ends() == pytest.approx(wanted, rel=2e-2, abs=2e-2)
    assert page.kernel_eval("run.monitor.pinned") == last
    shown.choose_tab("Distributions")
    edges, *_ = reversed(shown.bins("mine"))
    said = shown.panel("mine").get_by_text(re.compile("; at the pinned step ")).inner_text()
    before = number(said.rpartition("step ")[2]) / 100
    wanted = page.kernel_eval(f"shares(run, 'conv1', 'weights', {last}, [{edges}])")
    assert {edges: before} == pytest.approx(wanted, abs=4e-3)


def test_an_interrupted_cell_is_run_again(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    page = open_notebook(SMALL, IN_A_CELL.format(enough=str(enough)))
    page.run_cell(0)
    page.run_cell(1, wait=False)
    shown = TrainingMonitor(page)
    shown.wait_reaching(20)
    page.interrupt()
    page.wait_for(".jp-OutputArea-output", has_text="KeyboardInterrupt", seconds=60)
    page.wait_idle()
    shown.wait_run("ended|stopped")
    shown.wait_reaching(page.kernel_eval("run.last_step"))
    shown.go(1)
    page.run_cell(1, wait=False)
    page.locate(".jp-OutputArea-output", has_text="KeyboardInterrupt").wait_for(state="detached")
    shown.wait_run("training")
    shown.wait_reaching(20)
    enough.touch()
    page.wait_idle()
    shown.wait_run("ended")
    shown.wait_reaching(page.kernel_eval("run.last_step"))
    assert page.locate(ROOT).count() == 1
    page.kernel_wait(f"{OPEN} == 1")  # that of before is closed


def test_a_run_in_the_background_is_steered(open_notebook: OpenNotebook) -> None:
    page = open_notebook(SMALL, IN_THE_BACKGROUND, SHOWN, "monitor")
    page.run_all()
    one, other = TrainingMonitor(page), TrainingMonitor(page, 1)
    for shown in (one, other):
        shown.wait_run("training")
        shown.wait_reaching(20)
    one.button("Pause").click()
    other.wait_run("paused")
    page.kernel_wait("run.paused")
    at = page.kernel_eval("run.last_step")
    rate = other.root.get_by_role("textbox", name="Learning rate")
    rate.fill("0")
    expect(other.button("Apply")).to_be_disabled()
    rate.fill("0.002")
    rate.press("Enter")
    assert page.kernel_eval("(optimizer.param_groups[0]['lr'], run.last_step)") == (0.05, at)
    other.button("Resume").click()
    one.wait_run("training")
    one.wait_reaching(at + 20)
    assert page.kernel_eval("optimizer.param_groups[0]['lr']") == 0.002
    assert one.value("learning rate") == 0.002

    page.command("docmanager:save")
    page.reload()
    at = page.kernel_eval("run.last_step")
    one.wait_run("training")
    one.wait_reaching(at + 20)
    one.button("Stop").click()
    page.kernel_wait("not run.running")
    at = page.kernel_eval("run.last_step")
    for shown in (one, other):
        shown.wait_state()
        shown.wait_reaching(at)

    page.kernel_eval("run.start(train, net, optimizer, pause=0.01)")
    one.wait_reaching(at + 8)
    page.kernel_eval("monitor.close()")
    expect(page.locate(ROOT)).to_have_count(0)
    page.kernel_wait(f"run.last_step > {at + 20}")
    page.kernel_eval("run.close()")
    assert page.kernel_eval("run.error") is None


def test_two_runs_on_one_scale(
    open_notebook: OpenNotebook, open_file: Callable[[Path], Page], tmp_path: Path
) -> None:
    page = open_notebook(SMALL, TWO, BOTH)
    page.run_all()
    shown = TrainingMonitor(page)
    shown.wait_state()
    path = tmp_path / "monitor.html"
    page.kernel_eval(f"str(monitor.to_html({str(path)!r}))")
    offline = open_file(path)
    saved = TrainingMonitor(offline)
    saved.wait_state("replay")
    for view in (shown, saved):
        step = view.go(11)
        for i, curve in enumerate(("0", "1")):
            loss = page.kernel_eval(f"float(runs[{i}].scalars['loss'].values[{step - 1}])")
            assert view.value("loss", curve) == pytest.approx(loss, rel=1e-3)
        view.choose_tab("Distributions")
        for i, name in enumerate(("slow", "fast")):
            check_histogram(page, view, name, f"runs[{i}]")
        for index in (0, -1):
            view.go(index)
            assert view.scales("slow") == view.scales("fast")
        view.select("View", "heat map of weights")
        for index in (-2, 0):
            view.go(index)
            for i, name in enumerate(("slow", "fast")):
                check_weights(page, view, name, f"runs[{i}]")
        view.choose_tab("Snapshots")
        view.snapshot()
    page.screenshot("training-monitor-two", ROOT)
    offline.screenshot("training-monitor-exported")


def test_event_files_of_pictures_alone(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    page = open_notebook(LOGGED.format(folder=str(tmp_path / "logged")))
    page.run_all()
    shown = TrainingMonitor(page)
    shown.wait_state()
    assert (shown.step, shown.stops) == (20, 3)
    shown.root.get_by_role("heading", name="Logged picture of step 20").wait_for()
    picture = shown.root.get_by_role("img", name="probe, step 20")
    before = picture.bounding_box()
    shown.root.get_by_role("slider", name="Size").fill("2")
    after = picture.bounding_box()
    assert before
    assert after
    assert after["height"] > 1.4 * before["height"]
    shown.go(0)
    shown.wait_step(3)
    shown.root.get_by_role("img", name="probe, step 3").wait_for()
    page.screenshot("training-monitor-logged", ROOT)


def test_a_linked_browser_goes_to_the_step(open_notebook: OpenNotebook) -> None:
    page = open_notebook(SMALL, TWO, BOTH, LINKED)
    page.run_all()
    shown, browser = TrainingMonitor(page), LayerBrowser(page)
    browser.choose_tab("Filters")
    shown.root.get_by_role("radio", name="fast").check()
    for index in (0, 15):
        at = shown.go(index)
        page.kernel_wait(f"browser.step == {at}")
        high = page.kernel_eval(f"runs[1].weights({at})['conv1.weight'].abs().max().item()")
        expect(browser.legend).to_contain_text(f"{high:.4g}")


def test_a_cell_trains_is_scrubbed_and_its_kernel_dies(
    open_notebook: OpenNotebook, tmp_path: Path
) -> None:
    enough = tmp_path / "enough"
    page = open_notebook(SMALL, IN_A_CELL.format(enough=str(enough)), "import os; os._exit(1)")
    page.run_cell(0)
    page.run_cell(1, wait=False)
    shown = TrainingMonitor(page)
    shown.wait_state("training", seconds=60)
    shown.wait_reaching(40)
    shown.drag(1.0, 0.2, 0.5)
    dragged, stops = shown.step, shown.stops
    assert 0 < dragged < 4 * (stops - 2)
    shown.slider.press("ArrowRight")
    beside = shown.step
    assert dragged < beside <= dragged + 4
    shown.slider.press("ArrowRight")
    shown.wait_step(beside + 4)
    shown.wait_stops(stops + 10)
    assert shown.step == beside + 4
    shown.button("Follow").click()
    shown.wait_reaching(4 * (stops + 20))
    assert shown.step > 4 * stops
    enough.touch()
    page.wait_idle()
    shown.wait_state()
    shown.wait_reaching(page.kernel_eval("run.last_step"))

    shown.choose_tab("Distributions")
    numbers: dict[int, list[float]] = {}
    for index in (3, -4):
        step = shown.go(index)
        numbers[step] = shown.statistics("mine")
        check_histogram(page, shown, "mine")
    shown.choose_tab("Snapshots")
    chances: dict[int, dict[str, float]] = {}
    for index in (-1, 0):
        shown.go(index)
        at = shown.snapshot()
        shown.choose_channel(CHANNEL)
        assert shown.ends() == pytest.approx(ends(page, channel(at)), rel=6e-3, abs=1e-3)
        chances[index] = shown.chances()
        wanted = page.kernel_eval(f"chances(run, {at})")
        assert chances[index] == pytest.approx(wanted, abs=1e-3)

    page.run_cell(2, wait=False)
    shown.wait_state("gone")
    page.locate(".jp-Dialog").get_by_role("button").click()
    for index, wanted in chances.items():
        shown.go(index)
        shown.snapshot()
        assert shown.chances() == wanted
    shown.choose_tab("Distributions")
    for index, (step, wanted) in zip((3, -4), numbers.items(), strict=True):
        assert shown.go(index) == step
        assert shown.statistics("mine") == wanted
    page.screenshot("training-monitor-gone", ROOT)
