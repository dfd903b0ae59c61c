"""Moving a patch over a picture: the numbers, the sweep, the export, and nothing that queues."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.occlusion_slider import FASHION, OcclusionSlider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.browser import Page
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage
    from tests.e2e.server import Host

PLACES = 121  # 11 × 11, of windows of 8 pixels 2 pixels apart

TORCH = """
import torch

def with_patches(*places, window=8):
    x = net.prepare(images[0])
    patched = x.clone()
    mean = x.mean((2, 3), keepdim=True)
    for row, column in places:
        patched[:, :, row:row + window, column:column + window] = mean
    with torch.no_grad():
        return net.model.eval()(patched)[0].softmax(0).tolist()
"""


@pytest.fixture
def notebook(open_notebook: OpenNotebook) -> NotebookPage:
    page = open_notebook(TORCH + FASHION)
    page.run_all()
    return page


@pytest.fixture
def shown(notebook: NotebookPage) -> OcclusionSlider:
    slider = OcclusionSlider(notebook)
    slider.wait_state()
    return slider


def compare(page: NotebookPage, shown: OcclusionSlider, *places: tuple[int, int]) -> None:
    """The bars hold what plain torch says of the picture with the patches there."""
    expected = page.kernel_eval(f"with_patches(*{places})")
    for index, probability in shown.bars().items():
        assert probability == pytest.approx(expected[index], abs=1e-5)


def wait_kernel(page: NotebookPage, condition: str, seconds: float = 10) -> None:
    """Wait until an expression is true in the kernel."""
    end = time.monotonic() + seconds
    while not page.kernel_eval(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.05)


@pytest.mark.parametrize("host", ["lab", "notebook"])
def test_opens_and_drags(open_notebook: OpenNotebook, host: Host) -> None:
    page = open_notebook(TORCH + FASHION, host=host)
    page.run_all()
    shown = OcclusionSlider(page)
    shown.wait_state()
    shown.drag((12, 12), (6, 4))
    shown.wait_answered(4, 2)
    compare(page, shown, (4, 2))
    wait_kernel(page, "(slider.row, slider.column) == (4, 2)")
    bars = shown.bars()
    wait_kernel(page, f"{bars} == {{x['index']: x['probability'] for x in slider.probabilities}}")
    page.screenshot(f"occlusion-slider-{host}")


def test_the_change_is_written(notebook: NotebookPage, shown: OcclusionSlider) -> None:
    notebook.kernel_eval("setattr(slider, 'row', 0)")
    shown.wait_answered(0, 10)
    target, before, now = notebook.kernel_eval(
        "(slider.target, net.predict(images[0])[0][2], with_patches((0, 10))[slider.target])"
    )
    written = shown.bar(target).locator("output").last.inner_text()
    found = re.fullmatch(r"([+\N{MINUS SIGN}±]) ?([\d.]+) points", written)
    assert found, written
    size = float(found[2]) * (-1 if found[1] == "\N{MINUS SIGN}" else 1)
    assert size == pytest.approx(100 * (now - before), rel=0.01, abs=0.01)


def test_keys_move_the_patch(shown: OcclusionSlider) -> None:
    shown.stage.focus()
    keyboard = shown.page.page.keyboard
    keyboard.press("ArrowLeft")
    shown.wait_answered(10, 9)
    keyboard.press("Shift+ArrowDown")
    shown.wait_answered(12, 9)


def test_kept_patches_act_together(notebook: NotebookPage, shown: OcclusionSlider) -> None:
    shown.stage.focus()
    keyboard = shown.page.page.keyboard
    keyboard.press("Enter")
    kept = shown.root.get_by_role("list", name="Kept patches").get_by_role("listitem")
    expect(kept).to_have_count(1)
    expect(kept).to_contain_text("8 × 8 at row 10, column 10")
    shown.drag((12, 12), (4, 4))
    shown.wait_answered(2, 2)
    shown.button("Keep patch").click()
    shown.drag((4, 4), (22, 20))
    shown.wait_answered(20, 18)
    expect(shown.root.get_by_text("column 18 and 2 kept ones; change")).to_be_visible()
    assert notebook.kernel_eval("slider.kept") == [(10, 10, 8), (2, 2, 8)]
    compare(notebook, shown, (10, 10), (2, 2), (20, 18))
    notebook.screenshot("occlusion-slider-kept", "section.cnnw-os")
    shown.button("Remove patch 1").click()
    expect(shown.root.get_by_text("column 18 and 1 kept one; change")).to_be_visible()
    compare(notebook, shown, (2, 2), (20, 18))
    shown.button("Clear").click()
    expect(kept).to_have_count(0)
    expect(shown.root.get_by_text("with the patch at row 20, column 18; change")).to_be_visible()
    compare(notebook, shown, (20, 18))


def test_the_class_is_searched_for(notebook: NotebookPage, shown: OcclusionSlider) -> None:
    shown.root.get_by_text("Class: ").click()
    search = shown.root.get_by_role("searchbox", name="Search classes")
    search.fill("sandal")
    search.press("Enter")
    expect(shown.root.get_by_text("Class: Sandal")).to_be_visible()
    wait_kernel(notebook, "net.class_name(slider.target) == 'Sandal'")
    search.press("Escape")  # once what was searched for, once the panel
    search.press("Escape")
    expect(search).to_have_count(0)


def test_a_sweep_fills_the_map(notebook: NotebookPage, shown: OcclusionSlider) -> None:
    told = re.compile(r"^11 × 11 = 121 places, (less than a second|about \d+ s)$")
    expect(shown.root.get_by_text(told)).to_be_visible()
    shown.button("Run sweep").click()
    shown.wait_done(PLACES)
    assert notebook.kernel_eval("(slider.running, slider.progress)") == (False, 1.0)
    legend = shown.root.locator(".cnnw-legend")
    expect(legend).to_contain_text("with the patch here; low = important")
    notebook.screenshot("occlusion-slider-map", "section.cnnw-os")

    shown.page.page.mouse.move(*shown.point(8, 15))
    shown.wait_answered(4, 12)
    target, score = notebook.kernel_eval(
        "(slider.target, cw.occlusion(net, images[0], window=8, stride=2).scores[2, 6].item())"
    )
    assert shown.bars()[target] == pytest.approx(score, abs=1e-5)
    shown.select("Map shows", "the drop by the patch")
    expect(legend).to_contain_text(re.compile("drop of the probability of .*; high = important"))
    shown.select("Measure", "logit")
    expect(legend).to_contain_text(re.compile("drop of the logit of"))
    assert notebook.kernel_eval("slider.result.measure") == "logit"


SLOW = """
import time
batch = slider._batch

