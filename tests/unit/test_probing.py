"""What the probe keeps of a network's maps: numbers that are right, within the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import cnnwidgets as cw
from cnnwidgets.training.probing import Probe, Probed
from cnnwidgets.training.snapshots import Memory, Snapshot, Snapshots
from cnnwidgets.widgets.monitor_snapshots import maps_of
from cnnwidgets.widgets.requests import RequestError
from tests.training import batch, small

if TYPE_CHECKING:
    from pathlib import Path


def scaled(factor: float) -> Any:
    """A network whose first maps are `factor` times as large, and its output is not."""
    model: Any = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(108, 4)
    )
    with torch.no_grad():
        for one, by in ((model[0], factor), (model[1], 1 / factor)):
            one.weight.fill_(0.1 * by)
            one.bias.zero_()
    return model


def seen(model: nn.Module, x: Tensor) -> Probed:
    return Probe(cw.Network(model, input_size=(1, 10, 10)), x).look()


def test_maps_are_kept_in_half_precision() -> None:
    probed = seen(small(), batch(0, 3)[0])
    assert {one.dtype for one in probed.activations.values()} == {torch.float16}


@pytest.mark.parametrize("factor", [1e8, 1e-8])
def test_maps_beyond_half_precision_are_told_as_they_are(factor: float) -> None:
    x, model = batch(0, 3)[0], scaled(factor)
    probed = seen(model, x)
    expected = model[0](x)
    torch.testing.assert_close(probed.activations["0"], expected.detach(), rtol=1e-3, atol=0)
    (gradient,) = torch.autograd.grad(model[1:](expected).amax(1).sum(), expected)
    torch.testing.assert_close(probed.gradients["0"], gradient, rtol=1e-3, atol=0)
    assert probed.activations["1"].dtype == torch.float16  # each layer by itself


def test_one_weak_map_among_strong_ones_and_what_is_no_number() -> None:
    conv = nn.Conv2d(1, 3, 1, bias=False)
    model = nn.Sequential(conv, nn.Flatten(), nn.Linear(300, 4))
    x = torch.full((2, 1, 10, 10), 3.0)
    for weights, dtype in (
        ([1.0, 0.0, 2.0], torch.float16),  # a dead map needs no digits
        ([1.0, float("inf"), float("nan")], torch.float16),
        ([1.0, 1e-9, 2.0], torch.float32),
    ):
        with torch.no_grad():
            conv.weight.copy_(torch.tensor(weights).reshape(3, 1, 1, 1))
        maps = seen(model, x).activations["0"]
        assert maps.dtype == dtype
        expected = conv(x).detach()
        torch.testing.assert_close(maps.float(), expected, rtol=1e-3, atol=0, equal_nan=True)


def test_larger_maps_at_some_steps_stay_within_the_budget() -> None:
    shelf, model, budget = Memory(), nn.Linear(1, 1), 9000
    snapshots = Snapshots(64, budget=budget, half=False, shelf=shelf)
    for step in range(30):
        dtype = torch.float32 if step < 6 else torch.float16
        maps = {"0": torch.zeros(1, 250, dtype=dtype)}
        snapshots.take(step, model, [], Probed(maps, {}, torch.zeros(1, 4)))
        assert sum(shelf.get(one).nbytes for one in snapshots.steps) <= budget
    assert len(snapshots.steps) > 4


def test_a_layer_that_was_not_followed() -> None:
    probed = seen(small(), batch(0, 3)[0])
    with pytest.raises(RequestError, match=r"^layer: no maps of 'fc' .*Network\(.*input_size=…\)$"):
        maps_of(Snapshot(0, "maps", {}, probed=probed), "fc", "maps", 0)


def pixels(height: int, width: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (2, height, width), dtype=np.uint8)


def free() -> nn.Module:
    """A network that takes pictures of any size."""
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 4))


@pytest.mark.parametrize("form", ["array", "tensor", "picture", "list", "path"])
def test_pixels_are_shown_at_their_own_size(form: str, tmp_path: Path) -> None:
    given = pixels(30, 50)
    pictures = [Image.fromarray(one) for one in given]
    pictures[0].save(tmp_path / "one.png")
    probe: Any = {
        "array": given,
        "tensor": torch.from_numpy(given),
        "picture": pictures[0],
        "list": pictures,
        "path": tmp_path / "one.png",
    }[form]
    for model in (free(), nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2688, 4))):
        with cw.Recorder(model, probe=probe) as run:
            assert run.pictures is not None
        shown = run.pictures[..., 0]
        np.testing.assert_array_equal(shown, given[: len(shown)])
        probed = run.probed(0)
        assert probed is not None
        assert probed.activations["0"].shape[-2:] == (28, 48)
        assert list(probed.activations)[-1] == str(len(list(model.children())) - 1)


def test_the_size_that_the_network_needs_or_was_told_comes_first() -> None:
    def shape(net: Any, given: Any = pixels(20, 20)) -> list[int]:  # noqa: B008
        with cw.Recorder(net, probe=given) as run:
            assert run.pictures is not None
            return list(run.pictures.shape[1:3])

    fixed = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 26 * 26, 4))
    assert shape(fixed) == [28, 28]
    assert shape(cw.Network(free(), input_size=64)) == [64, 64]
    assert shape(cw.Network(free())) == [20, 20]
    assert shape(free(), pixels(240, 100)) == [224, 224]  # a photograph
    assert shape(free(), [*pixels(20, 20), *pixels(20, 21)]) == [224, 224]


def test_prepared_pictures_tell_the_size_to_a_network_that_was_told_none() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 48 * 48, 4))
    probed = Probe(cw.Network(model), torch.rand(2, 1, 50, 50)).look()
    assert list(probed.activations) == ["0", "1", "2"]


def test_what_is_no_picture_is_refused_as_such() -> None:
    unusable: list[Any] = ["nowhere.png", np.zeros((2, 3, 4, 5, 6), np.uint8), [], [None]]
    for given in unusable:
        with pytest.raises((ValueError, TypeError, FileNotFoundError), match=r"^probe: "):
            cw.Recorder(free(), probe=given)
