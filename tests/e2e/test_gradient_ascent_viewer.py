"""Pictures that climb in a real JupyterLab: numbers, scrubbing, settings, the kernel's fate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.gradient_ascent_viewer import FASHION, ROOT, SLOW, GradientAscentViewer
from tests.e2e.layer_browser import LayerBrowser

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.browser import Page
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage
    from tests.e2e.server import Host

LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")
UNIT = FASHION.replace("class:Trouser", "block1.conv1:0")
LINKED = """
browser = cw.LayerBrowser(net, images[0])
tied = cw.link(viewer, browser)
browser
"""


@pytest.fixture
def notebook(open_notebook: OpenNotebook) -> NotebookPage:
    page = open_notebook(FASHION)
    page.run_all()
    return page


@pytest.fixture
def shown(notebook: NotebookPage) -> GradientAscentViewer:
    viewer = GradientAscentViewer(notebook)
    viewer.wait_state("empty")
    return viewer


@pytest.fixture
def slow(open_notebook: OpenNotebook) -> tuple[NotebookPage, GradientAscentViewer]:
    page = open_notebook(FASHION, SLOW, "print(6 * 7)")
    page.run_cell(0)
    page.run_cell(1)
    return page, GradientAscentViewer(page)


def check(page: NotebookPage, shown: GradientAscentViewer) -> None:
    """Hold what is drawn and written of the first picture against the kernel's frame."""
    step = shown.step
    page.kernel_eval(
        f"globals().update(frame=next(one for one in viewer.frames if one.step == {step}))"
    )
    score, norm = page.kernel_eval("[frame.score, frame.gradient_norm]")
    assert shown.score() == pytest.approx(score, rel=1e-6)
    assert shown.reading() == pytest.approx([step, score, norm], rel=1e-3)
    assert shown.pixels() == page.kernel_eval("net.restore(frame.image[None])[0, :, :, 0].tolist()")
    check_answers(page, shown)


def check_answers(page: NotebookPage, shown: GradientAscentViewer, panel: int = 0) -> None:
    """Hold what is written under a picture against what the network says of the pixels drawn."""
    said = page.kernel_eval(f"[one[1:3] for one in net.predict({picture(shown, panel)})[:2]]")
    names, shares = zip(*shown.answers(panel), strict=True)
    assert names == tuple(name for name, _ in said)
    assert shares == pytest.approx([share for _, share in said], rel=6e-3, abs=1e-4)


def picture(shown: GradientAscentViewer, panel: int) -> str:
    """Return what is drawn as an expression."""
    return f"__import__('numpy').uint8({shown.pixels(panel)})"


@pytest.mark.parametrize("host", ["lab", "notebook"])
def test_a_class_that_was_searched_for_climbs(open_notebook: OpenNotebook, host: Host) -> None:
    page = open_notebook(FASHION, host=host)
    page.run_all()
    shown = GradientAscentViewer(page)
    expect(shown.root.get_by_text("pick a unit or a class, then press Run")).to_be_visible()
    shown.choose_class("sneak")
    assert page.kernel_eval("(viewer.target, viewer.running)") == (7, False)
    shown.run()
    drawn = []
    for step in (64, 20, 0):
        shown.look(step)
        check(page, shown)
        drawn.append(shown.pixels())
    assert drawn[0] != drawn[1] != drawn[2]
    expect(shown.panel()).to_contain_text("log-odds of Sneaker")
    page.screenshot(f"gradient-ascent-viewer-{host}", ROOT)


