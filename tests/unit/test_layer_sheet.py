"""The figure and the preview: what is shown, in the front-end's colours, quickly."""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from PIL import Image, ImageColor, ImageDraw
from torch import Tensor, nn

from cnnwidgets.classes import Prediction
from cnnwidgets.network import Network
from cnnwidgets.widgets import colors
from cnnwidgets.widgets.drawing import shorten
from cnnwidgets.widgets.layer_browser import LayerBrowser
from cnnwidgets.widgets.layer_figure import draw
from cnnwidgets.widgets.layer_sheet import Sheet, preview
from cnnwidgets.widgets.passes import Range
from tests.architectures import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK = Path(__file__).parents[2] / "js" / "src" / "shared" / "look.ts"
NAN, INF = math.nan, math.inf
MAGENTA, ORANGE, CYAN = (240, 60, 210), (255, 157, 0), (0, 213, 245)
BEST = [Prediction(i, f"class $x_{i}$ <b>", 0.5 / (i + 1), 1.0) for i in range(5)]


def sheet(maps: Tensor, **change: Any) -> Sheet:
    picture = np.zeros((9, 7, 3), np.uint8)
    settings: dict[str, Any] = {
        "title": "0 · conv · 4×8×8",
        "picture": picture,
        "picture_name": "cat.png",
        "predictions": BEST,
        "maps": maps,
        "span": Range(-1.0, 2.0),
        "quantity": "activation",
        "table": "activations",
    }
    return Sheet(**{**settings, **change})


def test_colours_are_those_of_the_front_end() -> None:
    look = LOOK.read_text()
    for table, stops in colors.STOPS.items():
        found = re.search(rf"{table}: \[(.*?)\]", look)
        assert found
        assert re.findall("#[0-9a-f]{6}", found[1]) == stops.split()
    runs = re.search(r"RUNS = \[(.*?)\]", look)
    assert runs
    assert tuple(re.findall("#[0-9a-f]{6}", runs[1])) == colors.RUNS
    for name in ("NOT_A_NUMBER", "POSITIVE_INFINITY", "NEGATIVE_INFINITY"):
        there = "NAN" if name == "NOT_A_NUMBER" else name
        assert f'export const {there} = "{getattr(colors, name)}"' in look


def test_zero_is_the_neutral_colour_and_the_range_is_symmetric() -> None:
    values = np.array([-9, -2, 0, 2, 9, NAN, INF, -INF], np.float32)
    painted = colors.paint(values, 2.0, "activations").tolist()
    table = colors.colors("activations").tolist()
    assert painted[:5] == [table[0], table[0], table[128], table[256], table[256]]
    assert [tuple(c) for c in painted[5:]] == [MAGENTA, ORANGE, CYAN]
    assert table[128] == [239, 238, 235]
    assert (colors.paint(np.zeros(3, np.float32), 0.0, "weights") == [239, 238, 235]).all()


def test_the_mosaic_shows_each_map_on_one_scale() -> None:
    maps = torch.stack([torch.full((2, 2), v) for v in (-1.0, 0.0, 1.0, 2.0)])
    table = colors.colors("activations")
    mosaic = sheet(maps).mosaic()
    assert mosaic.shape == (5, 5, 3)
    for (row, column), entry in {(0, 0): 64, (0, 3): 128, (3, 0): 192, (3, 3): 256}.items():
        assert (mosaic[row : row + 2, column : column + 2] == table[entry]).all()
    assert (mosaic[2] == 255).all()
    own = sheet(maps, span=None).mosaic()
    assert (own[0, 0] == table[0]).all()
    assert (own[3, 0] == table[256]).all()


def test_rgb_filters_are_grey_at_zero() -> None:
    filters = torch.zeros(1, 3, 1, 3)
    filters[0, 0, 0, 1], filters[0, :, 0, 2] = 2.0, -2.0
    mosaic = sheet(filters, span=Range(-2.0, 2.0), table="weights").mosaic()
    assert mosaic[0].tolist() == [[127] * 3, [255, 127, 127], [0] * 3]


@pytest.mark.parametrize(
    "maps",
    [
        torch.randn(64, 224, 224),
        torch.randn(2048, 7, 7),
        torch.randn(1, 1, 1),
        torch.randn(3, 1, 400),
        torch.full((2, 3, 3), NAN),
        torch.tensor([[[INF, -INF, 0.0]]]),
        torch.zeros(5, 4, 4),
        torch.empty(0, 1, 1),
        torch.randn(10, 3, 5, 5),
        torch.randn(100),
        torch.tensor([NAN, INF, 1.0]),
        torch.randn(1),
    ],
    ids=lambda maps: "×".join(map(str, maps.shape)),
)
@pytest.mark.parametrize(
    "span", [None, pytest.param(Range(-1.0, 2.0), marks=pytest.mark.slow)], ids=["own", "given"]
)
def test_anything_can_be_drawn(maps: Tensor, span: Range | None) -> None:
    shown = sheet(maps, span=span)
    image = Image.open(io.BytesIO(preview(shown)))
    assert image.size == (900, 500)
    draw(shown).savefig(io.BytesIO(), dpi=40)


