"""The occlusion slider as an object: patches, sweeps, what it refuses, what it leaves alone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.attribution.occlusion import occlusion
from cnnwidgets.widgets.occlusion_slider import OcclusionSlider
from cnnwidgets.widgets.wire import unpack
from tests.kernel import PATIENCE, Browser, eventually
from tests.occluding import asked, held, plain
from tests.small import CLASSES, noise
from tests.untouched import assert_untouched

if TYPE_CHECKING:
    from pathlib import Path

    from cnnwidgets.network import Network

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture
def page(slider: OcclusionSlider) -> Browser:
    page = Browser(slider)
    page.send("hello")
    return page


def test_it_begins_in_the_middle_with_the_predicted_class(net: Network) -> None:
    slider = OcclusionSlider(net, noise(0))
    top = net.predict(noise(0))
    assert (slider.window, slider.stride) == (2, 1)
    assert (slider.row, slider.column) == (7, 7)
    assert slider.target == top[0].index
    assert [one["index"] for one in slider.probabilities][:5] == [one.index for one in top]
    assert slider.comm.state["_classes"] == CLASSES
    assert (slider.running, slider.progress, slider.result) == (False, 0.0, None)
    assert slider.comm.state["_sweep"] is None
    slider.close()


def test_a_patch_placed_by_hand_is_answered_at_once(slider: OcclusionSlider, net: Network) -> None:
    bare = net.output(net.prepare(noise(0)))[0]
    with assert_untouched(net.model):
        slider.row, slider.column = 3, 5
    logits = plain(net, 3, 5)
    for one in slider.probabilities:
        index = one["index"]
        assert one["name"] == CLASSES[index]
        assert one["logit"] == pytest.approx(float(logits[index]), abs=1e-4)
        assert one["probability"] == pytest.approx(float(logits.softmax(0)[index]), abs=1e-5)
        before = float(bare.softmax(0)[index])
        assert one["change"] == pytest.approx(one["probability"] - before, abs=1e-6)
        assert one["logit_change"] == pytest.approx(float(logits[index] - bare[index]), abs=1e-4)
        odds = float(logits.softmax(0)[index].logit())
        assert one["log_odds"] == pytest.approx(odds, abs=1e-3)
        assert one["log_odds_change"] == pytest.approx(
            odds - float(bare.softmax(0)[index].logit()), abs=1e-3
        )


def test_the_browser_asks_and_gets_the_same(
    slider: OcclusionSlider, page: Browser, net: Network
) -> None:
    page.set(row=0, column=13)
    before = slider.probabilities
    with assert_untouched(net.model):
        answer = page.request("patch", **asked(slider, row=0, column=13))
    rows = answer.value["rows"]
    logits = plain(net, 0, 13)  # over the edge: it ends there
    assert {one["index"]: one["logit"] for one in rows} == pytest.approx(
        dict(enumerate(logits.tolist())), abs=1e-4
    )
    assert slider.probabilities == rows != before


def test_a_patch_that_is_elsewhere_by_now_does_not_change_the_probabilities(
    slider: OcclusionSlider, page: Browser
) -> None:
    before = slider.probabilities
    rows = page.request("patch", **asked(slider, row=1, column=1)).value["rows"]
    assert slider.probabilities == before
    page.set(row=1, column=1)  # but only now says the browser that it moved
    assert slider.probabilities == rows


def test_the_newest_patch_wins(slider: OcclusionSlider, page: Browser) -> None:
    release = threading.Event()
    logits = slider._probing.logits

    def slow(patch: Any) -> Tensor:
        release.wait(PATIENCE)
        return logits(patch)

    slider._probing.logits = slow  # type: ignore[method-assign]
    many = [page.ask("patch", asked(slider, row=row), lane="patch") for row in range(6)]
    release.set()
    assert page.reply(many[-1]).content["ok"]
    cancelled = [page.reply(one).content.get("cancelled") for one in many[:-1]]
    assert cancelled[1:] == [True] * 4  # the first may have been running


def test_a_sweep_equals_occlusion(slider: OcclusionSlider, net: Network) -> None:
    with assert_untouched(net.model):
        slider.run()
        assert slider.wait(PATIENCE)
    assert (slider.running, slider.progress) == (False, 1.0)
    expected = occlusion(net, noise(0), window=4, stride=2)
    assert slider.result is not None
    torch.testing.assert_close(slider.result.scores, expected.scores)
    assert float(slider.result.scores[1, 2]) == pytest.approx(
        float(plain(net, 2, 4).softmax(0)[slider.target]), abs=1e-5
    )
    slider.target, slider.measure = "bird", "logit"
    expected = occlusion(net, noise(0), "bird", window=4, stride=2, measure="logit")
    torch.testing.assert_close(slider.result.scores, expected.scores)


def test_what_the_browser_is_left_with_needs_no_kernel(
    slider: OcclusionSlider, page: Browser, net: Network
) -> None:
    page.request("run")
    assert slider.wait(PATIENCE)
    sweep = slider._sweep
    assert (sweep["window"], sweep["stride"], sweep["fill"]) == (4, 2, "mean")
    assert sweep["rows"] == sweep["columns"] == [0, 2, 4, 6, 8, 10, 12]
    assert sweep["done"] == sweep["total"] == 49
    assert sweep["key"] == slider._picture["key"]
    logit, odds = unpack(sweep["scores"])
    for place, one in enumerate(sweep["classes"]):
        logits = plain(net, 6, 10)
        chance = float(logits.softmax(0)[one["index"]])
        assert logit[place][3][5] == pytest.approx(float(logits[one["index"]]), abs=1e-4)
        assert 1 / (1 + np.exp(-odds[place][3][5])) == pytest.approx(chance, abs=1e-5)


def test_frames_come_coarse_to_fine(
    slider: OcclusionSlider, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnwidgets.widgets.occlusion_slider._PAUSE", 0.0)
    slider.stride = 1
    slider.run()
    slider.wait(PATIENCE)
    eventually(page.frames)
    frame = next(m for m in page.comm.custom() if m.content["kind"] == "frame")
    assert frame.content["stream"] == "sweep"
    scores = frame.tensors[0]
    value = frame.content["value"]
    assert 0 < value["done"] <= value["total"] == 169
    assert (~np.isnan(scores[0, 0])).sum() == value["done"]


def test_patches_are_answered_between_batches(
    slider: OcclusionSlider, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    slider.stride = 1
    gate = held(slider, monkeypatch)
    slider.run()
    asked_now = page.ask("patch", asked(slider))
    gate.release()
    assert page.reply(asked_now).content["ok"]
    assert slider.running
    slider._turns.stop()  # type: ignore[union-attr]
    gate.release(100)
    assert slider.wait(PATIENCE)


def test_stop_ends_it_within_a_batch_and_keeps_what_there_is(
    slider: OcclusionSlider, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    slider.stride = 1
    gate = held(slider, monkeypatch)
    slider.run()
    stopped = page.ask("stop")
    gate.release(2)
    page.reply(stopped)
    assert slider.wait(PATIENCE)
    assert not slider.running
    assert 0 < slider.progress < 1
    assert slider._sweep["done"] == round(slider.progress * 169)
    assert slider.result is not None
    assert slider.result.scores.isnan().any()
    slider.run()
    gate.release(100)
    assert slider.wait(PATIENCE)
    assert slider.progress == 1.0


def test_weights_that_change_during_a_sweep_end_it(
    slider: OcclusionSlider, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = held(slider, monkeypatch)
    slider.run()
    with torch.no_grad():
        next(net.model.parameters()).add_(0.1)
    gate.release(100)
    with pytest.raises(ValueError, match="weights changed"):
        slider.wait(PATIENCE)
    assert not slider.running
    assert "run it again" in str(slider._error)
    slider.run()
    assert slider.wait(PATIENCE)
    assert slider._error is None


def test_weights_that_change_are_noticed_by_the_next_patch(
    slider: OcclusionSlider, page: Browser, net: Network
) -> None:
    slider.run()
    slider.wait(PATIENCE)
    args = asked(slider)
    with torch.no_grad():
        next(net.model.parameters()).mul_(-1)
    assert "the picture has changed" in page.refusal("patch", **args)
    rows = page.request("patch", **asked(slider)).value["rows"]
    logits = plain(net, 3, 5)
    assert rows[0]["logit"] == pytest.approx(float(logits[rows[0]["index"]]), abs=1e-4)
    assert slider._sweep["key"] != slider._picture["key"]  # the page says that it is old
    assert slider.target == net.predict(noise(0))[0].index


def test_the_cost_is_told_before(page: Browser, net: Network) -> None:
    with assert_untouched(net.model):
        value = page.request("cost", window=3, stride=2, fill="blur").value
    assert (value["rows"], value["columns"]) == (8, 8)
    assert 0 < value["seconds"] < PATIENCE


def test_the_cost_is_that_of_passes_after_the_first(
    slider: OcclusionSlider, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = {1: [5.0, 0.001], 4: [9.0, 0.016]}
    monkeypatch.setattr(slider._probing, "_time", lambda _grid, _fill, count: taken[count].pop(0))
    assert slider._probing.seconds(slider._grid(4, 2), "mean") == pytest.approx(0.001 * 49)


def test_which_layers_notice(slider: OcclusionSlider, page: Browser, net: Network) -> None:
    with assert_untouched(net.model):
        args = asked(slider)
        del args["target"]
        layers = page.request("layers", **args).value["layers"]
    x = net.prepare(noise(0))
    assert [one["name"] for one in layers] == [layer.name for layer in net.layers]
    bare, changed = x.clone(), x.clone()
    changed[:, :, 3:7, 5:9] = x.mean((2, 3), keepdim=True)
    with torch.no_grad():
        before, after = map(nn.Sequential(*net.model.children())[0], (bare, changed))
    expected = float((after - before).norm() / before.norm())
    assert layers[0]["change"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("traits", "sentence"),
    [
        ({"window": 0}, "window: 0 in a picture of 16 × 16 pixels; choose 1 to 16"),
        ({"window": -3}, "window: -3 in a picture"),
        ({"window": 17}, "window: 17 in a picture of 16 × 16 pixels; choose 1 to 16"),
        ({"stride": 0}, "stride: 0 in a picture of 16 × 16 pixels; choose 1 to 16"),
        ({"row": 16}, "row: 16 in a picture of 16 × 16 pixels; choose 0 to 15"),
        ({"column": -1}, "column: -1 in a picture"),
        ({"target": 5}, "target: there is no class 5; choose 0 to 4"),
        ({"target": "brid"}, r"target: no class is named 'brid'; did you mean 'bird'\?"),
        ({"measure": "logits"}, r"did you mean 'logit'\?"),
        ({"fill": "men"}, r"fill: 'men'; did you mean 'mean'\?"),
        ({"fill": None}, "fill: NoneType; give 'mean', 'blur', 'noise', a colour or a number"),
        ({"fill": (0.5, 0, 0)}, r"fill: \(0.5, 0, 0\); give \(red, green, blue\)"),
        ({"fill": (10,)}, r"fill: \(10,\); give \(red, green, blue\)"),
        ({"kept": [(0, 0)]}, r"kept: \(0, 0\); give \(row, column, window\) of each patch"),
        ({"kept": [(0, 0, 1.5)]}, "kept: .*; give"),
        ({"kept": [(1, 2, 3), (0, 0, 17)]}, "kept, window: 17 in a picture of 16 × 16 pixels"),
        ({"kept": [(0, -1, 4)]}, "kept, column: -1 in a picture"),
    ],
)
def test_traits_are_checked(
    slider: OcclusionSlider, net: Network, traits: dict[str, Any], sentence: str
) -> None:
    (name,) = traits
    before = getattr(slider, name)
    with pytest.raises(ValueError, match=sentence):
        slider.set_trait(name, traits[name])
    assert getattr(slider, name) == before
    with pytest.raises(ValueError, match=sentence):
        OcclusionSlider(net, noise(0), **traits)
    Browser(slider).set(**traits)
    assert getattr(slider, name) == before
    assert slider._error is not None


def test_requests_are_checked(slider: OcclusionSlider, page: Browser) -> None:
    assert "choose 1 to 16" in page.refusal("patch", **asked(slider, window=17))
    assert "fill: 'men'" in page.refusal("cost", window=4, stride=2, fill="men")
    assert "choose 0 to 4" in page.refusal("patch", **asked(slider, target=5))
    assert slider.error is None


@pytest.mark.parametrize("fill", ["mean", "blur", "noise", "black", "#ff0000", 0, 0.5])
def test_fills(slider: OcclusionSlider, net: Network, fill: str | float) -> None:
    slider.fill = fill
    assert slider._filled["fill"] == fill
    expected = occlusion(net, noise(0), window=4, stride=2, fill=fill)
    slider.row, slider.column = 2, 4
    found = {one["index"]: one["probability"] for one in slider.probabilities}
    assert found[slider.target] == pytest.approx(float(expected.scores[1, 2]), abs=1e-5)


def test_a_colour_may_be_three_numbers(slider: OcclusionSlider) -> None:
    slider.set_trait("fill", (255, 0, 16))
    assert slider.fill == "#ff0010"


def test_a_fill_is_finite(slider: OcclusionSlider) -> None:
    with pytest.raises(ValueError, match="fill: nan; give a finite number"):
        slider.fill = float("nan")


def test_keywords_are_strict(net: Network) -> None:
    with pytest.raises(TypeError, match=r"no keyword 'windw'; did you mean 'window'\?"):
        OcclusionSlider(net, noise(0), windw=3)


def test_the_page_holds_the_sweep(slider: OcclusionSlider, tmp_path: Path) -> None:
    slider.run()
    slider.wait(PATIENCE)
    text = slider.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert '"_sweep":{' in text
    assert '"name":"layers"' in text