def test_scrubbing_playing_and_a_file(notebook: NotebookPage, shown: GradientAscentViewer) -> None:
    shown.run()
    keyboard = notebook.page.keyboard
    shown.root.focus()
    for key, step in (
        ("ArrowLeft", 63),
        ("Shift+ArrowLeft", 53),
        ("PageUp", 63),
        ("PageDown", 53),
        ("Home", 0),
        ("ArrowRight", 1),
    ):
        keyboard.press(key)
        shown.wait_step(step)
    check(notebook, shown)
    for slider in (shown.curves, shown.bar):
        shown.drag(slider, 0.9, 0.3, 0.5)
        middle = shown.step
        assert 26 < middle < 38
        shown.wait_step(middle)
        notebook.kernel_wait(f"viewer.step == {middle}")
    assert notebook.page.evaluate("() => String(getSelection())") == ""  # no words with it
    check(notebook, shown)

    keyboard.press("Home")
    shown.wait_step(0)
    shown.root.evaluate(WATCH)
    keyboard.press("p")
    shown.wait_step(64)
    shown.button("Play what is there (p)").wait_for()  # it has stopped at the end
    played = shown.root.evaluate("root => root.played")
    assert played == sorted(played)
    assert len(played) > 5

    check_files(shown)


def check_files(shown: GradientAscentViewer) -> None:
    """Save from the toolbar: a film runs from the first picture to the last, a sheet as well."""
    ends = []
    for step in (0, 64):
        shown.look(step)
        ends.append(np.array(shown.pixels(), float))
    for kind in ("GIF", "WebP"):
        with saved(shown, kind) as film:
            assert film.n_frames == 65
            for at, end in zip((0, 64), ends, strict=True):
                film.seek(at)
                assert np.abs(drawn_in(film) - end).mean() < 3
    with saved(shown, "PNG") as sheet:
        wide, high = sheet.width // 6, sheet.height // 4
        for (column, row), end in zip(((0, 0), (5, 3)), ends, strict=True):
            box = (column * wide, row * high, (column + 1) * wide, (row + 1) * high)
            np.testing.assert_array_equal(drawn_in(sheet.crop(box)), end)


def saved(shown: GradientAscentViewer, kind: str) -> Any:
    """Return a file that was chosen in the toolbar."""
    shown.root.locator("summary", has_text="Save").click()
    with shown.page.page.expect_download() as coming:
        shown.root.get_by_role("button", name=kind).click()
    assert coming.value.suggested_filename == f"class-Trouser.{kind.lower()}"
    return Image.open(coming.value.path())


def drawn_in(page: Any) -> Any:
    """Return the picture in a page, 12 times as large, under a line of words."""
    return np.asarray(page.convert("L"), float)[28:364:12, 12:348:12]


WATCH = """root => {
    root.played = [];
    const note = () => root.played.push(Number(root.dataset.step));
    new MutationObserver(note).observe(root, { attributeFilter: ["data-step"] });
}"""


def roughness(shown: GradientAscentViewer) -> float:
    """Return the mean difference of neighbouring pixels of what is drawn."""
    pixels = np.array(shown.pixels(), float)
    return float(sum(np.abs(np.diff(pixels, axis=axis)).mean() for axis in (0, 1)))


def test_turned_stopped_and_gone_on_with(slow: tuple[NotebookPage, GradientAscentViewer]) -> None:
    page, shown = slow
    shown.start()
    shown.wait_climbing(30)
    generation, before = shown.root.get_attribute("data-generation"), roughness(shown)
    for label, stop in (("Total variation", 42), ("L2", 21), ("Jitter", 4)):
        shown.slide(label, stop)
    page.kernel_wait("(viewer.tv, viewer.l2, viewer.jitter) == (10**6, 10, 3)")
    shown.wait_climbing(shown.step + 40)
    assert roughness(shown) < before / 4
    assert shown.root.get_attribute("data-generation") == generation

    page.run_cell(2)
    expect(page.locate("[data-mime-type='application/vnd.jupyter.stdout']")).to_have_text("42")
    assert page.kernel_eval("viewer.running")
    shown.drag(shown.curves, 0.9, 0.08)
    looked = shown.step
    page.kernel_wait(f"len(viewer.frames) > {looked + 40}")
    assert shown.step == looked
    shown.button("Newest").click()
    shown.wait_climbing(looked + 40)

    shown.button("Pause").click()
    shown.wait_state("paused")
    at = shown.step
    check(page, shown)
    page.page.wait_for_timeout(300)
    assert page.kernel_eval("(viewer.running, viewer.frames[-1].step)") == (False, at)
    shown.button("Step").click()
    shown.wait_step(at + 1)
    shown.wait_state("paused")
    shown.button("Resume").click()
    shown.wait_climbing(at + 10)

    page.clear_outputs()
    page.kernel_wait("not viewer.running")
    at = page.kernel_eval("viewer.frames[-1].step")
    assert at < page.kernel_eval("viewer.steps")  # not by coming to its end
    page.page.wait_for_timeout(300)
    assert page.kernel_eval("viewer.frames[-1].step") == at
    page.run_cell(0)
    shown.wait_state("empty")
    shown.start()