def test_the_heading_says_what_is_left_out() -> None:
    assert sheet(torch.zeros(64, 2, 2)).heading == "0 · conv · 4×8×8"
    assert sheet(torch.zeros(2048, 1, 1)).heading.endswith("first 64 of 2,048 maps")
    assert sheet(torch.zeros(1000)).heading.endswith("first 64 of 1,000 units")


@pytest.fixture
def browser(front_end: Path) -> Iterator[LayerBrowser]:
    assert front_end
    model, x = ARCHITECTURES["first_cnn"]()
    browser = LayerBrowser(Network(model, input_size=tuple(x.shape[1:])), x[0])
    yield browser
    browser.close()


def test_the_figure_says_what_is_shown(browser: LayerBrowser) -> None:
    figure = browser.figure()
    titles = [axes.get_title() for axes in figure.axes]
    assert browser._pictures["a"]["name"] in titles
    assert any(title.startswith(f"{browser.layer} · conv") for title in titles)
    assert figure.axes[-1].get_ylabel() == "activation"
    bars = figure.axes[1].patches
    rows = browser._predictions["a"]["rows"]
    expected = [row["probability"] for row in reversed(rows)]
    assert [bar.get_width() for bar in bars] == pytest.approx(expected)  # type: ignore[attr-defined]


def test_nothing_of_the_figure_is_cut_off() -> None:
    names = ["hen-of-the-woods, a fungus that has a long name", "hen", "x" * 60]
    best = [Prediction(i, name, 0.3, 1.0) for i, name in enumerate(names)]
    for maps in (torch.randn(3), torch.randn(32, 8, 8)):
        figure = draw(sheet(maps, predictions=best, unit_names=names))
        figure.savefig(io.BytesIO())
        box, whole = figure.get_tightbbox(), figure.get_size_inches()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert (box.max <= whole).all()


def test_values_of_the_output_bear_the_classes_names_and_the_colours_of_their_signs(
    browser: LayerBrowser,
) -> None:
    browser.layer = browser.net.layers[-1].name
    axes = browser.figure().axes[-1]
    count = len(browser._classes)
    assert [label.get_text() for label in axes.get_xticklabels()] == browser._classes
    bars: list[Any] = list(axes.patches)
    blue, red = (colors.STOPS["activations"].split()[at] for at in (1, -2))
    signs = [bar.get_height() < 0 for bar in bars]
    assert len(bars) == count
    assert {True, False} == set(signs)
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [blue if low else red for low in signs]
    shown = np.asarray(Image.open(io.BytesIO(browser.preview())).convert("RGB"))[30:490, 270:890]
    for color in (blue, red):
        assert (np.abs(shown.astype(int) - ImageColor.getrgb(color)).max(2) < 9).any()


def test_maps_bear_their_numbers_where_these_are_legible() -> None:
    maps = torch.randn(5, 8, 6)
    numbers = {text.get_text(): text.get_position() for text in draw(sheet(maps)).axes[-2].texts}
    assert list(numbers) == ["0", "1", "2", "3", "4"]
    mosaic = sheet(maps, span=None).mosaic()
    for (column, row), one in zip(numbers.values(), maps, strict=True):
        painted = colors.paint((one / one.abs().amax()).numpy(), 1.0, "activations")
        assert (mosaic[int(row) :, int(column) :][:8, :6] == painted).all()
    for unreadable in (torch.randn(3, 1, 400), torch.randn(1, 8, 8)):
        assert not draw(sheet(unreadable)).axes[-2].texts


@pytest.mark.parametrize(
    ("view", "color_range", "label"),
    [
        ("maps", "layer", "activation"),
        ("maps", "network", "activation"),
        ("mean", "channel", "mean activation"),
        ("mean", "layer", "mean activation"),
        ("mean", "network", "mean activation"),
        ("gradients", "layer", "gradient of the class score"),
        ("gradients", "network", "gradient of the class score"),
    ],
)
def test_the_figures_range_is_that_of_the_page(
    browser: LayerBrowser, view: str, color_range: str, label: str
) -> None:
    browser.view, browser.color_range = view, color_range
    of = "gradients" if view == "gradients" else "activations"
    asked = {"slot": "a", "key": browser._slots["a"].key, "layer": browser.layer, "of": of}
    told = browser.answer("layer", asked).value
    place = "mean_" if view == "mean" and color_range != "network" else ""
    prefix = "network_" if color_range == "network" else place
    legend = browser.figure().axes[-1]
    assert legend.get_ylabel() == label
    expected = max(abs(told[f"{prefix}low"]), abs(told[f"{prefix}high"]))
    assert legend.get_ylim() == pytest.approx((-expected, expected))


