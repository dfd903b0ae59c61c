"""What the saliency viewer says of its maps: defaults, differences, likeness, rows, units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from matplotlib.text import Text

import cnnwidgets as cw
from cnnwidgets.network import Network
from cnnwidgets.widgets.saliency_judging import NOISES, SAMPLES
from cnnwidgets.widgets.saliency_panels import panels_of, places
from cnnwidgets.widgets.saliency_viewer import SaliencyViewer
from cnnwidgets.widgets.wire import unpack
from tests.kernel import PATIENCE, Browser
from tests.small import CLASSES, noise
from tests.untouched import assert_untouched
from tests.viewing import computed, small_net

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture(scope="module")
def small() -> Network:
    return small_net()


def test_defaults_are_those_of_the_functions(small: Network) -> None:
    functions: dict[str, Callable[..., Tensor]] = {
        "smoothgrad": cw.smoothgrad,
        "vargrad": cw.vargrad,
        "integrated_gradients": cw.integrated_gradients,
    }
    viewer = computed(small, compare=list(functions))
    for (name, function), made in zip(functions.items(), viewer.results[1:], strict=True):
        assert made.panel.method == name
        assert made.attribution is not None
        torch.testing.assert_close(made.attribution, function(small, noise(0)))
    viewer.close()


def test_a_difference_has_signs_whatever_is_shown(small: Network) -> None:
    viewer = computed(small, target=0, against=1, part="absolute")
    wanted = [cw.saliency(small, noise(0), index).sum(0).numpy() for index in (0, 1)]
    drawn = panels_of(viewer, viewer._made, viewer._subject.name)[2]
    assert drawn.values is not None
    np.testing.assert_allclose(drawn.values, wanted[0] - wanted[1], rtol=1e-4, atol=1e-6)
    assert drawn.title == f"Saliency: {CLASSES[0]} − {CLASSES[1]}"
    assert drawn.how == ", channels: sum"
    viewer.close()


def test_likeness_does_not_depend_on_the_looks(small: Network) -> None:
    viewer = computed(small, randomised=True, compare=["vargrad"])

    def said() -> list[str]:
        return [one.said for one in panels_of(viewer, viewer._made, viewer._subject.name)]

    before = said()
    viewer.reduction, viewer.part = "sum", "positive"
    assert said() == before
    assert "signed" in before[1]
    assert "signed" not in before[3]  # a variance has none
    viewer.close()


def test_figures_have_a_row_for_each_method(small: Network) -> None:
    viewer = SaliencyViewer(small, noise(0), compare=["vargrad", "grad_cam"], part="negative")
    maps = panels_of(viewer, viewer._made, viewer._subject.name)
    assert places(maps, 3) == [(0, 1), (0, 2), (1, 0)]
    viewer.randomised = True
    maps = panels_of(viewer, viewer._made, viewer._subject.name)
    assert places(maps, 4) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]
    viewer.run()
    assert viewer.wait(PATIENCE)
    words = [" ".join(text.get_text().split()) for text in viewer.figure().findobj(Text)]
    assert "logit per input unit, channels: max_abs, negative part only" in words
    viewer.close()


@pytest.mark.parametrize(
    ("method", "unit"),
    [
        ("integrated_gradients", "share of the logit"),
        ("grad_cam", "weighted activation (logit)"),
        ("occlusion", "drop of the logit, mean over patches (fill: blur)"),
    ],
)
def test_units_say_what_of_the_score(small: Network, method: str, unit: str) -> None:
    viewer = computed(small, method=method, fill="blur", samples=2)
    assert viewer._maps[0]["unit"] == unit
    viewer.close()


def test_probabilities_are_not_called_logits(small: Network) -> None:
    model = torch.nn.Sequential(small.model, torch.nn.Softmax(1))
    viewer = computed(Network(model, classes=CLASSES, input_size=16))
    assert viewer._maps[0]["unit"] == "output (a probability already) per input unit"
    assert viewer._words["logit"] == "output (a probability already)"
    viewer.close()
    assert SaliencyViewer(small, noise(0))._words["logit"] == "logit"


def test_noise_by_samples(small: Network) -> None:
    viewer = SaliencyViewer(small, noise(0))
    with assert_untouched(small.model):
        Browser(viewer).request("noise")
    maps = unpack(viewer._sheet["maps"])
    assert maps.shape == (len(NOISES) * len(SAMPLES), 3, 16, 16)
    at = len(SAMPLES) + 1
    expected = cw.smoothgrad(small, noise(0), viewer.target, samples=SAMPLES[1], noise=NOISES[1])
    span = float(expected.max() - expected.min())
    np.testing.assert_allclose(maps[at], expected, atol=span / 400)
    viewer.part = "positive"
    figure = viewer.noise_figure()
    assert len(figure.axes) == len(maps)
    title = figure.get_suptitle()
    what = "logit per input unit, channels: max_abs, positive part only"
    assert f"SmoothGrad: {CLASSES[viewer.target]}; {what}" in title
    assert "full colour: each map's own percentile 99" in title
    viewer.close()
