"""What tests of widgets share: no kernel, and a front-end that needs no build."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from cnnwidgets.network import Network
from cnnwidgets.widgets import bundles
from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.occlusion_slider import OcclusionSlider
from tests.kernel import Browser, FakeComm
from tests.small import CLASSES, noise, small_model
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """What is imported stays; to look through it for garbage took a third of the tests' time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def front_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of built front-ends that holds next to nothing; comms are recorded."""
    for name in (
        "gradient_ascent_viewer",
        "layer_browser",
        "occlusion_slider",
        "saliency_viewer",
        "training_monitor",
        "toy",
        "host",
    ):
        (tmp_path / f"{name}.js").write_text(f"export default {{ name: '{name} </script>' }};")
        (tmp_path / f"{name}.css").write_text(f".cnnw-{name} {{ color: red }}")
    monkeypatch.setattr(bundles, "STATIC", tmp_path)
    monkeypatch.setattr("comm.create_comm", FakeComm)
    return tmp_path


@pytest.fixture
def net() -> Network:
    return Network(small_model(), classes=CLASSES, input_size=16)


@pytest.fixture
def browser(net: Network, front_end: Path) -> Iterator[LayerBrowser]:
    """Shows `noise(0)` and has three pictures to choose from."""
    assert front_end
    images = {"one": noise(1), "<i>two</i>": noise(2), "grey": noise(3, channels=1)}
    with assert_untouched(net.model):
        browser = LayerBrowser(net, noise(0), images=images)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: LayerBrowser) -> Browser:
    return Browser(browser)


@pytest.fixture
def slider(net: Network, front_end: Path) -> Iterator[OcclusionSlider]:
    """Shows `noise(0)` and a patch of 4 × 4 pixels."""
    assert front_end
    with assert_untouched(net.model):
        slider = OcclusionSlider(net, noise(0), window=4, stride=2)
    yield slider
    slider.close()