@pytest.mark.parametrize(
    ("view", "color_range", "label"),
    [
        ("maps", "channel", "activation, share of each map's largest"),
        ("filters", "layer", "weight"),
        ("filters", "network", "weight"),
    ],
)
def test_the_figure_follows_the_view(
    browser: LayerBrowser, view: str, color_range: str, label: str
) -> None:
    browser.view, browser.color_range = view, color_range
    assert browser.figure().axes[-1].get_ylabel() == label


def test_the_preview_says_what_its_colours_stand_for(browser: LayerBrowser) -> None:
    browser.color_range = "layer"
    low, high = float(browser.figure().axes[-1].get_ylim()[0]), browser._sheet().limit
    assert browser._sheet().legend == f"activation from {low:.4g} to {high:.4g}"
    browser.color_range = "channel"
    assert browser._sheet().legend == "activation, each map in its own range"


def test_the_previews_colours_are_those_of_the_maps(browser: LayerBrowser) -> None:
    with Image.open(io.BytesIO(browser.preview())) as file:
        shown = np.asarray(file.convert("RGB")).astype(int)
    mosaic = browser._sheet().mosaic().astype(int)
    scale = min(620 / mosaic.shape[1], 460 / mosaic.shape[0])
    sizes = [int(n * scale) for n in mosaic.shape[:2]]
    rows, columns = (np.arange(3, size, 7) for size in sizes)
    places = [
        (at + 0.5) * n / size
        for at, n, size in zip((rows, columns), mosaic.shape, sizes, strict=False)
    ]
    expected = mosaic[np.ix_(*(place.astype(int) for place in places))]
    difference = np.abs(shown[np.ix_(30 + rows, 270 + columns)] - expected)
    assert np.percentile(difference, 95) <= 8  # of 255: it has 256 colours in all


@pytest.mark.slow
def test_the_preview_does_not_load_matplotlib() -> None:
    code = (
        "import sys, torch; from cnnwidgets.widgets.layer_browser import LayerBrowser; "
        "b = LayerBrowser(torch.nn.Conv2d(1, 2, 3), torch.zeros(1, 224, 224)); "
        "b.preview(); print('matplotlib' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    if not (root / "cnnwidgets" / "static" / "layer_browser.js").exists():
        pytest.skip("the front-end is not built")
    out = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=root)
    assert out.split() == ["False"]


def test_the_preview_of_a_failing_model(front_end: Path) -> None:
    assert front_end
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(7, 2, 3))
    browser = LayerBrowser(Network(model, input_size=8), torch.zeros(3, 8, 8))
    browser.layer = "1"
    assert browser._repr_mimebundle_() is not None
    assert browser.error is None
    browser.close()


LONG = "German short-haired pointer, a dog of the long kind"


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("zebra", 5, "zebra"),
        ("a zebra", 5, "a…ra"),
        (LONG, 28, "German short-h…the long kind"),
        ("two  words\nmore", 20, "two words more"),
    ],
)
def test_long_names_lose_their_middle(text: str, most: int, expected: str) -> None:
    assert shorten(text, most) == expected
    assert len(expected) <= most


@pytest.mark.parametrize("maps", [torch.randn(3), torch.randn(70, 8, 8)])
def test_names_are_shortened_and_numbers_are_not(
    maps: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    text = ImageDraw.ImageDraw.text

    def noted(self: Any, at: Any, what: str, *args: Any) -> None:
        written.append(what)
        text(self, at, what, *args)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    layer = ".".join(["backbone", *["stage"] * 40, "conv1"])
    other = f"{LONG}, or another"
    best = [Prediction(0, LONG, 0.5, 1.0), Prediction(1, other, 0.25, 0.5)]
    shown = sheet(
        maps,
        title=f"{layer} · conv · 70×8×8",
        picture_name=f"{'holiday ' * 9}cat.png",
        predictions=best,
        quantity="gradient of the class score",
    )
    preview(shown)
    name, title, *bars = written
    assert name.startswith("holiday")
    assert name.endswith("cat.png")
    assert title.startswith("backbone.")
    first = " · first 64 of 70 maps" if maps.ndim > 1 else ""
    legend = f" · gradient of the class score from {-2:.4g} to {2:.4g}"
    assert title.endswith(f"conv1 · conv · 70×8×8{first}{legend}")
    assert bars == [f"50.0 %  {shorten(LONG, 28)}", f"25.0 %  {shorten(other, 28)}"]
    assert bars[0][7:] != bars[1][7:]
    figure = draw(shown)
    titles = [axes.get_title() for axes in figure.axes]
    assert any(t.startswith("backbone.") and f"· 70×8×8{first}" in t for t in titles)
    ticks = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert all("…" in tick and tick.count("\n") == 1 for tick in ticks)
    assert [tick[-4:] for tick in ticks] == ["ther", "kind"]
