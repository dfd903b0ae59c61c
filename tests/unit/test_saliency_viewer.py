"""The saliency viewer as an object: its numbers, what it computes when, what it refuses."""

from __future__ import annotations

import base64
import io
import math
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from captum import attr
from matplotlib.text import Text
from PIL import Image

import cnnwidgets as cw
from cnnwidgets.attribution import deletion_curve, insertion_curve, part, reduce
from cnnwidgets.widgets import saliency_maps
from cnnwidgets.widgets.requests import Request
from cnnwidgets.widgets.saliency_judging import similarity
from cnnwidgets.widgets.saliency_maps import Panel
from cnnwidgets.widgets.saliency_methods import METHODS
from cnnwidgets.widgets.saliency_viewer import SaliencyViewer
from cnnwidgets.widgets.wire import unpack
from tests.kernel import PATIENCE, Browser, eventually
from tests.small import CLASSES, noise
from tests.untouched import assert_untouched
from tests.viewing import WINDOW, computed, held, small_net

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from cnnwidgets.network import Network

pytestmark = pytest.mark.usefixtures("front_end")

FUNCTIONS: dict[str, Callable[[Network], Tensor]] = {
    "saliency": lambda net: cw.saliency(net, noise(0), 2),
    "gradient_x_input": lambda net: cw.gradient_x_input(net, noise(0), 2),
    "smoothgrad": lambda net: cw.smoothgrad(net, noise(0), 2, samples=7, noise=0.2),
    "vargrad": lambda net: cw.vargrad(net, noise(0), 2, samples=7, noise=0.2),
    "integrated_gradients": lambda net: cw.integrated_gradients(
        net, noise(0), 2, steps=7, baseline="mean"
    ),
    "guided_backprop": lambda net: cw.guided_backprop(net, noise(0), 2),
    "deconvnet": lambda net: cw.deconvnet(net, noise(0), 2),
    "grad_cam": lambda net: cw.grad_cam(net, noise(0), 2, layer="0"),
    "guided_grad_cam": lambda net: cw.guided_grad_cam(net, noise(0), 2, layer="0"),
    "occlusion": lambda net: cw.occlusion(
        net, noise(0), 2, window=4, stride=2, fill="black", measure="logit"
    ).attribution()[0],
}
SETTINGS = {
    "samples": 7,
    "noise": 0.2,
    "baseline": "mean",
    "cam_layer": "0",
    "fill": "black",
    **WINDOW,
}


@pytest.fixture(scope="module")
def small() -> Network:
    return small_net()


def test_it_begins_with_the_predicted_class_and_computes_nothing(small: Network) -> None:
    with assert_untouched(small.model):
        viewer = SaliencyViewer(small, noise(0))
    top = small.predict(noise(0))
    assert viewer.target == top[0].index
    assert [one["index"] for one in viewer._likely] == [one.index for one in top]
    assert viewer._likely[0]["probability"] == pytest.approx(top[0].probability)
    assert (viewer.result, viewer.results, viewer.running) == (None, [], False)
    assert viewer.comm.state["_classes"] == CLASSES
    assert (viewer.window, viewer.stride) == (2, 1)
    assert viewer.wait()
    assert len(viewer.figure().axes) == 2
    viewer.close()


@pytest.mark.parametrize("method", METHODS)
def test_results_are_those_of_the_functions(small: Network, method: str) -> None:
    with assert_untouched(small.model):
        viewer = computed(small, target="bird", method=method, **SETTINGS)
    assert viewer.result is not None
    torch.testing.assert_close(
        viewer.result, FUNCTIONS[method](small), rtol=1e-4, atol=1e-6, check_dtype=False
    )
    (made,) = viewer._maps
    page = Browser(viewer)
    reply = page.request("map", id=made["id"], version=made["version"])
    expected = viewer.result if viewer.result.ndim == 3 else viewer.result[None]
    np.testing.assert_allclose(reply.tensors[0], expected, rtol=1e-6)
    assert (made["error"], made["note"], made["done"]) == (None, "", made["total"])
    viewer.close()


def test_equal_to_captum(small: Network) -> None:
    x = small.prepare(noise(0))
    viewer = computed(small, target=1, method="integrated_gradients", samples=9, baseline=0.0)
    assert viewer.result is not None
    expected = attr.IntegratedGradients(small.model).attribute(x, target=1, n_steps=9)[0].float()
    torch.testing.assert_close(viewer.result, expected, rtol=1e-4, atol=1e-6, check_dtype=False)
    viewer.close()


