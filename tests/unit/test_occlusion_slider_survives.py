"""What an occlusion slider must survive: odd models and pictures, closing, others beside it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnwidgets.attribution.occlusion import occlusion
from cnnwidgets.network import Network
from cnnwidgets.widgets import occlusion_slider
from cnnwidgets.widgets.occlusion_slider import OcclusionSlider
from cnnwidgets.widgets.occlusion_tally import SNAPSHOT_BYTES
from tests.kernel import PATIENCE, Browser, eventually
from tests.occluding import asked, held
from tests.small import noise
from tests.untouched import assert_untouched

pytestmark = pytest.mark.usefixtures("front_end")


def test_closing_in_mid_sweep(
    slider: OcclusionSlider, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = held(slider, monkeypatch)
    slider.run()
    sweeping = slider._turns
    assert sweeping is not None
    slider.close()
    gate.release(100)
    assert sweeping.wait(PATIENCE)
    assert slider.wait()
    other = OcclusionSlider(net, noise(1))
    other.run()
    assert other.wait(PATIENCE)
    other.close()


def test_two_sweeps_of_one_network_at_once(slider: OcclusionSlider, net: Network) -> None:
    other = OcclusionSlider(net, noise(1), window=5, stride=1, fill="blur")
    slider.run()
    other.run()
    assert slider.wait(PATIENCE)
    assert other.wait(PATIENCE)
    for one, image in ((slider, 0), (other, 1)):
        settings = {"window": one.window, "stride": one.stride, "fill": one.fill}
        expected = occlusion(net, noise(image), **settings)
        assert one.result is not None
        torch.testing.assert_close(one.result.scores, expected.scores)
    other.close()


def test_an_observer_may_stop_it(slider: OcclusionSlider) -> None:
    slider.stride = 1
    slider.observe(lambda _: slider.stop(), "progress")
    slider.run()
    assert slider.wait(PATIENCE)
    assert slider.progress < 1


@pytest.mark.parametrize("channels", [1, 5])
def test_other_numbers_of_channels(channels: int) -> None:
    model = nn.Sequential(nn.Conv2d(channels, 3, 3), nn.Flatten(), nn.Linear(3 * 36, 4))
    slider = OcclusionSlider(Network(model, input_size=8), torch.rand(channels, 8, 8))
    slider.run()
    assert slider.wait(PATIENCE)
    assert slider._repr_mimebundle_() is not None
    assert slider.error is None
    slider.close()


def test_a_score_of_ones_own() -> None:
    model = nn.Conv2d(3, 2, 3)
    slider = OcclusionSlider(
        Network(model, input_size=16),
        noise(0),
        window=4,
        stride=4,
        score=lambda maps: maps.flatten(1).sum(1),
    )
    assert slider.measure == "logit"
    (row,) = slider.probabilities
    assert row["name"] == "score"
    assert slider.preview().startswith(b"\x89PNG")
    slider.run()
    assert slider.wait(PATIENCE)
    x = slider.net.prepare(noise(0))
    x[:, :, 4:8, 8:12] = x.mean((2, 3), keepdim=True)
    with torch.no_grad():
        expected = float(model(x).sum())
    assert slider.result is not None
    assert float(slider.result.scores[1, 2]) == pytest.approx(expected, rel=1e-4)
    slider.close()


def test_several_labels_at_once(net: Network) -> None:
    slider = OcclusionSlider(net, noise(0), activation="sigmoid")
    for row in slider.probabilities:
        assert row["probability"] == pytest.approx(1 / (1 + np.exp(-row["logit"])), abs=1e-6)
    with pytest.raises(ValueError, match=r"activation: 'sigmod'; did you mean 'sigmoid'\?"):
        OcclusionSlider(net, noise(0), activation="sigmod")
    slider.close()


def test_batch_norm_in_train_mode_stays_so(net: Network) -> None:
    net.model.train()
    with assert_untouched(net.model):
        slider = OcclusionSlider(net, noise(0), window=4, stride=4)
        slider.run()
        slider.wait(PATIENCE)
        slider.row = 3
    assert net.model.training
    slider.close()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_picture_of_what_is_no_number_is_refused(net: Network, bad: float) -> None:
    picture = torch.zeros(3, 16, 16)
    picture[1, 2, 3] = bad
    with pytest.raises(ValueError, match="image: 1 of its 768 values are NaN or infinite"):
        OcclusionSlider(net, picture)


def test_a_network_that_says_nan_is_shown(net: Network) -> None:
    with torch.no_grad():
        next(net.model.parameters()).fill_(torch.nan)
    slider = OcclusionSlider(net, noise(0), window=4, stride=4)
    assert slider.probabilities[0]["probability"] is None
    slider.run()
    assert slider.wait(PATIENCE)
    assert slider.preview().startswith(b"\x89PNG")
    slider.close()


def test_a_stride_of_one_pixel_on_a_large_picture() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 7, stride=8), nn.ReLU(), nn.Flatten(), nn.Linear(1568, 7))
    net = Network(model, input_size=224)
    slider = OcclusionSlider(net, noise(0), window=16, stride=1)
    page = Browser(slider)
    page.send("hello")
    assert page.request("cost", window=16, stride=1, fill="mean").value["rows"] == 209
    slider.run()
    eventually(lambda: 0 < slider.progress < 1)
    frame = slider.comm.wait_for(lambda message: message.content["kind"] == "frame")
    assert len(frame.buffers[0]) <= SNAPSHOT_BYTES + 64
    assert frame.content["value"]["total"] == 209**2
    rows = page.request("patch", **asked(slider, key=slider._picture["key"])).value["rows"]
    assert len(rows) >= 5  # it goes on answering
    page.request("stop")
    assert slider.wait(PATIENCE)
    assert 0 < slider.progress < 1
    assert slider._sweep["done"] == round(slider.progress * 209**2)
    slider.close()


def test_two_outputs_of_which_the_first_is_explained() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Flatten())
            self.head = nn.Linear(3 * 36, 4)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            maps = self.body(x)
            return self.head(maps), maps

    net = Network(Two(), input_size=8)
    slider = OcclusionSlider(net, torch.rand(3, 8, 8), window=3)
    assert len(slider.probabilities) == 4
    with torch.no_grad():
        logits = net.model(slider._probing.picture(slider._patch()))[0][0]
    first = slider.probabilities[0]
    assert first["logit"] == pytest.approx(float(logits[first["index"]]), abs=1e-5)
    slider.run()
    assert slider.wait(PATIENCE)
    slider.close()


def test_a_picture_of_another_size_is_refused() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 36, 4))
    with pytest.raises(ValueError, match=r"image: .*64.*64.* takes .*8.*8"):
        OcclusionSlider(Network(model, input_size=8), torch.zeros(1, 64, 64))


def test_outputs_that_are_probabilities_have_no_logit() -> None:
    head = nn.Sequential(nn.Conv2d(3, 4, 8), nn.Flatten(), nn.Softmax(1))
    net = Network(head, input_size=8)
    slider = OcclusionSlider(net, torch.rand(3, 8, 8), window=3)
    assert slider._measures == ["probability", "log-odds"]
    with pytest.raises(ValueError, match="measure: 'logit'; the network's outputs are prob"):
        slider.measure = "logit"
    with pytest.raises(ValueError, match="choose one of 'probability', 'log-odds'"):
        OcclusionSlider(net, torch.rand(3, 8, 8), measure="logit")
    slider.measure = "log-odds"
    assert sum(row["probability"] for row in slider.probabilities) == pytest.approx(1)
    slider.close()


def test_maps_as_outputs_are_said_to_be_averaged(net: Network) -> None:
    maps = Network(nn.Conv2d(3, 4, 3), input_size=8)
    slider = OcclusionSlider(maps, torch.rand(3, 8, 8), window=3)
    assert "network returns maps: each is averaged" in slider._note
    scored = OcclusionSlider(maps, torch.rand(3, 8, 8), window=3, score=lambda y: y)
    assert "score returns maps" in scored._note
    plain = OcclusionSlider(maps, torch.rand(3, 8, 8), window=3, score=lambda y: y.mean((2, 3)))
    assert plain._note == OcclusionSlider(net, noise(0))._note == ""


def test_two_classes_of_one_number() -> None:
    """A single logit is the probability of a yes."""
    net = Network(nn.Sequential(nn.Conv2d(3, 1, 8), nn.Flatten()), input_size=8)
    slider = OcclusionSlider(net, torch.rand(3, 8, 8), window=3)
    (row,) = slider.probabilities
    assert row["probability"] == pytest.approx(1 / (1 + np.exp(-row["logit"])), abs=1e-6)
    slider.close()


def test_an_interrupt_stops_the_sweep_and_it_can_be_run_again(
    slider: OcclusionSlider, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = held(slider, monkeypatch)
    slider.run()
    sweeping = slider._turns
    assert sweeping is not None
    wait = sweeping.wait

    def interrupted(_timeout: float | None = None) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(sweeping, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        slider.wait()
    gate.release(3)
    assert wait(PATIENCE)
    assert not slider.running
    assert slider.progress < 1
    slider.run()
    gate.release(100)
    assert slider.wait(PATIENCE)
    assert slider.progress == 1


def test_a_model_that_fails_in_mid_sweep_says_so_and_stays_usable(
    slider: OcclusionSlider, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = slider._batch
    monkeypatch.setattr(slider, "_batch", lambda *_: 1 / 0)
    slider.run()
    with pytest.raises(ZeroDivisionError):
        slider.wait(PATIENCE)
    assert slider._error == "ZeroDivisionError: division by zero"
    assert not slider.running
    monkeypatch.setattr(slider, "_batch", batch)
    slider.run()
    assert slider.wait(PATIENCE)
    assert slider._error is None


def test_a_page_that_comes_in_mid_sweep_gets_frames(
    slider: OcclusionSlider, monkeypatch: pytest.MonkeyPatch
) -> None:
    slider.stride = 1
    monkeypatch.setattr(occlusion_slider, "_PAUSE", 0.0)
    gate = held(slider, monkeypatch)
    first = Browser(slider, "first")
    first.send("hello")
    slider.run()
    gate.release(2)
    eventually(first.frames)
    first.send("bye")
    sent = len(first.frames())
    second = Browser(slider, "second")  # the same page, reloaded
    second.send("hello")
    gate.release(2)
    eventually(lambda: len(second.frames()) > sent)
    gate.release(100)
    assert slider.wait(PATIENCE)
    assert slider.comm is not None