def slowly(*args):
    time.sleep(0.5)
    batch(*args)

slider._batch = slowly
"""


def test_a_long_sweep_stops_and_keeps_what_there_is(open_notebook: OpenNotebook) -> None:
    page = open_notebook(TORCH + FASHION, SLOW)
    page.run_all()
    shown = OcclusionSlider(page)
    shown.wait_state()
    shown.slide("Stride", 1)
    expect(shown.root.get_by_text("21 × 21 = 441 places")).to_be_visible()
    shown.button("Run sweep").click()
    shown.wait_state("running")
    shown.drag((12, 12), (6, 4))  # it goes on answering meanwhile
    shown.wait_answered(4, 2)
    shown.button("Stop").click()
    expect(shown.root.get_by_text(re.compile(r"Stopped: \d+ of 441 places"))).to_be_visible()
    assert 0 < page.kernel_eval("slider.progress") < 1
    page.screenshot("occlusion-slider-stopped", "section.cnnw-os")


MOVES = """async ([x, y, width, height]) => {
  const root = document.querySelector(".cnnw-os");
  const stage = root.querySelector("[role=application]");
  stage.setPointerCapture = () => {};
  const fire = (type, px, py) => stage.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, button: 0, clientX: x + px * width, clientY: y + py * height }));
  fire("pointerdown", 0.5, 0.5);
  const start = performance.now();
  for (let i = 1; i <= 200; i++) {
    fire("pointermove", 0.5 + 0.3 * Math.sin(i / 9), 0.5 + 0.3 * Math.cos(i / 7));
    const wait = start + 10 * i - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  }
  fire("pointermove", 0.1, 0.1);
  fire("pointerup", 0.1, 0.1);
  const moved = performance.now();
  while (root.dataset.row !== "0" || root.dataset.column !== "0") {
    if (performance.now() - moved > 10000) throw Error("never answered");
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - moved;
}"""

LISTENING = """
import time
from cnnwidgets.widgets.base import Widget
from cnnwidgets.widgets.occlusion_probing import Probing
asked, waiting, submit, logits = [], [], Widget._submit, Probing.logits

def listen(self, identity, request, lane):
    submit(self, identity, request, lane)
    asked.append(request.name)
    waiting.append(len(self._jobs))

def slowly(self, patch):
    time.sleep(0.03)  # longer than from one move to the next
    return logits(self, patch)