def test_grad_cam_is_interpolated_for_the_browser(small: Network) -> None:
    against = int(torch.stack([cw.grad_cam(small, noise(0), c).sum() for c in range(5)]).argmin())
    viewer = computed(small, method="grad_cam", target=against)
    assert viewer.result is not None
    assert viewer.result.shape == (8, 8)
    (made,) = viewer._maps
    (found,) = Browser(viewer).request("map", id=made["id"], version=made["version"]).tensors
    assert found.shape == (1, 16, 16)
    wide = torch.nn.functional.interpolate(viewer.result[None, None], 16, mode="bilinear")
    np.testing.assert_allclose(found, wide[0], rtol=1e-5)
    shown = viewer.results[0].shown("max_abs", "all")  # no channels to reduce: it keeps its sign
    torch.testing.assert_close(shown, wide[0, 0])
    assert (shown < 0).any()
    assert made["flat"]
    viewer.close()


def test_panels(small: Network) -> None:
    viewer = computed(small, target=0, against="bird", randomised=True, compare=["deconvnet"])
    ids = ["saliency:0:trained", "saliency:2:trained", "saliency:0:random"]
    ids += [one.replace("saliency", "deconvnet") for one in ids]
    assert [panel.id for panel in viewer.panels()] == [one["id"] for one in viewer._maps] == ids
    shown = {made.panel.id: made.attribution for made in viewer.results}
    torch.testing.assert_close(shown[ids[1]], cw.saliency(small, noise(0), 2))
    random = cw.saliency(cw.attribution.randomised(small), noise(0), 0)
    torch.testing.assert_close(shown[ids[2]], random)
    with pytest.raises(ValueError, match="against: class 0 is the target; choose another one"):
        viewer.against = 0
    viewer.target = 2  # as was compared with
    assert viewer.against is None
    assert len(viewer.panels()) == 4
    viewer.close()


def test_only_what_is_missing_is_computed(small: Network) -> None:
    viewer = computed(small, method="smoothgrad", samples=3)
    (before,) = viewer.results
    viewer.compare = ["saliency"]
    viewer.run()
    viewer.wait(PATIENCE)
    assert viewer.results[0] is before
    assert len(viewer.results) == 2
    viewer.noise = 0.5
    assert not viewer.current(before)
    viewer.run()
    viewer.wait(PATIENCE)
    assert viewer.results[0] is not before
    assert viewer.progress == 1.0
    viewer.close()


def test_the_browser_runs_some_and_gets_stages(small: Network) -> None:
    viewer = SaliencyViewer(small, noise(0), compare=["smoothgrad"], samples=40)
    page = Browser(viewer)
    page.send("hello")
    first, second = (panel.id for panel in viewer.panels())
    page.request("run", ids=[first])
    assert viewer.wait(PATIENCE)
    assert [one["id"] for one in viewer._maps] == [first]
    page.request("run")
    assert viewer.wait(PATIENCE)
    made = viewer._maps[1]
    assert (made["id"], made["done"], made["active"]) == (second, 40, False)
    reply = page.request("stages", id=second, version=made["version"])
    assert reply.value["done"] == [4, 8, 12, 16, 20, 24, 28, 32, 36, 40]
    for done, stage in zip(reply.value["done"], reply.tensors, strict=True):
        expected = cw.smoothgrad(small, noise(0), viewer.target, samples=done, noise=0.1)
        span = float(expected.max() - expected.min())
        np.testing.assert_allclose(stage, expected, atol=span / 400)
    eventually(page.frames)
    frame = next(m for m in page.comm.custom() if m.content["kind"] == "frame")
    assert frame.content["value"]["id"] == second
    assert frame.tensors[0].shape == (3, 16, 16)
    assert "the map has changed" in page.refusal("map", id=second, version=-1)
    assert "the map has changed" in page.refusal("map", id="saliency:4:trained", version=1)
    viewer.close()


def test_stages_are_thinned_evenly(small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saliency_maps, "FRAMES", 5)
    viewer = computed(small, method="smoothgrad", samples=100)
    done = [count for count, _ in viewer._made.stages(viewer.panels()[0].id)]
    assert (len(done), done[-1]) == (5, 100)
    assert max(np.diff([0, *done])) <= 40
    viewer.close()


