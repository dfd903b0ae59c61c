"""Take the pictures of the README from a real JupyterLab: light, dark, and a 480 px column.

Usage: ``make screenshots``; ``make screenshots ARGS="layer-browser"`` takes those of one widget.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.e2e import layer_browser
from tests.e2e.browser import Browser, Page
from tests.e2e.gradient_ascent_viewer import GradientAscentViewer
from tests.e2e.layer_browser import LayerBrowser
from tests.e2e.notebook_page import NotebookPage
from tests.e2e.occlusion_slider import OcclusionSlider
from tests.e2e.saliency_viewer import SaliencyViewer
from tests.e2e.server import Server
from tests.e2e.training_monitor import TrainingMonitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LIMIT = 600_000  # bytes

SLIDER = """
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
slider = cw.OcclusionSlider(net, images[7], window=6, stride=1)
slider
"""
VIEWER = """
import cnnwidgets as cw
net, photographs = cw.samples.imagenet()[:2]
viewer = cw.SaliencyViewer(net, photographs[0], compare=["smoothgrad", "grad_cam"])
viewer
"""
MONITOR = """
from collections import OrderedDict
import torch
from torch import nn
import cnnwidgets as cw

torch.set_num_threads(1)  # so small a net is no quicker with more
images, labels = cw.samples.fashion_training()
x, y = torch.from_numpy(images)[:, None] / 255, torch.from_numpy(labels)
names = cw.samples.fashion()[0].classes

def train(rate):
    torch.manual_seed(0)
    model = nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 16, 5), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(16, 32, 5), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(), fc=nn.Linear(512, 10),
    ))
    optimizer = torch.optim.Adam(model.parameters(), rate)
    net = cw.Network(model, names, input_size=(1, 28, 28), mean=0.0, std=1.0)
    with cw.Recorder(net, f"rate {rate}", every=4, snapshots=16, probe=x[:4]) as run:
        for step in range(240):
            chosen = torch.arange(64 * step, 64 * (step + 1)) % 4000
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
            if step % 12 == 11:
                with torch.no_grad():
                    output = model(x[4000:])
                run.log(
                    val_loss=nn.functional.cross_entropy(output, y[4000:]),
                    val_accuracy=(output.argmax(1) == y[4000:]).float().mean(),
                )
    return run

