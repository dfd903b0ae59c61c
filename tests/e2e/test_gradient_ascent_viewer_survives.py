"""Whatever is pressed: half a minute at random, after which everything is as before."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.e2e.footprint import footprint
from tests.e2e.gradient_ascent_viewer import FASHION, GradientAscentViewer

if TYPE_CHECKING:
    from tests.e2e.conftest import OpenNotebook
    from tests.e2e.notebook_page import NotebookPage

AT_RANDOM = """(root, [part, across, down]) => {
    const inside = element => element && root.contains(element);
    const parts = "button, summary, input, select, [role=option], [role=slider]";
    const all = [...root.querySelectorAll(parts)].filter(element => element.checkVisibility());
    const one = part ? all[Math.floor(across * all.length)] : root;
    if (part) one.scrollIntoView({ block: "nearest" });
    const { x, y, width, height } = one.getBoundingClientRect();
    const at = part ? [x + width / 2, y + height / 2] : [x + across * width, y + down * height];
    if (!inside(document.activeElement)) root.focus();
    getSelection().removeAllRanges();  // to drag selected words crashes a headless Chromium
    return inside(document.elementFromPoint(...at)) ? at : null;
}"""
KEYS = (
    *("Space", "Space", "s", "p", "?", "Enter", "Escape", "Home", "End", "PageUp", "PageDown"),
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Shift+ArrowLeft"),
)
HELD = """
import gc, threading

def held():
    gc.collect()
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    model = net.model
    return dict(
        hooks=sum(len(getattr(module, name)) for module in model.modules() for name in hooks),
        ascents=sum(type(one).__name__ == "Ascent" for one in gc.get_objects()),
        workers=sum("cnnwidgets" in thread.name for thread in threading.enumerate()),
        waiting=len(viewer._jobs),
        pages=len(viewer._pages),
        trained=[parameter.requires_grad for parameter in model.parameters()],
        training=model.training,
        weights=[parameter.double().sum().item() for parameter in model.parameters()],
    )

from cnnwidgets.widgets.ascent_checks import ANEW, LIVE
begun = {name: getattr(viewer, name) for name in (*ANEW, *LIVE, "steps", "follow", "playing")}

def begin():
    viewer.stop()
    for name, value in begun.items():
        setattr(viewer, name, value)
    viewer.stop()
    viewer.reset()
"""
"""A cell: what the kernel has of the viewer and of its model; how to bring it where it began."""
MORE = {"detached": 20, "heap": 4_000_000}
"""What the page may have more of afterwards: Preact holds the last version of each part that was
there, and JupyterLab's own grows the heap. Listeners and elements of the widget: none."""


def calm(page: NotebookPage, shown: GradientAscentViewer) -> None:
    """Bring it to where it began, whatever was pressed."""
    for _ in range(3):  # the keys, a panel, one of the pictures
        shown.root.focus()
        page.page.keyboard.press("Escape")
    shown.root.evaluate("root => root.querySelectorAll('[open]').forEach(one => { one.open = 0; })")
    page.kernel_eval("begin()")
    shown.wait_state("empty")
    page.kernel_wait("held()['workers'] == 0")  # which end when they are idle


def press_at_random(shown: GradientAscentViewer, random: Random, seconds: float) -> None:
    """Click, drag and type in the widget."""
    mouse, keyboard = shown.page.page.mouse, shown.page.page.keyboard
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        what = random.choice(["part", "part", "part", "place", "drag", "key", "key"])
        chances = [what == "part", random.random(), random.random()]
        at = shown.root.evaluate(AT_RANDOM, chances)
        if what == "key":
            keyboard.press(random.choice(KEYS))
        elif at:
            mouse.move(*at)
            mouse.down()
            if what == "drag":
                mouse.move(at[0] + random.uniform(-300, 300), at[1], steps=3)
            mouse.up()


@pytest.mark.slow
def test_half_a_minute_of_pressing_at_random(open_notebook: OpenNotebook) -> None:
    page = open_notebook(FASHION, HELD)
    page.run_all()
    shown, random = GradientAscentViewer(page), Random(5)  # noqa: S311 - of no secret
    shown.run()
    press_at_random(shown, random, 3)  # what is made once is there then
    calm(page, shown)
    held, before = page.kernel_eval("held()"), footprint(page, shown.ROOT)
    press_at_random(shown, random, 30)
    calm(page, shown)
    assert page.kernel_eval("held()") == held
    grown = {name: now - before[name] for name, now in footprint(page, shown.ROOT).items()}
    assert {name for name, more in grown.items() if more > MORE.get(name, 0)} == set(), str(grown)
    assert page.kernel_eval("viewer._error is None")
    shown.run()
    last = "(viewer.frames[-1].step, viewer.frames[-1].prediction.name)"
    assert (shown.step, shown.answers()[0][0]) == page.kernel_eval(last)