def test_several_side_by_side(notebook: NotebookPage, shown: GradientAscentViewer) -> None:
    shown.select("Measure", "probability")
    shown.select("Compare", "happy and sad")
    shown.run()
    expect(shown.root.get_by_text("probability of Trouser (0 … 1)")).to_be_visible()
    for panel, label in enumerate(("Trouser", "less of Trouser")):
        expect(shown.panel(panel).get_by_role("heading")).to_have_text(label)
        check_answers(notebook, shown, panel)
    assert shown.score(0) > 0.9
    assert shown.score(1) < 0.1

    shown.select("Compare", "seeds")
    shown.select("How many", "4")
    shown.run()
    drawn = []
    for panel in range(4):
        expect(shown.panel(panel).get_by_role("heading")).to_have_text(f"seed {panel}")
        assert shown.answers(panel)[0][0] == "Trouser"
        drawn.append(shown.pixels(panel))
    assert all(drawn.count(one) == 1 for one in drawn)

    shown.select("Compare", "neighbours")
    shown.choose_unit("block1.conv1", 3)  # which begins at once
    expect(shown.panel().get_by_role("heading")).to_have_text("block1.conv1:3")
    shown.wait_state("ended")
    means = []
    for panel, channel in enumerate(range(3, 7)):
        expect(shown.panel(panel).get_by_role("heading")).to_have_text(f"block1.conv1:{channel}")
        maps = f"net.activations({picture(shown, panel)}, ['block1.conv1'])['block1.conv1']"
        means.append(notebook.kernel_eval(f"{maps}[0, 3:7].mean((1, 2)).tolist()"))
    assert np.argmax(means, axis=0).tolist() == [0, 1, 2, 3]  # who likes which picture most
    shown.panel(2).get_by_role("button").click()
    expect(shown.root.get_by_role("article")).to_have_count(1)
    notebook.page.keyboard.press("Escape")
    expect(shown.root.get_by_role("article")).to_have_count(4)


def test_a_channel_clicked_in_a_linked_browser_climbs(open_notebook: OpenNotebook) -> None:
    page = open_notebook(UNIT, LINKED)
    page.run_all()
    shown, browser = GradientAscentViewer(page), LayerBrowser(page)
    browser.wait_state()
    browser.wait_shown("layer", "block1.conv1")
    shown.run()
    browser.tile(5).click()
    expect(shown.panel().get_by_role("heading")).to_have_text("block1.conv1:5")
    shown.wait_state("ended")
    assert page.kernel_eval("viewer.objective") == "block1.conv1:5"
    shown.choose_unit("block1.conv2", 7)
    browser.wait_shown("layer", "block1.conv2")
    browser.wait_shown("channel", 7)


