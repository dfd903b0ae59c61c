"""What an occlusion slider must survive: odd models and pictures, closing, others beside it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnwidgets.attribution.occlusion import occlusion
from cnnwidgets.network import Network
from cnnwidgets.widgets.occlusion_slider import OcclusionSlider
from tests.kernel import PATIENCE
from tests.occluding import held
from tests.small import noise
from tests.untouched import assert_untouched

pytestmark = pytest.mark.usefixtures("front_end")


def test_closing_in_mid_sweep(
    slider: OcclusionSlider, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = held(slider, monkeypatch)
    slider.run()
    sweeping = slider._sweeping
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


def test_a_picture_of_nan_is_shown(net: Network) -> None:
    slider = OcclusionSlider(net, torch.full((3, 16, 16), torch.nan), window=4, stride=4)
    assert slider.probabilities[0]["probability"] is None
    slider.run()
    assert slider.wait(PATIENCE)
    slider.close()
