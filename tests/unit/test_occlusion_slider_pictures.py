"""What an occlusion slider draws where there is no JavaScript: the figure and the preview."""

from __future__ import annotations

import base64
import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnwidgets.widgets.occlusion_cells import Cells
from cnnwidgets.widgets.pictures import seen
from tests.kernel import PATIENCE
from tests.small import CLASSES

if TYPE_CHECKING:
    from cnnwidgets.widgets.occlusion_slider import OcclusionSlider

pytestmark = pytest.mark.usefixtures("front_end")


def test_the_figure(slider: OcclusionSlider) -> None:
    slider.kept = [(0, 0, 4), (9, 9, 3)]
    picture, _ = slider.figure().axes
    assert "beside 2 kept" in picture.get_title()
    boxes: list[Any] = list(picture.patches)
    assert [text.get_text() for text in picture.texts] == ["1", "2"]
    frames = [(box.get_x(), box.get_width()) for box in boxes]
    assert frames == [(-0.5, 4), (8.5, 3), (slider.column - 0.5, 4)]
    slider.run()
    slider.wait(PATIENCE)
    *_, map_, bar = slider.figure().axes
    said = map_.get_title().replace("\n", " ")
    assert said == f"probability of {CLASSES[slider.target]} with the patch here beside 2 kept"
    assert "low = important" in bar.get_ylabel()
    assert slider.result is not None
    mark: Any = bar.lines[-1]
    assert mark.get_ydata()[0] == slider.result.baseline


def test_the_figure_and_the_preview_draw_what_is_on_screen(slider: OcclusionSlider) -> None:
    """Each score in the middle of its patch, not a mean over the patches that cover a pixel."""
    slider.run()
    slider.wait(PATIENCE)
    assert slider.result is not None
    scores = slider.result.scores
    cells = slider._cells()
    assert cells is not None
    expected = torch.full((16, 16), torch.nan)
    for i, row in enumerate(range(0, 14, 2)):
        for j, column in enumerate(range(0, 14, 2)):
            expected[row + 1 : row + 3, column + 1 : column + 3] = scores[i, j]
    drawn: Any = slider.figure().axes[2].images[-1]
    for values in (cells.values, drawn.get_array().filled(np.nan)):
        np.testing.assert_allclose(values, expected.numpy())
    found = [*scores.flatten().tolist(), slider.result.baseline]
    assert cells.span == pytest.approx((min(found), max(found)))
    assert drawn.get_clim() == pytest.approx(cells.span)


def test_the_scale_reaches_to_the_score_without_the_patch() -> None:
    values = np.array([[0.25, np.nan], [0.5, np.inf]], np.float32)
    assert Cells(values, 0.75, "").span == (0.25, 0.75)
    assert Cells(values, 0.125, "").span == (0.125, 0.5)
    assert Cells(values, np.nan, "").span == (0.25, 0.5)
    assert Cells(np.full((1, 1), np.nan, np.float32), np.nan, "").span == (0.0, 0.0)


def test_the_preview_needs_no_matplotlib(
    slider: OcclusionSlider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    slider.kept, slider.row, slider.column = [(0, 0, 4)], 10, 10
    before = Image.open(io.BytesIO(slider.preview())).convert("RGB")
    assert not [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]
    mean, _ = seen(slider.net, slider._probing.filled("mean"))
    for pixel in (2, 12):  # in the middle of either patch
        at = [start + round((pixel + 0.5) * 280 / 16) for start in (10, 30)]
        assert before.getpixel(at) == pytest.approx(tuple(mean[0, 0].tolist()), abs=8)
    white = before.crop((610, 30, 890, 310))
    assert np.asarray(white).min() > 250
    slider.run()
    slider.wait(PATIENCE)
    after = Image.open(io.BytesIO(slider.preview())).convert("RGB")
    assert np.asarray(after.crop((620, 40, 880, 300))).mean() < 240


def test_the_mimebundle_holds_the_preview(slider: OcclusionSlider) -> None:
    made = slider._repr_mimebundle_()
    assert made is not None
    assert base64.b64decode(made[0]["image/png"]) == slider.preview()
