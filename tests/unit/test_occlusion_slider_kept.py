"""Several patches at once: the kept ones act together with the one that is moved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from cnnwidgets.attribution.occlusion import occlusion
from cnnwidgets.widgets.occlusion_slider import OcclusionSlider
from cnnwidgets.widgets.wire import unpack
from tests.kernel import PATIENCE, Browser
from tests.occluding import asked, covered
from tests.small import noise
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from torch import Tensor

    from cnnwidgets.network import Network

pytestmark = pytest.mark.usefixtures("front_end")

KEPT = [(0, 0, 5), (9, 10, 3)]


def logits(net: Network, *boxes: tuple[int, int, int]) -> Tensor:
    with torch.no_grad():
        found: Tensor = net.model.eval()(covered(net, *boxes))[0]
    return found


def test_the_bars_are_of_all_patches_together(slider: OcclusionSlider, net: Network) -> None:
    bare = logits(net)
    with assert_untouched(net.model):
        slider.kept = KEPT
        slider.row, slider.column = 7, 8
    expected = logits(net, *KEPT, (7, 8, 4))
    for one in slider.probabilities:
        index = one["index"]
        assert one["logit"] == pytest.approx(float(expected[index]), abs=1e-4)
        assert one["logit_change"] == pytest.approx(float((expected - bare)[index]), abs=1e-4)
    slider.kept = KEPT[1:]
    expected = logits(net, *KEPT[1:], (7, 8, 4))
    first = slider.probabilities[0]
    assert first["logit"] == pytest.approx(float(expected[first["index"]]), abs=1e-4)


def test_the_browser_asks_for_them(slider: OcclusionSlider, net: Network) -> None:
    page = Browser(slider)
    page.set(kept=[[0, 0, 5], [9, 10, 3], [0, 0, 5]])
    assert slider.kept == KEPT  # each once
    rows = page.request("patch", **asked(slider, kept=KEPT)).value["rows"]
    expected = logits(net, *KEPT, (3, 5, 4))
    assert {one["index"]: one["logit"] for one in rows} == pytest.approx(
        dict(enumerate(expected.tolist())), abs=1e-4
    )
    page.set(row=3, column=5)
    assert slider.probabilities == rows
    assert "kept, window: 99" in page.refusal("patch", **asked(slider, kept=[[0, 0, 99]]))


def test_the_layers_notice_all_of_them(slider: OcclusionSlider, net: Network) -> None:
    args = asked(slider, kept=KEPT)
    del args["target"]
    first = Browser(slider).request("layers", **args).value["layers"][0]
    conv = next(module for module in net.model.modules() if isinstance(module, torch.nn.Conv2d))
    with torch.no_grad():
        before, after = conv(covered(net)), conv(covered(net, *KEPT, (3, 5, 4)))
    assert first["change"] == pytest.approx(
        float((after - before).norm() / before.norm()), rel=1e-4
    )


def test_a_sweep_leaves_them_where_they_are(slider: OcclusionSlider, net: Network) -> None:
    slider.kept = KEPT
    slider.run()
    assert slider.wait(PATIENCE)
    fill = net.prepare(noise(0)).mean((2, 3), keepdim=True)[0]
    expected = occlusion(net, covered(net, *KEPT)[0], slider.target, window=4, stride=2, fill=fill)
    assert slider.result is not None
    torch.testing.assert_close(slider.result.scores, expected.scores)
    sweep = slider._sweep
    assert sweep["kept"] == KEPT
    beside, bare = logits(net, *KEPT), logits(net)
    for one in sweep["classes"]:
        assert one["logit"] == pytest.approx(float(beside[one["index"]]), abs=1e-4)
        assert one["bare"]["logit"] == pytest.approx(float(bare[one["index"]]), abs=1e-4)
        chance = 1 / (1 + math.exp(-one["bare"]["log_odds"]))
        assert chance == pytest.approx(float(bare.softmax(0)[one["index"]]), abs=1e-5)
    place = [one["index"] for one in sweep["classes"]].index(slider.target)
    there = logits(net, *KEPT, (6, 10, 4))[slider.target]
    assert unpack(sweep["scores"])[0][place][3][5] == pytest.approx(float(there), abs=1e-4)


def test_they_stay_when_the_weights_change(slider: OcclusionSlider, net: Network) -> None:
    slider.kept = KEPT
    with torch.no_grad():
        next(net.model.parameters()).mul_(-1)
    slider.row = 3
    expected = logits(net, *KEPT, (3, slider.column, 4))
    assert slider.kept == KEPT
    first = slider.probabilities[0]
    assert first["logit"] == pytest.approx(float(expected[first["index"]]), abs=1e-4)


def test_they_may_be_given_at_the_beginning(net: Network) -> None:
    slider = OcclusionSlider(net, noise(0), window=4, kept=KEPT)
    expected = logits(net, *KEPT, (slider.row, slider.column, 4))
    first = slider.probabilities[0]
    assert first["logit"] == pytest.approx(float(expected[first["index"]]), abs=1e-4)
    slider.close()