def test_stop_keeps_what_there_is_and_a_new_run_begins_anew(
    small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = SaliencyViewer(small, noise(0), method="smoothgrad", samples=50)
    page = Browser(viewer)
    gate = held(viewer, monkeypatch)
    viewer.run()
    stopped = page.ask("stop")
    gate.release(3)
    page.reply(stopped)
    assert viewer.wait(PATIENCE)
    (made,) = viewer.results
    assert 0 < made.done < 50
    assert viewer.progress == made.done / 50
    assert viewer.result is not None
    expected = cw.smoothgrad(small, noise(0), viewer.target, samples=made.done, noise=0.1)
    torch.testing.assert_close(viewer.result, expected)
    assert not viewer.running
    gate.release(100)
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert viewer.current(viewer.results[0])
    viewer.close()


def test_curves_of_two_maps(small: Network) -> None:
    viewer = computed(small, compare=["grad_cam"], reduction="sum", part="positive")
    page = Browser(viewer)
    page.send("hello")
    with assert_untouched(small.model):
        page.request("curves", ids=[panel.id for panel in viewer.panels()])
    judged = viewer._curves
    assert (judged["measure"], judged["target"]) == ("probability", CLASSES[viewer.target])
    for row, made in zip(judged["maps"], viewer.results, strict=True):
        kept = part(made.pixels(), "positive")
        ranked = kept[0] if made.panel.method == "grad_cam" else reduce(kept, "sum")
        for kind, curve in (("deletion", deletion_curve), ("insertion", insertion_curve)):
            expected = curve(small, noise(0), ranked, viewer.target, steps=64)
            assert row[kind]["area"] == pytest.approx(expected.area, abs=1e-6)
            assert row[kind]["scores"] == pytest.approx(expected.scores.tolist(), abs=1e-6)
    assert judged["fractions"] == pytest.approx(np.linspace(0, 1, 65).tolist(), abs=0.01)
    assert "name one or two maps" in page.refusal("curves", ids=[])
    viewer.close()


@pytest.mark.parametrize("name", ["curves", "noise"])
def test_judging_tells_its_progress_and_can_be_cancelled(
    small: Network, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = computed(small)
    page = Browser(viewer)
    args = {"ids": [viewer.panels()[0].id]}
    monkeypatch.setattr("cnnwidgets.widgets.requests.WORTH_TELLING", 0.0)
    identity = page.ask(name, args)
    page.reply(identity)
    told = [m.content for m in viewer.comm.custom() if m.content["kind"] == "progress"]
    assert told[-1]["done"] == told[-1]["total"] > 1
    step, begun = Request.step, threading.Event()

    def slowly(request: Request, done: int, total: int) -> None:
        begun.set()
        time.sleep(0.05)
        step(request, done, total)

    monkeypatch.setattr(Request, "step", slowly)
    viewer._curves = viewer._sheet = None  # type: ignore[assignment]  # traitlets' type
    identity = page.ask(name, args)
    assert begun.wait(PATIENCE)
    page.send("cancel", id=identity)
    assert page.reply(identity).content["cancelled"]
    assert not viewer._curves
    assert not viewer._sheet
    viewer.close()


def test_a_cut_out(small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = computed(small, method="smoothgrad", samples=4)
    page = Browser(viewer)
    (panel,) = viewer.panels()
    page.request("cut", id=panel.id)
    shown = reduce(viewer.results[0].pixels())
    expected = cw.segment(small.restore(viewer._subject.shown.x)[0], shown).foreground
    np.testing.assert_array_equal(unpack(viewer._cut["mask"]).astype(bool), expected)
    assert viewer._cut["share"] == pytest.approx(expected.mean())

    def missing(*_: object) -> None:
        raise ImportError('install it with: pip install "cnnwidgets[segment]"')

    monkeypatch.setattr("cnnwidgets.widgets.saliency_judging.segment", missing)
    assert "cnnwidgets[segment]" in page.refusal("cut", id=panel.id)
    assert viewer.error is None
    viewer.close()


def test_similarity_is_spearmans() -> None:
    one = torch.tensor([[1.0, 2.0, 2.0, 9.0, math.nan]])
    other = torch.tensor([[2.0, 1.0, 5.0, 6.0, 3.0]])
    # ranks 0, 1.5, 1.5, 3 and 1, 0, 2, 3
    expected = np.corrcoef([0, 1.5, 1.5, 3], [1, 0, 2, 3])[0, 1]
    assert similarity(one, other) == pytest.approx(expected)
    assert math.isnan(similarity(one, torch.ones(1, 5)))


def test_the_preview_needs_no_matplotlib(small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    viewer = computed(small, compare=["grad_cam", "occlusion"], overlay=1.0, percentile=100.0)
    made = viewer._repr_mimebundle_()
    assert made is not None
    sheet = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(made[0]["image/png"]))).convert("RGB")
    )
    assert not [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]
    values = viewer.results[0].shown("max_abs", "all")
    row, column = divmod(int(values.argmax()), 16)
    at = [start + round((pixel + 0.5) * 198 / 16) for start, pixel in ((34, row), (232, column))]
    np.testing.assert_allclose(sheet[at[0], at[1]], (253, 231, 37), atol=12)  # the brightest
    viewer.close()


def test_figures_say_what_they_show(small: Network) -> None:
    viewer = computed(
        small, target=0, against=1, randomised=True, reduction="sum", compare=["vargrad"], samples=2
    )
    viewer.percentile = 90.0
    figure = viewer.figure()
    words = [" ".join(text.get_text().split()) for text in figure.findobj(Text)]
    assert "Saliency: cat" in words
    assert f"Saliency: {CLASSES[0]} − {CLASSES[1]}" in words
    assert "logit per input unit, channels: sum" in words
    sizes, signed = (
        similarity(*(viewer._made.get(p).shown(how, "all") for p in _pair(viewer)))  # type: ignore[union-attr]
        for how in ("max_abs", "sum")
    )
    told = " ".join(words)
    said = f"rank correlation with the trained model's: sizes {sizes:.2f}, signed {signed:.2f}"
    assert said in told
    assert sizes != pytest.approx(signed, abs=0.01)
    images = [image for axes in figure.axes for image in axes.images if image.get_alpha()]
    limits = [image.get_clim() for image in images]
    assert limits[0] == limits[1] == limits[2]  # two classes and their difference
    assert limits[3] != limits[0]
    viewer.close()


def _pair(viewer: SaliencyViewer) -> list[Panel]:
    return [Panel("saliency", viewer.target), Panel("saliency", viewer.target, randomised=True)]


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"method": "smothgrad"}, r"method: there is no 'smothgrad'; did you mean 'smoothgrad'\?"),
        ({"compare": ["grad-cam"]}, r"compare: there is no 'grad-cam'; did you mean"),
        ({"target": 5}, "target: there is no class 5; choose 0 to 4"),
        ({"against": "brid"}, r"no class is named 'brid'; did you mean 'bird'\?"),
        ({"against": 9}, "against: there is no class 9; choose 0 to 4"),
        ({"samples": 0}, "samples: 0; choose 1 to 1000"),
        ({"noise": 1.5}, "noise: 1.5; choose 0 to 1"),
        ({"percentile": 10.0}, "percentile: 10.0; choose 50 to 100"),
        ({"overlay": -1.0}, "overlay: -1.0; choose 0 to 1"),
        ({"window": 17}, "window: 17 in a picture of 16 × 16 pixels; choose 1 to 16"),
        ({"stride": 0}, "stride: 0 in a picture"),
        ({"cam_layer": "9"}, "cam_layer: no layer '9' has maps"),
        ({"baseline": "blak"}, "baseline: 'blak'"),
        ({"fill": "men"}, "fill: 'men'; did you mean 'mean'"),
        ({"fill": None}, "fill: NoneType; give 'black'"),
        ({"baseline": None}, "baseline: NoneType; give 'black'"),
        ({"reduction": "max"}, "reduction: there is no 'max'; did you mean 'max_abs'"),
        ({"part": "plus"}, "part: there is no 'plus'"),
    ],
)
def test_traits_are_checked(small: Network, traits: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SaliencyViewer(small, noise(0), **traits)
    viewer = SaliencyViewer(small, noise(0))
    (name,) = traits
    before = getattr(viewer, name)
    Browser(viewer).set(**traits)
    assert getattr(viewer, name) == before
    assert viewer._error is not None
    viewer.close()


def test_keywords_are_strict(small: Network) -> None:
    with pytest.raises(TypeError, match=r"no keyword 'sample'; did you mean 'samples'\?"):
        SaliencyViewer(small, noise(0), sample=3)


def test_the_page_holds_the_maps(small: Network, tmp_path: Path) -> None:
    viewer = computed(small, compare=["smoothgrad"], samples=3)
    text = viewer.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count('"name":"map"') == 2
    assert text.count('"name":"stages"') == 1
    viewer.close()
