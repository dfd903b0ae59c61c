"""The driver itself: what it can do in both hosts, and that it sees what goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.browser import Page
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebooks import Notebooks
    from tests.e2e.server import Host

TOY = "from tests.e2e.toy import Counter\ntoy = Counter()\ntoy"


@pytest.mark.parametrize("host", ["lab", "notebook"])
def test_a_widget_talks_to_its_kernel(open_notebook: OpenNotebook, host: Host) -> None:
    page = open_notebook("import sys", TOY, host=host)
    page.run_all()

    button = page.wait_for("button.toy", has_text="count 0")
    button.click()
    page.wait_for("button.toy", has_text="count 1")
    assert page.kernel_eval("toy.count") == 1

    page.kernel_eval("setattr(toy, 'count', 7)")
    page.wait_for("button.toy", has_text="count 7")
    assert page.screenshot(f"toy-{host}", "button.toy").stat().st_size > 0


def test_cells_reload_restart_clear(open_notebook: OpenNotebook) -> None:
    page = open_notebook(TOY, "toy.count = 3")
    page.run_cell(0)
    page.run_cell(1)
    page.wait_for("button.toy", has_text="count 3")

    page.reload()
    assert page.kernel_eval("toy.count") == 3
    page.restart_kernel()
    assert page.kernel_eval("'toy' in globals()") is False
    page.run_cell(0)
    page.wait_for("button.toy", has_text="count 0")
    page.clear_outputs()
    assert page.locate("button.toy").count() == 0


def test_interrupt(open_notebook: OpenNotebook) -> None:
    page = open_notebook("import time\nprint('asleep')\ntime.sleep(60)")
    page.run_cell(0, wait=False)
    page.wait_for(".jp-OutputArea-output", has_text="asleep")
    page.interrupt()
    page.wait_idle(seconds=20)
    assert page.problems() == ["cell 0: KeyboardInterrupt: "]
    page.forgive("KeyboardInterrupt")


def test_kernel_errors_raise_here(open_notebook: OpenNotebook) -> None:
    page = open_notebook("1 / 0")
    with pytest.raises(RuntimeError, match="NameError: name 'missing'"):
        page.kernel_eval("missing")
    with pytest.raises(RuntimeError, match="cell 0: ZeroDivisionError: division by zero"):
        page.run_all()
    assert page.problems() == ["cell 0: ZeroDivisionError: division by zero"]
    page.forgive("ZeroDivisionError")


def test_a_notebook_serves_another_test_as_if_new(notebooks: Notebooks) -> None:
    page = notebooks.open(TOY, "1 / 0")
    page.run_cell(0)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        page.run_cell(1)
    page.forgive("ZeroDivisionError")
    notebooks.keep(page)

    assert notebooks.open("import sys", "1 / 0") is page
    assert page.locate("button.toy").count() == 0
    assert page.kernel_eval("'toy' in globals()") is False
    assert page.kernel_eval("len(__import__('ipywidgets').Widget.widgets)") == 0
    with pytest.raises(RuntimeError, match="cell 1: ZeroDivisionError"):
        page.run_all()
    assert page.problems() == ["cell 1: ZeroDivisionError: division by zero"]
    page.forgive("ZeroDivisionError")
    notebooks.keep(page)


def test_a_test_that_leaves_the_package_changed_is_told(notebooks: Notebooks) -> None:
    page = notebooks.open("from cnnwidgets.widgets import turns", "turns.TURN = 0")
    page.run_all()
    with pytest.raises(AssertionError, match=r"turns\.TURN'\] stays changed"):
        notebooks.keep(page)
    assert page.page.is_closed()


PAGE = """<!doctype html><script>
console.error("said on the console");
fetch("https://example.org/").catch(() => {});
setTimeout(() => { throw new Error("thrown later"); });
</script>"""


def test_every_problem_is_seen(open_file: Callable[[Path], Page], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE)
    page = open_file(tmp_path / "page.html")
    page.page.wait_for_timeout(300)
    problems = "\n".join(page.problems())
    for pattern in ("said on the console", "external request: https://example", "thrown later"):
        assert pattern in problems
        page.forgive(pattern)
    page.forgive("ERR_INTERNET_DISCONNECTED")
    assert page.problems() == []
