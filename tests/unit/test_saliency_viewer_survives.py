"""What a saliency viewer must survive: odd models and pictures, closing, changes in mid-run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.network import Network
from cnnwidgets.widgets import saliency_maps
from cnnwidgets.widgets.saliency_methods import METHODS
from cnnwidgets.widgets.saliency_viewer import SaliencyViewer
from tests.kernel import PATIENCE, Browser
from tests.small import noise
from tests.untouched import assert_untouched
from tests.viewing import computed, held, small_net

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture
def small() -> Iterator[Network]:
    net = small_net()
    with assert_untouched(net.model):
        yield net


def test_guided_backprop_without_relu_says_so_and_the_others_go_on() -> None:
    viewer = SaliencyViewer(
        small_net(nn.SiLU()), noise(0), method="guided_backprop", compare=["saliency"]
    )
    viewer.run()
    with pytest.raises(ValueError, match="this network calls none"):
        viewer.wait(PATIENCE)
    refused, made = viewer._maps
    assert "would be the plain gradient" in refused["error"]
    assert made["error"] is None
    assert isinstance(viewer.error, ValueError)
    assert viewer._error is None  # it is said in the map's place
    assert viewer.result is None
    assert "the map has changed" in Browser(viewer).refusal(
        "map", id=refused["id"], version=refused["version"]
    )
    assert len(viewer.figure().axes) >= 3
    viewer.close()


def test_a_partly_gated_map_carries_a_note() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.head(torch.nn.functional.silu(self.conv(x).relu()).mean((2, 3)))
            return y

    viewer = computed(Network(Mixed(), input_size=16), method="guided_backprop")
    assert "silu in this network kept the usual one" in viewer._maps[0]["note"]
    viewer.close()


def test_a_picture_with_nan_is_refused_in_one_sentence(small: Network) -> None:
    x = torch.ones(3, 16, 16)
    x[0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"1 of its 768 values are NaN .* replace them first"):
        SaliencyViewer(small, x)


@pytest.mark.parametrize(
    ("score", "error", "message"),
    [
        ("mean", TypeError, "score: 'mean'; give a function"),
        (lambda _: 0.5, ValueError, r"score: returned 0\.5 for 1 pictures; return \[N\]"),
        (lambda _: None, ValueError, "score: returned None for 1 pictures"),
    ],
)
def test_a_score_that_is_none_is_named(
    small: Network, score: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        SaliencyViewer(small, noise(0), score=score)


@pytest.mark.parametrize("channels", [1, 5])
def test_other_numbers_of_channels(channels: int) -> None:
    net = small_net(channels=channels)
    viewer = computed(net, torch.rand(channels, 16, 16), compare=list(METHODS), samples=2)
    assert {one["error"] for one in viewer._maps} == {None}
    page = Browser(viewer)
    made = viewer._maps[0]
    found = page.request("map", id=made["id"], version=made["version"]).tensors[0]
    assert found.shape == (channels, 16, 16)
    assert page.request("cut", id=made["id"]).content["ok"]
    assert viewer._repr_mimebundle_() is not None
    assert viewer.error is None
    viewer.close()


def test_two_outputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            y = self.conv(x)
            return {"features": y, "logits": y.mean((2, 3))}

    net = Network(Two(), input_size=16)
    viewer = computed(net, compare=["occlusion", "grad_cam"])
    assert len(viewer._classes) == 4
    assert viewer.result is not None
    torch.testing.assert_close(viewer.result, cw.saliency(net, noise(0)))
    viewer.close()


def test_a_score_of_ones_own() -> None:
    net = Network(nn.Conv2d(3, 2, 3, padding=1), input_size=16)

    def total(maps: Tensor) -> Tensor:
        return maps.flatten(1).sum(1)

    viewer = computed(net, score=total, compare=["occlusion"])
    assert viewer._classes == ["score"]
    assert viewer._maps[0]["unit"] == "score per input unit"
    assert viewer.result is not None
    torch.testing.assert_close(viewer.result, cw.saliency(net, noise(0), score=total))
    page = Browser(viewer)
    assert page.request("curves", ids=[viewer.panels()[0].id]).content["ok"]
    assert viewer._curves["measure"] == "logit"
    viewer.close()


def test_weights_that_change_between_runs_make_the_map_old() -> None:
    net = small_net()
    viewer = computed(net)
    (before,) = viewer.results
    with torch.no_grad():
        next(net.model.parameters()).mul_(-1)
    viewer.compare = ["gradient_x_input"]
    Browser(viewer).request("run", ids=[viewer.panels()[1].id])
    assert viewer.wait(PATIENCE)
    keys = [one["key"] for one in viewer._maps if one["method"] == "saliency"]
    assert viewer._picture["key"] not in keys
    assert not viewer.current(before)
    viewer.run()
    assert viewer.wait(PATIENCE)
    assert viewer.result is not None
    torch.testing.assert_close(viewer.result, cw.saliency(net, noise(0), viewer.target))
    viewer.close()


def test_weights_that_change_between_runs_are_said_with_the_classes() -> None:
    net = small_net()
    viewer = SaliencyViewer(net, noise(0))
    with torch.no_grad():
        net.model.get_parameter("5.weight").neg_()
    viewer.run()
    assert viewer.wait(PATIENCE)
    top = net.predict(noise(0))
    assert [one["index"] for one in viewer._likely] == [one.index for one in top]
    assert viewer._likely[0]["probability"] == pytest.approx(top[0].probability)
    assert viewer.target == top[0].index  # it was the predicted class, and still is
    viewer.close()


def test_weights_that_change_during_a_run_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    net = small_net()
    viewer = SaliencyViewer(net, noise(0), method="smoothgrad")
    gate = held(viewer, monkeypatch)
    viewer.run()
    with torch.no_grad():
        next(net.model.parameters()).add_(0.1)
    gate.release(100)
    with pytest.raises(ValueError, match="weights changed while"):
        viewer.wait(PATIENCE)
    assert "run it again" in str(viewer._error)
    viewer.run()
    assert viewer.wait(PATIENCE)
    viewer.close()


def test_closing_in_mid_run(small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = SaliencyViewer(small, noise(0), method="smoothgrad")
    gate = held(viewer, monkeypatch)
    viewer.run()
    turns = viewer._turns
    assert turns is not None
    viewer.close()
    gate.release(100)
    assert turns.wait(PATIENCE)
    assert turns.error is None
    other = computed(small, noise(1))
    other.close()


def test_an_interrupt_of_wait_stops_it(small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = SaliencyViewer(small, noise(0), method="smoothgrad")
    gate = held(viewer, monkeypatch)
    viewer.run()
    turns = viewer._turns
    assert turns is not None
    ended = turns.wait

    def interrupted(_: Any = None) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(turns, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        viewer.wait()
    gate.release(100)
    assert ended(PATIENCE)
    assert viewer.progress < 1
    viewer.close()


def test_two_viewers_of_one_network_at_once(small: Network) -> None:
    one = SaliencyViewer(small, noise(0), method="smoothgrad", samples=20)
    other = SaliencyViewer(small, noise(1), method="smoothgrad", samples=20)
    one.run()
    other.run()
    for viewer, image in ((one, 0), (other, 1)):
        assert viewer.wait(PATIENCE)
        assert viewer.result is not None
        expected = cw.smoothgrad(small, noise(image), samples=20, noise=0.1)
        torch.testing.assert_close(viewer.result, expected)
        viewer.close()


def test_huge_maps_travel_as_bytes_and_memory_is_bounded(
    small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saliency_maps, "EXACT_BYTES", 100)
    monkeypatch.setattr(saliency_maps, "HELD_BYTES", 4000)
    viewer = computed(small)
    made = viewer._maps[0]
    reply = Browser(viewer).request("map", id=made["id"], version=made["version"])
    assert len(reply.buffers[0]) < 1000
    assert viewer.result is not None
    span = float(viewer.result.max() - viewer.result.min())
    np.testing.assert_allclose(reply.tensors[0], viewer.result, atol=span / 400)
    for method in ("deconvnet", "gradient_x_input"):
        viewer.method = method
        viewer.run()
        viewer.wait(PATIENCE)
    assert [one["method"] for one in viewer._maps] == ["gradient_x_input"]
    viewer.close()
