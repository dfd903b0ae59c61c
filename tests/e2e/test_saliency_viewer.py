"""Looking at maps in a real JupyterLab: the numbers, comparing, judging, stopping, the export."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.saliency_viewer import FASHION, ROOT, SaliencyViewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.browser import Page
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage
    from tests.e2e.server import Host

CAPTUM = """
import torch
from captum import attr
from cnnwidgets.attribution import reduce

def expected(attribution, row, column, how="max_abs"):
    return reduce(attribution, how)[row, column].item()

def gradients(target):
    x = net.prepare(images[0]).requires_grad_()
    net.model.eval()(x)[0, target].backward()
    return x.grad[0]

def integrated(steps):
    x = net.prepare(images[0])
    return attr.IntegratedGradients(net.model.eval()).attribute(x, target=0, n_steps=steps)[0]
"""


@pytest.fixture
def notebook(open_notebook: OpenNotebook) -> NotebookPage:
    page = open_notebook(CAPTUM + FASHION)
    page.run_all()
    return page


@pytest.fixture
def shown(notebook: NotebookPage) -> SaliencyViewer:
    viewer = SaliencyViewer(notebook)
    viewer.wait_map("saliency:0:trained")
    viewer.wait_state()
    return viewer


@pytest.mark.parametrize("host", ["lab", "notebook"])
def test_opens_with_the_gradient(open_notebook: OpenNotebook, host: Host) -> None:
    page = open_notebook(CAPTUM + FASHION, host=host)
    page.run_all()
    shown = SaliencyViewer(page)
    shown.wait_map("saliency:0:trained")
    for row, column in ((9, 14), (20, 3)):
        found = shown.value("saliency:0:trained", row, column)
        wanted = page.kernel_eval(f"expected(gradients(0), {row}, {column})")
        assert found == pytest.approx(wanted, rel=1e-4)
    page.screenshot(f"saliency-viewer-{host}")


def test_looks_need_no_kernel(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    name = "saliency:0:trained"
    shown.select("Channels", "sum (signed)")
    found = shown.value(name, 9, 14)
    wanted = notebook.kernel_eval("expected(gradients(0), 9, 14, 'sum')")
    assert found == pytest.approx(wanted, rel=1e-4)
    shown.slide("Clip at", 90)
    limit = notebook.kernel_eval(
        "torch.quantile(gradients(0).sum(0).abs().double().flatten(), 0.9).item()"
    )
    assert shown.number(name, "high") == pytest.approx(limit, rel=1e-4)
    shown.select("Values", "negative: against the class")
    assert shown.value(name, 9, 14) == pytest.approx(min(wanted, 0), rel=1e-4)
    traits = "(viewer.reduction, viewer.part, viewer.percentile)"
    assert notebook.kernel_eval(traits) == ("sum", "negative", 90.0)


def test_streams_plays_and_equals_captum(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    name = "integrated_gradients:0:trained"
    shown.select("Method", "Integrated gradients")
    shown.slide("Samples", 40)
    expect(shown.root.get_by_text("Maps to compute: 1; passes: 40")).to_be_visible()
    shown.run()
    found = shown.value(name, 9, 14)
    assert found == pytest.approx(
        notebook.kernel_eval("expected(integrated(40), 9, 14)"), rel=1e-3, abs=1e-5
    )
    scrubber = shown.tile(name).get_by_role("slider", name="Passes")
    scrubber.fill("0")
    first = shown.value(name, 9, 14)
    assert first != pytest.approx(found, rel=1e-6)
    shown.tile(name).get_by_role("button", name="Play").click()
    expect(scrubber).to_have_value(scrubber.get_attribute("max") or "")
    assert shown.value(name, 9, 14) == pytest.approx(found)
    notebook.screenshot("saliency-viewer-played", ROOT)


def test_why_this_class_and_not_that(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    shown.choose_class("Why not", "dress")
    index = notebook.kernel_eval("viewer.against")
    assert notebook.kernel_eval("net.class_name(viewer.against)") == "Dress"
    names = [f"saliency:{target}:trained" for target in (0, index)]
    difference = " − ".join(names)
    shown.wait_map(difference)
    other = shown.value(names[1], 9, 14)
    wanted = notebook.kernel_eval(f"expected(gradients({index}), 9, 14)")
    assert other == pytest.approx(wanted, rel=1e-4)
    signed = notebook.kernel_eval(f"expected(gradients(0) - gradients({index}), 9, 14, 'sum')")
    assert shown.value(difference, 9, 14) == pytest.approx(signed, rel=1e-4)
    assert len({shown.number(name, "high") for name in (*names, difference)}) == 1
    notebook.screenshot("saliency-viewer-difference", ROOT)


def test_a_random_model_is_one_click(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    shown.compare("Guided backprop")
    shown.button("Random weights").click()
    for method in ("saliency", "guided_backprop"):
        shown.wait_map(f"{method}:0:random")
        stated = shown.number(f"{method}:0:random", "similarity")
        wanted = notebook.kernel_eval(
            "__import__('cnnwidgets.widgets.saliency_judging', fromlist=['_']).similarity("
            f"reduce(cw.{method}(net, images[0], 0)),"
            f"reduce(cw.{method}(cw.attribution.randomised(net), images[0], 0)))"
        )
        assert stated == pytest.approx(wanted, abs=1e-3)
    expect(shown.root.get_by_text("Spearman's rank correlation").first).to_be_visible()
    notebook.screenshot("saliency-viewer-random", ROOT)


def test_judging(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    shown.compare("Grad-CAM")
    shown.wait_map("grad_cam:0:trained")
    shown.button("Compute curves").click()
    rows = shown.root.locator(".cnnw-sv-chart li")
    expect(rows).to_have_count(4)
    areas = [float(row.get_attribute("data-area") or "nan") for row in rows.all()]
    wanted = notebook.kernel_eval(
        "[curve(net, images[0], shown, 0, steps=64).area for curve in "
        "(cw.attribution.deletion_curve, cw.attribution.insertion_curve) for shown in "
        "(reduce(cw.saliency(net, images[0], 0)), cw.grad_cam(net, images[0], 0, upsample=True))]"
    )
    assert areas == pytest.approx(wanted, abs=0.01)
    expect(shown.root.get_by_text("pixels taken away (%)")).to_be_visible()

    shown.root.get_by_role("tab", name="Cut-out").click()
    shown.button("Cut out").click()
    expect(shown.root.get_by_text(re.compile("Foreground mask: .* %"))).to_be_visible()
    shown.root.get_by_role("tab", name="Noise × samples").click()
    shown.root.get_by_role("button", name=re.compile("^Compute SmoothGrad")).click()
    expect(shown.root.locator("td canvas")).to_have_count(20)
    notebook.screenshot("saliency-viewer-noise", ROOT)


SLOW = """
import time
batch = viewer._batch