def test_the_kernel_is_interrupted_restarted_and_killed(open_notebook: OpenNotebook) -> None:
    page = open_notebook(FASHION, SLOW, "print('waits')\nviewer.wait()", "import os; os._exit(1)")
    page.run_cell(0)
    page.run_cell(1)
    shown = GradientAscentViewer(page)
    shown.start()
    shown.wait_climbing(10)
    page.interrupt()
    shown.wait_climbing(shown.step + 10)
    page.run_cell(2, wait=False)
    page.wait_for(".jp-OutputArea-output", has_text="waits")
    page.page.wait_for_timeout(500)
    page.interrupt()
    page.forgive("KeyboardInterrupt")
    shown.wait_state("paused")
    page.wait_idle()
    shown.look(5)
    check(page, shown)
    drawn = shown.pixels()
    shown.button("Resume").click()
    shown.wait_climbing(20)

    page.restart_kernel()
    shown.wait_state("gone")
    expect(shown.root.get_by_text("The kernel was restarted")).to_be_visible()  # once
    expect(shown.button("Resume")).to_be_disabled()
    shown.look(5)
    assert shown.pixels() == drawn
    check_scrubbing(shown)

    for cell in (0, 1):
        page.run_cell(cell, wait=False)
        page.wait_until("() => cnnwDriver.finished()", seconds=60)
    shown.wait_state("empty")
    shown.start()
    shown.wait_climbing(20)
    page.run_cell(3, wait=False)
    shown.wait_state("gone")
    page.locate(".jp-Dialog").get_by_role("button").click()
    check_scrubbing(shown)


def check_scrubbing(shown: GradientAscentViewer) -> None:
    """Scrub by keys and by dragging: the pictures that were seen are still here."""
    shown.root.focus()
    shown.page.page.keyboard.press("Home")
    shown.wait_step(0)
    first = shown.pixels()
    shown.drag(shown.curves, 0.2, 0.8)
    expect(shown.panel()).not_to_have_attribute("data-step", "0")
    assert shown.pixels() != first


def test_the_exported_page_needs_no_kernel(
    notebook: NotebookPage,
    shown: GradientAscentViewer,
    open_file: Callable[[Path], Page],
    tmp_path: Path,
) -> None:
    shown.select("Compare", "happy and sad")
    shown.run()
    path = tmp_path / "viewer.html"
    notebook.kernel_eval(f"str(viewer.to_html({str(path)!r}))")
    page = open_file(path)
    saved = GradientAscentViewer(page)
    saved.wait_state("replay")
    saved.wait_step(64)
    for step in (0, 33):
        for view in (shown, saved):
            view.look(step)
        check(notebook, saved)
        for panel in (0, 1):
            assert saved.pixels(panel) == shown.pixels(panel)
            assert saved.answers(panel) == shown.answers(panel)
    saved.button("Play what is there (p)").click()
    saved.wait_step(64)
    expect(saved.button("Run")).to_be_disabled()
    page.screenshot("gradient-ascent-viewer-exported")


READABLE, VISIBLE = 4.5, 3.0  # contrasts of the Web Content Accessibility Guidelines


def test_themes_focus_and_a_narrow_column(
    notebook: NotebookPage, shown: GradientAscentViewer
) -> None:
    shown.select("Compare", "seeds")
    shown.run()
    notebook.page.evaluate(LOOK)
    for theme in ("Dark", "Light"):  # in the end as other tests expect it
        notebook.set_theme(theme)
        words = shown.root.evaluate("(root) => cnnwLook.words(root)")
        assert {"seed 5", "Total variation"} <= {text for text, _, _ in words}
        assert [(text, ratio) for text, ratio, _ in words if ratio < READABLE] == []
        notebook.screenshot(f"gradient-ascent-viewer-{theme.lower()}", ROOT)
    shown.root.focus()
    rings: dict[str, float] = {}
    for _ in range(40):
        notebook.page.keyboard.press("Tab")
        if not shown.root.evaluate("(root) => root.contains(document.activeElement)"):
            break
        role, contrast = notebook.page.evaluate("() => cnnwLook.ring()")
        rings[role] = min(contrast, rings.get(role, contrast))
    assert {"button", "select", "slider", "input", "summary"} <= set(rings)
    assert {role for role, ring in rings.items() if ring < VISIBLE} == set()
    shown.set_width(480)
    notebook.wait_until("root => root.scrollWidth <= 480", shown.root.element_handle())
    notebook.screenshot("gradient-ascent-viewer-480", ROOT)
