"""What is told of an ascent: weights that are automatic, what a neuron sees, what was wrong."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn
from traitlets import TraitError

import cnnwidgets as cw
from cnnwidgets.ascent import Ascent, Settings
from cnnwidgets.ascent.settings import usual_moves
from tests.ascending import climbed_by, viewing
from tests.climbing import climbed

pytestmark = pytest.mark.usefixtures("front_end")


def test_an_automatic_weight_is_told_by_its_number() -> None:
    viewer = climbed_by("conv2:1", compare="tv", count=3)
    assert [one["smoothing"] for one in viewer._panels] == [0, 0.25, 1]
    zero, quarter, usual = (one.tv for one in viewer._climb.measured[3])
    assert (zero, quarter > 0) == (0, True)
    assert viewer._story().labels(3) == [
        "TV 0",
        f"TV ¼ × automatic = {quarter:.2g}",
        f"TV 1 × automatic = {usual:.2g}",
    ]
    numbers = viewer._climb.numbers(3, 4)[2, 0]
    assert numbers.tolist() == pytest.approx([zero, quarter, usual])
    viewer.close()


def test_what_a_neuron_sees_is_told() -> None:
    """Of conv2, 3 × 3 of 3 × 3."""
    viewer = climbed_by("conv2:1:2:3")
    assert viewer._panels[0]["field"] == [2, 3, 5, 5]
    viewer.objective = "conv2:1"
    assert viewer.wait()
    assert viewer._panels[0]["field"] is None
    viewer.close()


@pytest.mark.parametrize(
    ("place", "box"), [((2, 3), (1, 0, 6, 5)), ((0, 11), (9, 0, 12, 3)), ((11, 0), (0, 9, 3, 12))]
)
def test_what_a_neuron_sees_is_marked_in_files_and_figures(
    place: tuple[int, int], box: tuple[int, ...]
) -> None:
    net = cw.Network(nn.Sequential(nn.Conv2d(3, 4, 5, padding=2), nn.ReLU()), input_size=12)
    viewer = climbed_by(cw.Neuron("0", 1, *place), net)
    (axis, *_) = viewer.figure().subfigs[0].axes
    (patch,) = axis.patches
    left, top = patch.get_xy()
    found = left, top, left + patch.get_width(), top + patch.get_height()
    assert found == tuple(at - 0.5 for at in box)
    sheet = np.asarray(Image.open(io.BytesIO(viewer.preview())))
    picture = sheet[28 : 28 + 336, 12 : 12 + 336]
    expected = np.kron(viewer._climb.frames[8][0], np.ones((28, 28, 1), np.uint8))
    rows, columns = np.nonzero((picture != expected).any(2) & (picture == 255).all(2))
    drawn = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert drawn == tuple(28 * at for at in box)
    inside = slice(28 * box[1] + 1, 28 * box[3] - 1), slice(28 * box[0] + 1, 28 * box[2] - 1)
    np.testing.assert_array_equal(picture[inside], expected[inside])
    viewer.close()


@pytest.mark.parametrize(
    ("side", "room", "expected"),
    [
        (28, float("inf"), (2, 0.05, 5)),
        (224, float("inf"), (14, 0.2, 10)),
        (224, 4.0, (4, 0.05, 5)),
        (8, float("inf"), (1, 0.05, 5)),
    ],
)
def test_the_usual_moves(side: int, room: float, expected: tuple[float, ...]) -> None:
    assert usual_moves(side, room) == expected


def test_a_neuron_is_moved_by_a_quarter_of_its_jump() -> None:
    net = climbed(size=64)
    neuron, channel = cw.Neuron("conv2", 1, 3, 3), cw.Channel("conv2", 1)
    assert neuron.room(net) == (neuron + channel).room(net) == 0.25
    assert channel.room(net) == float("inf")
    given: dict[str, Any] = {"zoom": 0, "rotation": 0}
    usual = [frames[0].score for frames in Ascent(net, neuron, 0, Settings(**given), steps=6)]
    still = Settings(**given, jitter=0.25)
    assert usual == [frames[0].score for frames in Ascent(net, neuron, 0, still, steps=6)]
    wide = Settings(**given, jitter=4)
    assert usual != [frames[0].score for frames in Ascent(net, neuron, 0, wide, steps=6)]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", "a", "steps: 'a'; give an int"),
        ("lr", "x", "lr: 'x'; give a float"),
        ("objective", "relu:9", "objective: 'relu:9'; there is no layer 'relu'; did you mean"),
        ("objective", "relu1:9", "objective: 'relu1:9'; layer 'relu1' has 4 channels, 0 to 3"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: object, message: str) -> None:
    viewer = viewing("conv2:1")
    with pytest.raises(TraitError) as caught:
        setattr(viewer, name, value)
    assert str(caught.value).startswith(message)
    assert viewer.objective == "conv2:1"
    viewer.close()