monitor = cw.TrainingMonitor(train(0.003), train(0.1))
monitor
"""
ZEBRA = """
import torch
import cnnwidgets as cw
torch.set_num_threads(1)
net = cw.samples.imagenet()[0]
viewer = cw.GradientAscentViewer(net, cw.Class("zebra"), compare="sad", size=112, steps=128)
viewer
"""
CHANNELS = """
import torch
import cnnwidgets as cw
torch.set_num_threads(1)
net = cw.samples.fashion()[0]
viewer = cw.GradientAscentViewer(net, "block2.conv2:0", compare="channels", steps=64)
viewer
"""


def shoot(page: Page, root: Locator, name: str) -> None:
    """Save a widget as an optimised PNG."""
    page.page.mouse.move(0, 0)
    page.page.evaluate("() => document.activeElement?.blur()")
    page.page.wait_for_timeout(300)  # transitions
    path = IMAGES / f"{name}.png"
    root.screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        picture.convert("RGB").save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB")
    if size > LIMIT:
        raise ValueError(f"{path.name} has {size:,} bytes; at most {LIMIT:,} are wanted")


def both_themes(page: NotebookPage, root: Locator, name: str) -> None:
    """Save a widget in the light and in the dark theme, and go on in the light one."""
    for theme in ("Dark", "Light"):
        page.set_theme(theme)
        shoot(page, root, f"{name}-{theme.lower()}")


def narrow(page: NotebookPage, root: Locator, name: str) -> None:
    """Save a widget in a narrow column."""
    page.page.set_viewport_size({"width": 1280, "height": 1800})
    root.evaluate("root => { root.parentElement.style.width = '480px'; }")
    page.page.wait_for_timeout(500)
    shoot(page, root, f"{name}-480")


def layers(page: NotebookPage) -> None:
    """Take the LayerBrowser: maps of a layer, and the receipt of a unit."""
    shown = LayerBrowser(page)
    shown.wait_state()
    shown.choose_layer("block1.conv2")
    both_themes(page, shown.root, "layer-browser")
    shown.enlarge(3)
    shown.hover("map", 9, 12, click=True)
    shown.receipt.locator("[data-equal]").wait_for()
    shoot(page, shown.root, "layer-browser-receipt")
    page.page.keyboard.press("Escape")
    shown.root.focus()
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Escape")
    narrow(page, shown.root, "layer-browser")


def occlusion(page: NotebookPage) -> None:
    """Take the OcclusionSlider: a patch that changes the answer, over the map of a sweep."""
    shown = OcclusionSlider(page)
    shown.wait_state()
    page.kernel_eval("slider.run() or slider.wait()")
    page.kernel_eval("slider.set_trait('row', 20) or slider.set_trait('column', 13)")
    shown.wait_answered(20, 13)
    both_themes(page, shown.root, "occlusion-slider")
    narrow(page, shown.root, "occlusion-slider")


def saliency(page: NotebookPage) -> None:
    """Take the SaliencyViewer: three methods on one photograph."""
    shown = SaliencyViewer(page)
    shown.wait_state()
    page.kernel_eval("viewer.run() or viewer.wait()")
    page.page.wait_for_timeout(2000)
    both_themes(page, shown.root, "saliency-viewer")
    narrow(page, shown.root, "saliency-viewer")


def training(page: NotebookPage) -> None:
    """Take the TrainingMonitor: the curves of two runs, and the histograms of a layer."""
    shown = TrainingMonitor(page)
    shown.wait_state()
    both_themes(page, shown.root, "training-monitor")
    shown.choose_tab("Distributions")
    shoot(page, shown.root, "training-monitor-distributions")
    shown.choose_tab("Curves")
    narrow(page, shown.root, "training-monitor")


def ascent(page: NotebookPage) -> None:
    """Take the GradientAscentViewer: what a class of a large network wants to see."""
    shown = climbed(page)
    both_themes(page, shown.root, "gradient-ascent-viewer")
    narrow(page, shown.root, "gradient-ascent-viewer")


def channels(page: NotebookPage) -> None:
    """Take the GradientAscentViewer with channels of a layer side by side."""
    shoot(page, climbed(page).root, "gradient-ascent-viewer-channels")


def climbed(page: NotebookPage) -> GradientAscentViewer:
    """Let the viewer's pictures become what they can."""
    shown = GradientAscentViewer(page)
    page.kernel_eval("viewer.run() or viewer.wait()")
    shown.wait_state("ended")
    return shown


SCENES: dict[str, list[tuple[str, Callable[[NotebookPage], None]]]] = {
    "layer-browser": [(layer_browser.FASHION, layers)],
    "occlusion-slider": [(SLIDER, occlusion)],
    "saliency-viewer": [(VIEWER, saliency)],
    "training-monitor": [(MONITOR, training)],
    "gradient-ascent-viewer": [(ZEBRA, ascent), (CHANNELS, channels)],
}


def main() -> None:
    """Take those of the widgets named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Take the pictures of the README.")
    parser.add_argument("widgets", nargs="*", help=", ".join(SCENES))
    names = parser.parse_args().widgets or list(SCENES)
    if unknown := set(names) - set(SCENES):
        parser.error(f"no pictures of {', '.join(unknown)}; choose from {', '.join(SCENES)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Server("lab") as server, Browser() as browser:
        for cell, take in (scene for name in names for scene in SCENES[name]):
            page = NotebookPage(browser.context(), server, server.write(cell))
            page.run_all()
            take(page)
            page.close()


if __name__ == "__main__":
    main()