def slowly(*args):
    time.sleep(0.4)
    batch(*args)

viewer._batch = slowly
"""


def test_stop_keeps_what_there_is(open_notebook: OpenNotebook) -> None:
    page = open_notebook(FASHION, SLOW)
    page.run_all()
    shown = SaliencyViewer(page)
    shown.wait_map("saliency:0:trained")
    shown.select("Method", "SmoothGrad")
    shown.slide("Samples", 120)
    shown.button("Run").click()
    shown.wait_map("smoothgrad:0:trained", "loading")
    first = shown.tile("smoothgrad:0:trained").get_by_text(re.compile("Computing: \\d+ of 120"))
    expect(first).to_be_visible()
    shown.button("Stop").click()
    shown.wait_map("smoothgrad:0:trained", "partial")
    done = int(shown.number("smoothgrad:0:trained", "done"))
    assert 0 < done < 120
    found = shown.value("smoothgrad:0:trained", 9, 14)
    wanted = page.kernel_eval(
        "cw.attribution.reduce(cw.smoothgrad(net, images[0], 0, "
        f"samples={done}, noise=0.1))[9, 14].item()"
    )
    assert found == pytest.approx(wanted, rel=1e-4)


def test_what_changes_makes_maps_old(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    notebook.kernel_eval("next(net.model.parameters()).data.mul_(0.5) is None")
    shown.select("Method", "Gradient × input")
    shown.wait_map("gradient_x_input:0:trained")
    shown.select("Method", "SmoothGrad")
    shown.run()
    shown.slide("Noise", 0.3)
    expect(shown.root.get_by_text("Of other settings or weights: run it again.")).to_be_visible()
    shown.run()
    shown.wait_map("smoothgrad:0:trained")


def test_a_network_without_relu_is_told(open_notebook: OpenNotebook) -> None:
    page = open_notebook(
        "import torch, cnnwidgets as cw\n"
        "model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.SiLU(), "
        "torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 3))\n"
        "viewer = cw.SaliencyViewer(cw.Network(model, input_size=16), "
        "torch.rand(3, 16, 16), 0, method='guided_backprop')\nviewer"
    )
    page.run_all()
    shown = SaliencyViewer(page)
    shown.wait_map("guided_backprop:0:trained", "error")
    said = shown.tile("guided_backprop:0:trained")
    expect(said).to_contain_text("this network calls none")
    expect(said).to_contain_text("would be the plain gradient")
    shown.select("Method", "Saliency")
    shown.wait_map("saliency:0:trained")


def test_keys_alone(shown: SaliencyViewer) -> None:
    keyboard = shown.page.page.keyboard
    shown.tile("saliency:0:trained").get_by_role("application").focus()
    keyboard.press("ArrowDown")
    reading = shown.tile("saliency:0:trained").get_by_text("row 14, column 14: ")
    expect(reading).to_be_visible()
    keyboard.press("x")  # JupyterLab would cut the cell
    keyboard.press("ArrowLeft")
    expect(shown.tile("saliency:0:trained").get_by_text("row 14, column 13: ")).to_be_visible()


def test_the_exported_page_needs_no_kernel(
    notebook: NotebookPage,
    shown: SaliencyViewer,
    open_file: Callable[[Path], Page],
    tmp_path: Path,
) -> None:
    shown.compare("SmoothGrad")
    shown.run()
    shown.button("Compute curves").click()
    expect(shown.root.locator(".cnnw-sv-chart")).to_have_count(2)
    path = tmp_path / "viewer.html"
    notebook.kernel_eval(f"str(viewer.to_html({str(path)!r}))")
    page = open_file(path)
    saved = SaliencyViewer(page)
    saved.wait_state("replay")
    name = "smoothgrad:0:trained"
    saved.wait_map(name)
    wanted = notebook.kernel_eval(
        "expected(cw.smoothgrad(net, images[0], 0, samples=50, noise=0.1), 9, 14)"
    )
    assert saved.value(name, 9, 14) == pytest.approx(wanted, rel=1e-4)
    saved.select("Channels", "sum (signed)")
    saved.slide("Clip at", 80)
    saved.tile(name).get_by_role("slider", name="Passes").fill("0")
    assert saved.value(name, 9, 14) != pytest.approx(wanted)
    expect(saved.root.locator(".cnnw-sv-chart")).to_have_count(2)
    expect(saved.button("Run")).to_be_disabled()
    options = saved.root.get_by_role("combobox", name="Method").locator("option:enabled")
    expect(options).to_have_text(["Saliency", "SmoothGrad"])
    expect(saved.root.get_by_text("No kernel here: what was computed")).to_be_visible()
    page.screenshot("saliency-viewer-exported")


def test_themes_and_a_narrow_column(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    shown.compare("SmoothGrad", "Grad-CAM")
    shown.run()
    for theme in ("Dark", "Light"):  # in the end as other tests expect it
        notebook.set_theme(theme)
        notebook.screenshot(f"saliency-viewer-{theme.lower()}", ROOT)
    shown.set_width(480)
    assert shown.root.evaluate("root => root.scrollWidth") <= 480
    notebook.screenshot("saliency-viewer-480", ROOT)
    shown.button("Random weights").click()
    shown.choose_class("Why not", "dress")
    shown.run()
    for width in (480, 1100):
        shown.set_width(width)
        assert shown.root.evaluate("root => root.scrollWidth") <= width
        notebook.screenshot(f"saliency-viewer-rows-{width}", ROOT)


LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")
READABLE, VISIBLE = 4.5, 3.0  # contrasts of the Web Content Accessibility Guidelines


def test_words_and_focus_stand_out(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    shown.select("Method", "SmoothGrad")
    shown.run()
    shown.slide("Noise", 0.3)
    notebook.page.evaluate(LOOK)
    for theme in ("Dark", "Light"):
        notebook.set_theme(theme)
        words = shown.root.evaluate("(root) => cnnwLook.words(root)")
        old = "Of other settings or weights: run it again."
        assert {"Computed with", old} <= {text for text, _, _ in words}
        assert [(text, ratio) for text, ratio, _ in words if ratio < READABLE] == []
    shown.root.get_by_role("combobox", name="Method").focus()
    rings: dict[str, float] = {}
    for _ in range(30):
        notebook.page.keyboard.press("Tab")
        if not shown.root.evaluate("(root) => root.contains(document.activeElement)"):
            break
        role, contrast = notebook.page.evaluate("() => cnnwLook.ring()")
        rings[role] = min(contrast, rings.get(role, contrast))
    assert {"application", "button", "select", "tab"} <= set(rings)
    assert {role for role, ring in rings.items() if ring < VISIBLE} == set()


def test_opacity_is_dragged(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    slider = shown.root.get_by_role("slider", name="Opacity")
    box = slider.bounding_box()
    assert box
    mouse = notebook.page.mouse
    mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] - 5, box["y"] + box["height"] / 2, steps=8)
    mouse.up()
    expect(slider).to_have_value("0")
    pixel = (
        shown.tile("saliency:0:trained")
        .locator("canvas")
        .first.evaluate("canvas => [...canvas.getContext('2d').getImageData(14, 9, 1, 1).data]")
    )
    assert (
        pixel[:3]
        == [notebook.kernel_eval("int(net.restore(net.prepare(images[0]))[0, 9, 14, 0])")] * 3
    )
    assert notebook.kernel_eval("viewer.overlay") == 0


def test_after_a_restart_it_says_so(notebook: NotebookPage, shown: SaliencyViewer) -> None:
    notebook.restart_kernel()
    expect(shown.root.get_by_text("The kernel was restarted or shut down")).to_be_visible()
    shown.select("Channels", "sum (signed)")
    expect(shown.root.get_by_text("channels: sum (signed)")).to_be_visible()
