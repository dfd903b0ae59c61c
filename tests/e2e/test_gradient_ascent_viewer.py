"""Pictures that climb: what is drawn is what the kernel has, whatever is pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.gradient_ascent_viewer import FASHION, ROOT, GradientAscentViewer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.browser import Page
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage
    from tests.e2e.server import Host

LINKED = """
browser = cw.LayerBrowser(net, images[0])
tied = cw.link(browser, viewer)
browser
"""
AT_ONCE = """(root, turns) => {
    let state = 7;
    const roll = below => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
    const press = () => {
        const all = root.querySelectorAll("button, summary, input, select");
        const one = all[roll(all.length)];
        if (one.type === "range") {
            one.value = roll(Number(one.max));
            one.dispatchEvent(new Event("input", { bubbles: true }));
        } else if (one.tagName === "SELECT") {
            one.selectedIndex = roll(one.options.length);
            one.dispatchEvent(new Event("change", { bubbles: true }));
        } else if (!/GIF|WebP|PNG|MP4/.test(one.textContent)) one.click();
    };
    return new Promise(done => {
        const timer = setInterval(() => {
            press();
            if (--turns === 0) { clearInterval(timer); done(); }
        }, 25);
    });
}"""


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


@pytest.mark.parametrize("host", ["lab", "notebook"])
def test_what_is_drawn_is_what_climbs(open_notebook: OpenNotebook, host: Host) -> None:
    page = open_notebook(FASHION, host=host)
    page.run_all()
    shown = GradientAscentViewer(page)
    shown.run()
    for step in (64, 20, 0):
        shown.look(step)
        shown.wait_step(step)
        frame = f"next(one for one in viewer.frames if one.step == {step})"
        assert shown.number("score") == pytest.approx(page.kernel_eval(f"{frame}.score"), rel=1e-5)
        restored = f"net.restore({frame}.image[None])[0, :, :, 0].tolist()"
        assert shown.pixels() == page.kernel_eval(restored)
    shown.look(64)
    name = page.kernel_eval("viewer.frames[-1].prediction.name")
    expect(shown.root.get_by_text(f"network: {name}")).to_be_visible()
    page.screenshot(f"gradient-ascent-viewer-{host}", ROOT)


def test_pauses_steps_and_goes_on(notebook: NotebookPage, shown: GradientAscentViewer) -> None:
    notebook.kernel_eval("setattr(viewer, 'steps', 2048)")
    shown.button("Run").click()
    shown.wait_climbing(3)
    shown.button("Pause").click()
    shown.wait_state("paused")
    at = int(shown.number("step"))
    assert at == notebook.kernel_eval("viewer.frames[-1].step")
    shown.button("Step").click()
    shown.wait_step(at + 1)
    shown.wait_state("paused")
    shown.button("Resume").click()
    shown.wait_climbing(at + 10)
    shown.button("Reset").click()
    shown.wait_state("empty")
    assert notebook.kernel_eval("len(viewer.frames)") == 0


def test_a_change_while_it_climbs_acts(notebook: NotebookPage, shown: GradientAscentViewer) -> None:
    notebook.kernel_eval("setattr(viewer, 'steps', 2048)")
    shown.button("Run").click()
    shown.wait_climbing(3)
    shown.root.get_by_role("slider", name="Rate").fill("0")
    notebook.wait_until(
        f"() => document.querySelector('{ROOT} [aria-valuetext=\"0.001\"]') !== null"
    )
    before = shown.root.get_attribute("data-generation")
    shown.select("Compare", "seeds")
    expect(shown.root.locator("article")).to_have_count(6)
    assert shown.root.get_attribute("data-generation") != before
    assert notebook.kernel_eval("(viewer.lr, viewer.compare)") == (0.001, "seeds")
    shown.button("Pause").click()
    shown.wait_state("paused")


def test_a_channel_of_a_linked_browser_is_climbed(open_notebook: OpenNotebook) -> None:
    page = open_notebook(FASHION.replace("class:Trouser", "block1.conv1:0"), LINKED)
    page.run_all()
    shown = GradientAscentViewer(page)
    shown.run()
    page.kernel_eval("setattr(browser, 'channel', 3)")
    expect(shown.root.get_by_role("article")).to_contain_text("block1.conv1:3")
    shown.wait_state("ended")
    expect(shown.root.get_by_text("mean activation of block1.conv1:3").first).to_be_visible()


def test_a_file_is_downloaded(notebook: NotebookPage, shown: GradientAscentViewer) -> None:
    shown.run()
    shown.root.locator("summary", has_text="Save").click()
    with notebook.page.expect_download() as coming:
        shown.root.get_by_role("button", name="GIF").click()
    assert coming.value.suggested_filename == "class-Trouser.gif"
    assert coming.value.path().read_bytes()[:4] == b"GIF8"


def test_after_a_restart_what_was_seen_still_plays(
    notebook: NotebookPage, shown: GradientAscentViewer
) -> None:
    shown.run()
    notebook.restart_kernel()
    shown.wait_state("gone")
    shown.look(10)
    shown.wait_step(10)
    expect(shown.button("Run")).to_be_disabled()


def test_pressing_everything_at_once_breaks_nothing(
    notebook: NotebookPage, shown: GradientAscentViewer
) -> None:
    shown.run()
    shown.root.evaluate(AT_ONCE, 400)
    notebook.page.keyboard.press("Escape")
    notebook.kernel_eval(
        "viewer.stop() or [setattr(viewer, *to) for to in "
        "dict(objective='class:Bag', compare='none', steps=9, size=None).items()]"
    )
    notebook.kernel_eval("viewer.reset() or viewer.run() or viewer.wait()")
    shown.wait_state("ended")
    shown.wait_step(9)
    expect(shown.root.locator("article")).to_have_count(1)


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
    saved.wait_step(64, panel=1)
    for step in (0, 33):
        saved.look(step)
        saved.wait_step(step)
        shown.look(step)
        shown.wait_step(step)
        assert [saved.pixels(panel) for panel in (0, 1)] == [
            shown.pixels(panel) for panel in (0, 1)
        ]
    saved.button("Play what is there (p)").click()
    saved.wait_step(64)
    page.screenshot("gradient-ascent-viewer-exported")


def test_themes_and_a_narrow_column(notebook: NotebookPage, shown: GradientAscentViewer) -> None:
    shown.select("Compare", "seeds")
    shown.run()
    for theme in ("Dark", "Light"):  # in the end as other tests expect it
        notebook.set_theme(theme)
        notebook.screenshot(f"gradient-ascent-viewer-{theme.lower()}", ROOT)
    shown.root.evaluate("root => { root.parentElement.style.width = '480px'; }")
    assert shown.root.evaluate("root => root.scrollWidth") <= 480
    notebook.screenshot("gradient-ascent-viewer-480", ROOT)