Widget._submit, Probing.logits = listen, slowly
"""


def test_nothing_queues(open_notebook: OpenNotebook) -> None:
    page = open_notebook(LISTENING + TORCH + FASHION, fresh=True)
    page.run_all()
    shown = OcclusionSlider(page)
    shown.wait_state()
    shown.stage.scroll_into_view_if_needed()
    box = shown.stage.bounding_box()
    assert box
    area = [box["x"], box["y"], box["width"], box["height"]]
    # Three times at most: the machine may be busy with something else.
    assert any(page.page.evaluate(MOVES, area) < 300 for _ in range(3))
    page.page.wait_for_timeout(1000)
    assert page.kernel_eval("slider._jobs") == {}
    before = page.kernel_eval("asked.count('patch')")
    assert before < 300
    assert page.kernel_eval("max(waiting)") <= 2  # one patch, and what a sweep would cost
    page.page.wait_for_timeout(500)
    assert page.kernel_eval("asked.count('patch')") == before
    wait_kernel(page, "(slider.row, slider.column) == (0, 0)")
    compare(page, shown, (0, 0))


def test_keys_stay_in_the_widget(shown: OcclusionSlider) -> None:
    keyboard = shown.page.page.keyboard
    shown.stage.focus()
    keyboard.press("x")  # JupyterLab would cut the cell
    keyboard.press("x")
    keyboard.press("ArrowUp")
    shown.wait_state()
    expect(shown.root).to_be_visible()


def test_weights_that_change_are_said(notebook: NotebookPage, shown: OcclusionSlider) -> None:
    shown.button("Run sweep").click()
    shown.wait_done(PLACES)
    notebook.kernel_eval("next(net.model.parameters()).data.mul_(0.5) is None")
    shown.stage.focus()
    shown.page.page.keyboard.press("ArrowUp")
    said = shown.root.get_by_text("The weights have changed since this sweep; run it again.")
    expect(said).to_be_visible()
    shown.button("Run sweep").click()
    expect(said).to_have_count(0)


def test_which_layers_notice(notebook: NotebookPage, shown: OcclusionSlider) -> None:
    shown.root.get_by_text("Which layers notice").click()
    for name in notebook.kernel_eval("[layer.name for layer in net.layers]"):
        expect(shown.root.get_by_text(name, exact=True)).to_be_visible()


def test_the_exported_page_needs_no_kernel(
    notebook: NotebookPage,
    shown: OcclusionSlider,
    open_file: Callable[[Path], Page],
    tmp_path: Path,
) -> None:
    shown.button("Run sweep").click()
    shown.wait_done(PLACES)
    path = tmp_path / "slider.html"
    notebook.kernel_eval(f"str(slider.to_html({str(path)!r}))")
    page = open_file(path)
    saved = OcclusionSlider(page)
    saved.wait_state("replay")
    page.page.mouse.move(*saved.point(8, 15))
    saved.wait_answered(4, 12)
    compare(notebook, saved, (4, 12))
    page.screenshot("occlusion-slider-exported")
    saved.root.get_by_role("slider", name="Map opacity").fill("0")
    expect(saved.map).to_have_css("opacity", "0")
    saved.select("Map shows", "the drop by the patch")
    expect(saved.root.locator(".cnnw-legend")).to_contain_text("high = important")
    expect(saved.button("Run sweep")).to_be_disabled()
    expect(saved.root.get_by_text("No kernel here:")).to_be_visible()


HELD = """
import threading
gate, batch = threading.Event(), slider._batch

def held(*args):
    batch(*args)
    gate.wait()

slider._batch = held
"""


def test_a_reload_in_mid_sweep(open_notebook: OpenNotebook) -> None:
    page = open_notebook(TORCH + FASHION, HELD)
    page.run_all()
    shown = OcclusionSlider(page)
    shown.wait_state()
    shown.button("Run sweep").click()
    shown.wait_state("running")
    page.command("docmanager:save")
    page.reload()
    shown.wait_state("running")
    page.kernel_eval("gate.set()")
    shown.wait_done(PLACES)
    shown.stage.focus()
    page.page.keyboard.press("ArrowUp")
    shown.wait_answered(9, 10)


def test_an_interrupt_in_mid_sweep(open_notebook: OpenNotebook) -> None:
    page = open_notebook(TORCH + FASHION, SLOW, "slider.stride = 1; slider.run(); slider.wait()")
    page.run_cell(0)
    page.run_cell(1)
    shown = OcclusionSlider(page)
    shown.wait_state()
    page.forgive("KeyboardInterrupt")
    page.run_cell(2, wait=False)
    shown.wait_state("running")
    page.interrupt()
    expect(shown.root.get_by_text(re.compile(r"Stopped: \d+ of 441 places"))).to_be_visible()
    shown.drag((12, 12), (6, 4))
    shown.wait_answered(4, 2)


def test_two_views_on_one_network(open_notebook: OpenNotebook) -> None:
    other = "other = cw.OcclusionSlider(net, images[1], window=6, stride=2)\nother"
    page = open_notebook(TORCH + FASHION, other)
    page.run_all()
    one, two = OcclusionSlider(page), OcclusionSlider(page, 1)
    for shown in (one, two):
        shown.wait_state()
    one.button("Run sweep").click()
    two.button("Run sweep").click()
    one.wait_done(PLACES)
    two.wait_done(144)
    assert page.kernel_eval("slider.result.scores.shape == (11, 11)")
    assert page.kernel_eval("other.result.scores.shape == (12, 12)")


def test_a_restart_in_mid_sweep_is_said(open_notebook: OpenNotebook) -> None:
    page = open_notebook(TORCH + FASHION, SLOW)
    page.run_all()
    shown = OcclusionSlider(page)
    shown.wait_state()
    shown.button("Run sweep").click()
    shown.wait_state("running")
    page.restart_kernel()
    shown.wait_state("gone")
    expect(shown.root.get_by_text("The kernel was restarted or shut down;")).to_be_visible()
    expect(shown.button("Run sweep")).to_be_disabled()
